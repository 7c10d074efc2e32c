// The calls of one connection that wait for their answers. Bookkeeping only: it neither sends nor tells anybody; the
// caller begins a call, takes it out when the answer comes or nobody wants it any more, and asks for those whose time
// has passed.
//
// Ids are given out here, since an id is a place in the table: the low bits are the place, the upper bits say how
// often it was used. A call that is over leaves its place to another one with another id, so a late answer finds
// nothing, and neither does a second one. Ids are never 0, no two calls of a table have the same, and they are small,
// which compaction likes (message/compact.h).
//
// Everything is O(log n) in the calls that wait, and nothing is allocated while there are no more of them than there
// have ever been. An object belongs to one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>

#include "core/indexed_heap.h"
#include "mxp/time.h"

namespace mxp {

class CallTable {
 public:
  struct Call {
    std::uint64_t id = 0;         // the message id of the call and of its answer
    Timestamp deadline = kNever;  // when it gives up
    std::uint64_t cookie = 0;     // the caller's own
  };

  // Of the 64 bits of an id so many may say the place. The other 48 count its uses: nine years of a million calls in a
  // second, all through one place.
  static constexpr std::size_t kMaxLimit = std::size_t{1} << 16;

  // `limit` is how many calls may wait at a time. REQUIRES: 1 <= limit <= kMaxLimit.
  explicit CallTable(std::size_t limit);

  std::size_t size() const { return by_deadline_.size(); }
  std::size_t limit() const { return limit_; }
  bool full() const { return size() == limit_; }

  // The id of a new call, or nullopt if the table is full. With the deadline kNever it waits until it is taken out.
  std::optional<std::uint64_t> begin(Timestamp deadline, std::uint64_t cookie);
  // nullptr for an id that is not one of a call that waits: answered, cancelled, expired, or never given out. The pointer
  // is good until the table changes.
  const Call* find(std::uint64_t id) const;
  // Whether it is the id of a call that began at some time, be it over or not.
  bool was_given_out(std::uint64_t id) const;
  // Its answer has come: takes the call out. nullopt as find().
  std::optional<Call> finish(std::uint64_t id);
  // Nobody waits for it any more: takes the call out, and its answer will find nothing. nullopt as find().
  std::optional<Call> cancel(std::uint64_t id) { return finish(id); }
  // It waits until then instead. Nothing happens for an id that is not one of a call that waits.
  void set_deadline(std::uint64_t id, Timestamp deadline);
  // The place in the table of this id: below limit(), and of no other call that waits. For owners that know more of
  // each call and keep it in an array of their own. Of an id that was never given out it may be beyond limit().
  std::size_t place_of(std::uint64_t id) const {
    return static_cast<std::size_t>(id & ((std::uint64_t{1} << place_bits_) - 1));
  }

  // The earliest deadline of all; kNever if there is none.
  Timestamp next_deadline() const { return size() == 0 ? kNever : by_deadline_.top().call.deadline; }
  // The call with that deadline. REQUIRES: size() > 0. The reference is good until the table changes.
  const Call& next() const { return by_deadline_.top().call; }
  // Takes out a call whose deadline is `now` or earlier, the earliest first and the smaller id first among equals; nullopt
  // if there is none. With kNever it takes any call: when a connection ends, all of them have to be told.
  std::optional<Call> poll_expired(Timestamp now);

  // At most so many bytes are allocated: for each place its slot, its pointer in the heap, whose vector doubles, and its
  // share of a block; and the first block. It does not shrink.
  std::size_t memory_bound() const { return slots_.size() * (sizeof(Slot) + 3 * sizeof(Slot*)) + 1024; }

 private:
  struct Slot {
    Call call;                            // its id is the last one that was given out here
    std::size_t heap_place = kNotInHeap;  // a free slot is outside
    std::size_t next_free = kNoSlot;      // of free slots
  };
  struct Sooner {
    bool operator()(const Slot& a, const Slot& b) const {
      return a.call.deadline != b.call.deadline ? a.call.deadline < b.call.deadline : a.call.id < b.call.id;
    }
  };
  static constexpr std::size_t kNoSlot = static_cast<std::size_t>(-1);

  Call take(Slot& slot);

  std::size_t limit_;
  unsigned place_bits_;
  std::deque<Slot> slots_;  // they do not move: the heap points at them
  std::size_t first_free_ = kNoSlot;
  IndexedHeap<Slot, Sooner, &Slot::heap_place> by_deadline_;
};

}  // namespace mxp
