// Deadlines of things that are named by a number, earliest first. What is settled before its deadline is not looked for
// here: its deadline stays until it passes, or until half of all that is kept is of that kind, when the caller is asked
// once about each. So a deadline costs O(log n) to add and nothing to forget, and memory follows what is still alive.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "mxp/time.h"

namespace mxp {

class DeadlineQueue {
 public:
  struct Item {
    Timestamp deadline;
    std::uint64_t name;
  };

  bool empty() const { return heap_.empty(); }
  // The earliest deadline, of something that may be settled already; kNever: there is none.
  Timestamp next() const { return heap_.empty() ? kNever : heap_.front().deadline; }
  std::size_t memory() const { return heap_.capacity() * sizeof(Item); }

  // `is_alive(name)` says whether the deadline of `name` still matters.
  template <typename IsAlive>
  void add(Timestamp deadline, std::uint64_t name, IsAlive is_alive) {
    if (heap_.size() >= limit_) {
      std::erase_if(heap_, [&](const Item& item) { return !is_alive(item.name); });
      std::ranges::make_heap(heap_, later);
      limit_ = std::max<std::size_t>(kLeast, 2 * heap_.size());
    }
    heap_.push_back({deadline, name});
    std::ranges::push_heap(heap_, later);
  }
  // Takes out the earliest. REQUIRES: !empty().
  Item pop() {
    std::ranges::pop_heap(heap_, later);
    const Item item = heap_.back();
    heap_.pop_back();
    return item;
  }
  void clear() { heap_ = std::vector<Item>(); }

 private:
  static constexpr std::size_t kLeast = 64;
  static bool later(const Item& a, const Item& b) { return a.deadline > b.deadline; }

  std::vector<Item> heap_;
  std::size_t limit_ = kLeast;  // when to look for what is settled
};

}  // namespace mxp
