#include "scheduler/message_queue.h"

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
  return message;
}

std::size_t MessageQueue::memory() const {
  // Asked after each drive, so that the messages are not walked over.
  const std::size_t longs = long_.size() - free_places_.size();
  return bodies_.memory() + entries_.capacity() * sizeof(Entry) + long_.capacity() * sizeof(long_.front()) +
         free_places_.capacity() * sizeof(std::uint32_t) + longs * sizeof(LongMessage) + long_bytes_ +
         memory_of_ranges_;
}

}  // namespace mxp
