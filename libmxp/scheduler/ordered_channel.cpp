#include "scheduler/ordered_channel.h"

#include <algorithm>

#include "core/work.h"
#include "mxp/require.h"

namespace mxp {

bool OrderedChannel::later(const Waiting& a, const Waiting& b) {
  MXP_WORK(1);
  // A message and expired ones that begin with its number may both be here: the first to come has its turn first.
  return a.sequence != b.sequence ? a.sequence > b.sequence : a.index > b.index;
}

void OrderedChannel::add(const MessageQueue::Added& added, std::uint64_t sequence, const OrderLink& link) {
  queue_.take_next();
  if (added.entry.state == MessageQueue::State::queued) added.entry.state = MessageQueue::State::sent;
  added.entry.sequence = sequence;
  added.entry.distance = link.distance;
  waiting_.push_back({sequence, added.index});
  std::ranges::push_heap(waiting_, later);
}

std::uint64_t OrderedChannel::keep_expired(std::uint64_t first, const OrderLink& link, std::uint64_t charge) {
  const MessageQueue::Added added = queue_.add(1);  // the ring has no empty records
  added.entry.state = MessageQueue::State::expired;
  added.entry.charge = static_cast<std::uint32_t>(std::min<std::uint64_t>(charge, kMessageOverhead));
  add(added, first, link);
  return added.entry.charge;
}

const OrderedChannel::Entry* OrderedChannel::next(const SequenceWindow& settled) const {
  if (empty()) return nullptr;
  const Entry& entry = queue_.at(waiting_.front().index);
  return settled.is_settled(entry.sequence - entry.distance) ? &entry : nullptr;
}

std::uint64_t OrderedChannel::take_next() {
  MXP_REQUIRE(!empty());
  if (next_is_held()) held_.reset();
  Entry& entry = queue_.at(waiting_.front().index);
  if (entry.state != MessageQueue::State::expired) --messages_;
  entry.state = MessageQueue::State::settled;
  // The body of a long message is free at once, whatever lies before it in the ring.
  std::uint64_t credit = entry.is_long() ? entry.charge - std::min<std::uint64_t>(entry.charge, kMessageOverhead) : 0;
  entry.charge -= static_cast<std::uint32_t>(credit);
  queue_.drop_long(entry);
  std::ranges::pop_heap(waiting_, later);
  waiting_.pop_back();
  for (std::uint64_t index = queue_.oldest(); index != queue_.end(); ++index) {
    if (queue_.at(index).state != MessageQueue::State::settled) break;
    credit += queue_.at(index).charge;
    MXP_WORK(1);
  }
  queue_.release_settled();
  // What a peer has once filled does not stay as large until the connection rests.
  if (memory() > MessageQueue::kKeptMemory) shrink();
  return credit;
}

void OrderedChannel::shrink() {
  queue_.shrink();
  constexpr std::size_t kFew = 64;
  if (empty() || waiting_.capacity() > 4 * waiting_.size() + kFew) waiting_.shrink_to_fit();
}

}  // namespace mxp
