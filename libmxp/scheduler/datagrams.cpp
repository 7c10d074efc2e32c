#include "scheduler/datagrams.h"

#include <algorithm>

#include "core/frame_writer.h"

namespace mxp {

Datagrams::Datagrams(const DatagramConfig& config, DatagramEvents& events)
    : config_(config), events_(events), limiter_(config.rate, config.burst_bytes) {}

std::size_t Datagrams::largest() const { return std::min({peer_limit_, path_limit_, config_.queue_bytes}); }

bool Datagrams::fits(const Sum& queued, std::size_t size) const {
  return queued.count < config_.queue_datagrams && queued.bytes + size <= config_.queue_bytes;
}

std::expected<void, DatagramError> Datagrams::send(ByteView data, const DatagramOptions& options) {
  using Kind = DatagramError::Kind;
  if (peer_limit_ == 0) return std::unexpected(DatagramError{Kind::not_taken_by_peer});
  if (data.size() > largest()) return std::unexpected(DatagramError{Kind::too_large, largest()});
  if (options.expires_at <= now_) return std::unexpected(DatagramError{Kind::expired});
  if (!fits(total_, data.size())) {
    switch (options.policy) {
      case DatagramPolicy::block: blocked_size_ = data.size(); return std::unexpected(DatagramError{Kind::queue_full});
      case DatagramPolicy::drop_newest: ++counters_.dropped; return std::unexpected(DatagramError{Kind::queue_full});
      case DatagramPolicy::drop_oldest:
        if (!make_room(options.traffic_class, data.size())) return std::unexpected(DatagramError{Kind::queue_full});
    }
  }
  if (free_.empty())
    for (Entry& entry : *blocks_.emplace_back(std::make_unique<Block>())) free_.push_back(entry);
  Entry& entry = free_.front();
  free_.remove(entry);
  entry.data = store_.put(data);
  entry.size = data.size();
  entry.traffic_class = options.traffic_class;
  entry.expires_at = options.expires_at;
  entry.cookie = options.cookie;
  queues_[index(entry.traffic_class)].push_back(entry);
  if (entry.expires_at != kNever) by_expiry_.set(entry);
  for (Sum* sum : {&total_, &sums_[index(entry.traffic_class)]}) {
    ++sum->count;
    sum->bytes += entry.size;
  }
  return {};
}

// From the least important class upwards, the oldest first. Nothing is dropped if the classes that must be left alone
// leave too little room, or if an application that never lets its driver run has had so many dropped that it would not
// end to tell them.
bool Datagrams::make_room(MessageClass traffic_class, std::size_t size) {
  Sum left_alone;
  for (std::size_t i = 0; i < index(traffic_class); ++i) {
    left_alone.count += sums_[i].count;
    left_alone.bytes += sums_[i].bytes;
  }
  if (!fits(left_alone, size) || outcomes_.size() >= config_.queue_datagrams) return false;
  for (std::size_t i = kMessageClasses; i-- > index(traffic_class);)
    while (!fits(total_, size) && !queues_[i].empty())
      end(queues_[i].front(), DatagramOutcome::dropped, counters_.dropped);
  return true;
}

bool Datagrams::has_pending(MessageClass traffic_class, Timestamp now) const {
  const Queue& queue = queues_[index(traffic_class)];
  return !queue.empty() && limiter_.ready_at(queue.front().size) <= now;
}

bool Datagrams::has_pending(Timestamp now) const {
  if (total_.count == 0) return false;
  for (std::size_t i = 0; i < kMessageClasses; ++i)
    if (has_pending(static_cast<MessageClass>(i), now)) return true;
  return false;
}

bool Datagrams::write(MessageClass traffic_class, Timestamp now, Writer& out, SentFrameSink sent) {
  Queue& queue = queues_[index(traffic_class)];
  bool wrote = false;
  while (!queue.empty()) {
    Entry& entry = queue.front();
    if (entry.expires_at <= now) {
      end(entry, DatagramOutcome::expired, counters_.expired);
      continue;
    }
    if (entry.size > path_limit_) {
      end(entry, DatagramOutcome::too_large, counters_.too_large);
      continue;
    }
    if (limiter_.ready_at(entry.size) > now) break;
    const auto space = begin_datagram_frame(out, entry.size);
    if (!space) break;
    store_.copy_out(entry.data, *space);
    limiter_.take(now, entry.size);
    ++counters_.sent;
    sent({.kind = entry.cookie ? SentFrame::Kind::datagram_with_cookie : SentFrame::Kind::datagram,
          .length = static_cast<std::uint32_t>(entry.size),
          .value = entry.cookie.value_or(0)});
    remove(entry);
    wrote = true;
  }
  return wrote;
}

void Datagrams::on_acknowledged(const SentFrame& frame) {
  ++counters_.acknowledged;
  if (frame.kind == SentFrame::Kind::datagram_with_cookie)
    outcomes_.push_back({frame.value, DatagramOutcome::delivered});
}

void Datagrams::on_lost(const SentFrame& frame) {
  ++counters_.lost;
  if (frame.kind == SentFrame::Kind::datagram_with_cookie) outcomes_.push_back({frame.value, DatagramOutcome::lost});
}

void Datagrams::expire(Timestamp now) {
  while (deadline() <= now) end(by_expiry_.top(), DatagramOutcome::expired, counters_.expired);
}

Timestamp Datagrams::held_until(Timestamp now) const {
  Timestamp earliest = kNever;
  for (const Queue& queue : queues_) {
    if (queue.empty()) continue;
    if (const Timestamp ready = limiter_.ready_at(queue.front().size); ready > now)
      earliest = std::min(earliest, ready);
  }
  return earliest;
}

void Datagrams::tell_outcomes() {
  // What comes about meanwhile waits for the next call: an application that sends for each that is dropped would keep us
  // here.
  std::swap(telling_, outcomes_);
  if (writable_is_due()) {
    blocked_size_.reset();
    events_.on_datagrams_writable();
  }
  for (const Told& told : telling_) events_.on_datagram_outcome(told.cookie, told.outcome);
  telling_.clear();
}

void Datagrams::remove(Entry& entry) {
  store_.free(entry.data, entry.size);
  by_expiry_.remove(entry);
  queues_[index(entry.traffic_class)].remove(entry);
  for (Sum* sum : {&total_, &sums_[index(entry.traffic_class)]}) {
    --sum->count;
    sum->bytes -= entry.size;
  }
  free_.push_back(entry);
}

void Datagrams::end(Entry& entry, DatagramOutcome outcome, std::uint64_t& counter) {
  ++counter;
  if (entry.cookie) outcomes_.push_back({*entry.cookie, outcome});
  remove(entry);
}

void Datagrams::drop_all() {
  for (Queue& queue : queues_)
    while (!queue.empty()) remove(queue.front());
  outcomes_.clear();
  blocked_size_.reset();
  peer_limit_ = 0;
  shrink();
}

void Datagrams::shrink() {
  if (total_.count != 0) return;
  free_ = Queue();
  blocks_.clear();
  blocks_.shrink_to_fit();
  store_.release();
}

std::size_t Datagrams::memory() const {
  return blocks_.size() * sizeof(Block) + store_.memory() + (outcomes_.capacity() + telling_.capacity()) * sizeof(Told);
}

}  // namespace mxp
