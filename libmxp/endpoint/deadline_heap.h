// The next timeouts of many connections. Moving a deadline, which happens with almost every packet, costs O(log n) and
// allocates nothing.
#pragma once

#include "core/indexed_heap.h"
#include "mxp/time.h"

namespace mxp {

// Entry must have members `Timestamp heap_deadline` and `std::size_t heap_index` (kNotInHeap while it is outside).
template <typename Entry>
class DeadlineHeap {
 public:
  bool empty() const { return heap_.empty(); }
  Timestamp next() const { return heap_.empty() ? kNever : heap_.top().heap_deadline; }
  // REQUIRES: !empty().
  Entry& top() const { return heap_.top(); }

  // Puts the entry in or moves it; kNever takes it out.
  void set(Entry& entry, Timestamp deadline) {
    if (deadline == kNever) return heap_.remove(entry);
    if (entry.heap_index != kNotInHeap && deadline == entry.heap_deadline) return;
    entry.heap_deadline = deadline;
    heap_.set(entry);
  }
  void remove(Entry& entry) { heap_.remove(entry); }

 private:
  struct Sooner {
    bool operator()(const Entry& a, const Entry& b) const { return a.heap_deadline < b.heap_deadline; }
  };
  IndexedHeap<Entry, Sooner, &Entry::heap_index> heap_;
};

}  // namespace mxp
