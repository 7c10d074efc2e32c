#include "udp/timer_queue.h"

#include <algorithm>
#include <utility>

namespace mxp {

std::uint64_t TimerQueue::add(Timestamp when, std::function<void()> callback) {
  const std::uint64_t id = next_id_++;
  callbacks_.emplace(id, std::move(callback));
  heap_.push_back({when, id});
  std::push_heap(heap_.begin(), heap_.end(), later);
  return id;
}

void TimerQueue::cancel(std::uint64_t id) {
  if (callbacks_.erase(id) != 0) drop_cancelled();
}

void TimerQueue::run_due(Timestamp now) {
  const std::uint64_t added_from_here = next_id_;
  // Entries that were added meanwhile may be due already and stand at the front of the heap. They are set aside for the
  // next call.
  std::vector<Entry> set_aside;
  while (!heap_.empty() && heap_.front().when <= now) {
    const Entry entry = heap_.front();
    pop();
    if (entry.id >= added_from_here) {
      set_aside.push_back(entry);
      continue;
    }
    const auto found = callbacks_.find(entry.id);
    if (found == callbacks_.end()) continue;
    const std::function<void()> callback = std::move(found->second);
    callbacks_.erase(found);  // before the call: the callback may cancel its own id, or add
    callback();
  }
  for (const Entry& entry : set_aside) {
    heap_.push_back(entry);
    std::push_heap(heap_.begin(), heap_.end(), later);
  }
  drop_cancelled();
}

void TimerQueue::pop() {
  std::pop_heap(heap_.begin(), heap_.end(), later);
  heap_.pop_back();
}

void TimerQueue::drop_cancelled() {
  while (!heap_.empty() && !callbacks_.contains(heap_.front().id)) pop();
  // A timer that is set anew again and again leaves its old entries behind. They must not outnumber the valid ones.
  if (heap_.size() > 64 && heap_.size() > 2 * callbacks_.size()) {
    std::erase_if(heap_, [this](const Entry& entry) { return !callbacks_.contains(entry.id); });
    std::make_heap(heap_.begin(), heap_.end(), later);
  }
}

}  // namespace mxp
