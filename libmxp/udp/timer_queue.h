// Callbacks at times: a binary heap with lazy removal, so that adding and firing cost O(log n) and cancelling O(1).
// Equal times fire in the order in which they were added. One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <unordered_map>
#include <vector>

#include "mxp/time.h"

namespace mxp {

class TimerQueue {
 public:
  std::uint64_t add(Timestamp when, std::function<void()> callback);
  // Ids that are unknown or have already fired are ignored.
  void cancel(std::uint64_t id);

  // When the next callback is due; kNever if there is none.
  Timestamp next() const { return heap_.empty() ? kNever : heap_.front().when; }

  // Fires what was due at `now` when the call began. Callbacks may add and cancel; what they add waits for the next
  // call, even if it is due already, so that a timer that renews itself cannot hold up the loop.
  void run_due(Timestamp now);

  std::size_t size() const { return callbacks_.size(); }

 private:
  struct Entry {
    Timestamp when;
    std::uint64_t id;  // grows: the order of adding
  };
  static bool later(const Entry& a, const Entry& b) { return a.when != b.when ? a.when > b.when : a.id > b.id; }
  void pop();
  void drop_cancelled();

  std::vector<Entry> heap_;  // the front is never a cancelled one
  std::unordered_map<std::uint64_t, std::function<void()>> callbacks_;
  std::uint64_t next_id_ = 1;
};

}  // namespace mxp
