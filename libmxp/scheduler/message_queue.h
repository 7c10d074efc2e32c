// The messages of one class from send() until they are settled, in the order in which they were sent, their bodies in
// one ring; those of long messages have memory of their own. An entry is named by its index, which counts from 1.
//
//     queued ── written into a packet ──▶ sent ── lost ──▶ lost ── written again ──▶ sent
//        │                                 │                 │
//        └────── expired, cancelled ───────┴─────────────────┘──▶ expired ── EXPIRED acknowledged ──▶ settled
//                                          └── acknowledged (also after a loss) ──▶ settled
//
// A long message is sent from its first part on, and lost for as long as one of its parts is.
//
// The receiver keeps in another one what its application has not taken: those go from queued to settled. What waits for
// its turn in an ordered channel is kept likewise, from sent or expired on (ordered_channel.h).
#pragma once

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "core/frames.h"
#include "mxp/bytes.h"
#include "mxp/require.h"
#include "mxp/time.h"
#include "scheduler/long_message.h"
#include "scheduler/record_ring.h"

namespace mxp {

class MessageQueue {
 public:
  enum class State : std::uint8_t { queued, sent, lost, expired, settled };
  static constexpr std::uint32_t kShort = ~std::uint32_t{0};
  // Bytes that owners let a receiver's queue hold on to, however little it keeps.
  static constexpr std::size_t kKeptMemory = 64 * 1024;

  struct Entry {
    bool is_long() const { return long_place != kShort; }

    std::uint64_t position = 0;  // of the body in the ring
    std::uint64_t sequence = 0;  // from its first transmission on
    Timestamp expires_at = kNever;
    std::uint32_t body_size = 0;
    std::uint32_t charge = 0;           // credit that it takes: the size of the whole message
    std::uint32_t long_place = kShort;  // where its body is, if it is long
    State state : 3 = State::settled;
    MessageFrame::Form form : 1 = MessageFrame::Form::full;
    bool reports : 1 = false;
    bool is_ordered : 1 = false;      // in the channel of its class
    std::uint32_t distance : 20 = 0;  // back to the one before it in its channel, from its first transmission on
  };
  static_assert(kMaxMessageWindow <= 1u << 20);  // so that a distance has 20 bits

  // Entries in [oldest(), end()) are kept; those in [next(), end()) were never sent.
  std::uint64_t oldest() const { return oldest_; }
  std::uint64_t next() const { return next_; }
  std::uint64_t end() const { return end_; }
  bool has_queued() const { return next_ != end_; }
  std::uint64_t queued() const { return end_ - next_; }
  // Bytes of the bodies of those that were never sent, with the gaps between them.
  std::uint64_t queued_bytes() const { return has_queued() ? bodies_.end() - at(next_).position : 0; }
  // Bytes of bodies that are kept, with the gaps between them.
  std::uint64_t bytes() const { return bodies_.end() - bodies_.begin() + long_bytes_; }
  std::size_t memory() const;

  Entry& at(std::uint64_t index) {
    MXP_REQUIRE(index - oldest_ < end_ - oldest_);
    return entries_[index & (entries_.size() - 1)];
  }
  const Entry& at(std::uint64_t index) const { return const_cast<MessageQueue*>(this)->at(index); }
  bool knows(std::uint64_t index) const { return index >= oldest_ && index < end_; }
  ByteView body(const Entry& entry) const {
    if (entry.is_long()) return std::as_const(*long_[entry.long_place]).bytes();
    return bodies_.at(entry.position, entry.body_size);
  }
  // REQUIRES: entry.is_long().
  const LongMessage& long_message(const Entry& entry) const { return *long_[entry.long_place]; }
  // Calls change(LongMessage&), and keeps the sum of what they hold. REQUIRES: entry.is_long().
  template <typename Change>
  void change_long(const Entry& entry, Change&& change) {
    LongMessage& message = *long_[entry.long_place];
    memory_of_ranges_ -= message.memory_of_ranges();
    change(message);
    memory_of_ranges_ += message.memory_of_ranges();
  }

  // A new entry at the end, in state queued, with room for its body.
  struct Added {
    std::uint64_t index;
    Entry& entry;
    MutableBytes body;
  };
  Added add(std::size_t body_size) {
    if (end_ - oldest_ == entries_.size()) grow();
    const RecordRing::Place place = bodies_.append(body_size);
    Entry& entry = entries_[end_ & (entries_.size() - 1)];
    entry =
        Entry{.position = place.position, .body_size = static_cast<std::uint32_t>(body_size), .state = State::queued};
    return {end_++, entry, place.bytes};
  }
  Added add_long(std::unique_ptr<LongMessage> message);
  // Moves the body of a long message out; the entry stays. REQUIRES: entry.is_long().
  std::unique_ptr<LongMessage> take_long(Entry& entry);
  // Gives back the body of a long message; the entry stays. Nothing happens if it has none.
  void drop_long(Entry& entry) {
    if (entry.is_long()) take_long(entry);
  }
  // The entry at next() leaves the queue. REQUIRES: has_queued().
  void take_next() {
    MXP_REQUIRE(has_queued());
    ++next_;
  }
  // Forgets the oldest entries that are settled, with their bodies.
  void release_settled() {
    while (oldest_ != next_ && at(oldest_).state == State::settled) ++oldest_;
    bodies_.release_to(oldest_ == end_ ? bodies_.end() : at(oldest_).position);
  }
  // Gives back the memory that what is kept does not need, if that is most of it. What is kept is copied for that. It is
  // at most half of what was kept when the memory last grew or was last given back, so that all copies together are no
  // more than what was put in.
  void shrink() {
    if (oldest_ == end_ || memory() > kMostOfUse * used() + kLeastMemory) compact();
  }

 private:
  static constexpr std::size_t kFirstEntries = 16;
  static constexpr std::size_t kLeastMemory = RecordRing::kFirstBytes + kFirstEntries * sizeof(Entry);
  // Our choice: twice as much as compact() leaves at worst.
  static constexpr std::size_t kMostOfUse = 4;

  std::size_t longs() const { return long_.size() - free_places_.size(); }
  std::size_t memory_of_longs() const { return longs() * sizeof(LongMessage) + long_bytes_ + memory_of_ranges_; }
  // The memory that what is kept needs, with the gaps in the ring.
  std::size_t used() const;
  void compact();
  void grow() {
    std::vector<Entry> grown(entries_.empty() ? kFirstEntries : 2 * entries_.size());
    for (std::uint64_t i = oldest_; i != end_; ++i) grown[i & (grown.size() - 1)] = entries_[i & (entries_.size() - 1)];
    entries_ = std::move(grown);
  }

  std::vector<Entry> entries_;  // empty, or its size is a power of two
  RecordRing bodies_;
  std::vector<std::unique_ptr<LongMessage>> long_;
  std::vector<std::uint32_t> free_places_;  // in long_
  std::uint64_t long_bytes_ = 0;            // of all bodies in long_
  std::size_t memory_of_ranges_ = 0;        // of all messages in long_
  std::uint64_t oldest_ = 1, next_ = 1, end_ = 1;
};

}  // namespace mxp
