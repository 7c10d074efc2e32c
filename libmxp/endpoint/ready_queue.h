// The connections that have something to send, in the order in which they said so. The links are in the entries, so
// joining and leaving, which happen with almost every packet, allocate nothing, and a connection that ends can leave
// from anywhere at once.
#pragma once

#include "mxp/require.h"

namespace mxp {

// Entry must have members `Entry* next_ready`, `Entry* previous_ready` and `bool ready` (false while it is outside).
template <typename Entry>
class ReadyQueue {
 public:
  bool empty() const { return first_ == nullptr; }
  // REQUIRES: !empty().
  Entry& front() const {
    MXP_REQUIRE(!empty());
    return *first_;
  }

  // An entry that waits already keeps its place.
  void push_back(Entry& entry) {
    if (entry.ready) return;
    entry.ready = true;
    entry.next_ready = nullptr;
    entry.previous_ready = last_;
    (last_ == nullptr ? first_ : last_->next_ready) = &entry;
    last_ = &entry;
  }
  void remove(Entry& entry) {
    if (!entry.ready) return;
    entry.ready = false;
    (entry.previous_ready == nullptr ? first_ : entry.previous_ready->next_ready) = entry.next_ready;
    (entry.next_ready == nullptr ? last_ : entry.next_ready->previous_ready) = entry.previous_ready;
  }

 private:
  Entry* first_ = nullptr;
  Entry* last_ = nullptr;
};

}  // namespace mxp
