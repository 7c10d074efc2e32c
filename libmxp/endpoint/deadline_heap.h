// The next timeouts of many connections, in a binary heap in which each connection knows its place. So moving a
// deadline, which happens with almost every packet, costs O(log n) and allocates nothing.
#pragma once

#include <cstddef>
#include <utility>
#include <vector>

#include "mxp/require.h"
#include "mxp/time.h"

namespace mxp {

// Entry must have members `Timestamp heap_deadline` and `std::size_t heap_index` (kNotInHeap while it is outside).
inline constexpr std::size_t kNotInHeap = static_cast<std::size_t>(-1);

template <typename Entry>
class DeadlineHeap {
 public:
  bool empty() const { return heap_.empty(); }
  Timestamp next() const { return heap_.empty() ? kNever : heap_.front()->heap_deadline; }
  // REQUIRES: !empty().
  Entry& top() const {
    MXP_REQUIRE(!empty());
    return *heap_.front();
  }

  // Puts the entry in or moves it; kNever takes it out.
  void set(Entry& entry, Timestamp deadline) {
    if (deadline == kNever) return remove(entry);
    if (entry.heap_index == kNotInHeap) {
      entry.heap_deadline = deadline;
      entry.heap_index = heap_.size();
      heap_.push_back(&entry);
      up(entry.heap_index);
    } else if (deadline != entry.heap_deadline) {
      entry.heap_deadline = deadline;
      restore(entry.heap_index);
    }
  }

  void remove(Entry& entry) {
    const std::size_t hole = entry.heap_index;
    if (hole == kNotInHeap) return;
    entry.heap_index = kNotInHeap;
    Entry* last = heap_.back();
    heap_.pop_back();
    if (last == &entry) return;
    place(last, hole);
    restore(hole);
  }

 private:
  void place(Entry* entry, std::size_t index) {
    heap_[index] = entry;
    entry->heap_index = index;
  }
  bool before(std::size_t a, std::size_t b) const { return heap_[a]->heap_deadline < heap_[b]->heap_deadline; }
  void swap(std::size_t a, std::size_t b) {
    Entry* const at_a = heap_[a];
    place(heap_[b], a);
    place(at_a, b);
  }
  void restore(std::size_t index) {
    Entry* const moved = heap_[index];
    up(index);
    down(moved->heap_index);
  }
  void up(std::size_t index) {
    for (; index > 0; index = (index - 1) / 2) {
      if (!before(index, (index - 1) / 2)) return;
      swap(index, (index - 1) / 2);
    }
  }
  void down(std::size_t index) {
    for (;;) {
      std::size_t smallest = index;
      for (std::size_t child = 2 * index + 1; child < heap_.size() && child <= 2 * index + 2; ++child)
        if (before(child, smallest)) smallest = child;
      if (smallest == index) return;
      swap(index, smallest);
      index = smallest;
    }
  }

  std::vector<Entry*> heap_;
};

}  // namespace mxp
