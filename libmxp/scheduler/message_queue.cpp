#include "scheduler/message_queue.h"

#include <algorithm>
#include <bit>

namespace mxp {

MessageQueue::Added MessageQueue::add_long(std::unique_ptr<LongMessage> message) {
  if (end_ - oldest_ == entries_.size()) grow();
  std::uint32_t place = static_cast<std::uint32_t>(long_.size());
  if (free_places_.empty()) {
    long_.emplace_back();
  } else {
    place = free_places_.back();
    free_places_.pop_back();
  }
  const MutableBytes body = message->bytes();
  long_bytes_ += body.size();
  long_[place] = std::move(message);
  Entry& entry = entries_[end_ & (entries_.size() - 1)];
  entry = Entry{.position = bodies_.end(),
                .body_size = static_cast<std::uint32_t>(body.size()),
                .long_place = place,
                .state = State::queued};
  return {end_++, entry, body};
}

std::unique_ptr<LongMessage> MessageQueue::take_long(Entry& entry) {
  MXP_REQUIRE(entry.is_long());
  std::unique_ptr<LongMessage> message = std::move(long_[entry.long_place]);
  long_bytes_ -= message->size();
  memory_of_ranges_ -= message->memory_of_ranges();
  free_places_.push_back(entry.long_place);
  entry.long_place = kShort;
  entry.body_size = 0;  // it has no bytes in the ring either
  return message;
}

std::size_t MessageQueue::memory() const {
  // Asked after each drive, so that the messages are not walked over.
  return bodies_.memory() + entries_.capacity() * sizeof(Entry) + long_.capacity() * sizeof(long_.front()) +
         free_places_.capacity() * sizeof(std::uint32_t) + memory_of_longs();
}

std::size_t MessageQueue::used() const {
  return bodies_.end() - bodies_.begin() + (end_ - oldest_) * sizeof(Entry) +
         longs() * (sizeof(long_.front()) + sizeof(std::uint32_t)) + memory_of_longs();
}

void MessageQueue::compact() {
  const auto kept = static_cast<std::size_t>(end_ - oldest_);
  std::vector<Entry> entries(kept == 0 ? 0 : std::max(std::bit_ceil(kept), kFirstEntries));
  std::vector<std::unique_ptr<LongMessage>> all_long;
  all_long.reserve(longs());
  RecordRing bodies;
  for (std::uint64_t i = oldest_; i != end_; ++i) {
    Entry& entry = entries[i & (entries.size() - 1)] = at(i);
    const std::uint64_t begin = entry.position;
    entry.position = bodies.end();
    if (entry.is_long()) {
      all_long.push_back(std::move(long_[entry.long_place]));
      entry.long_place = static_cast<std::uint32_t>(all_long.size() - 1);
    } else if (entry.body_size != 0) {
      const RecordRing::Place place = bodies.append(entry.body_size);
      std::ranges::copy(bodies_.at(begin, entry.body_size), place.bytes.begin());
      entry.position = place.position;
    }
  }
  entries_ = std::move(entries);
  bodies_ = std::move(bodies);
  long_ = std::move(all_long);
  free_places_ = std::vector<std::uint32_t>();
}

}  // namespace mxp
