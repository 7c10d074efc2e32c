// A binary heap whose members know their places in it, so that one of them can move or leave in O(log n). The members
// are the caller's; the heap holds pointers to them, and allocates only when it has more of them than ever before.
#pragma once

#include <cstddef>
#include <vector>

#include "core/work.h"
#include "mxp/require.h"

namespace mxp {

inline constexpr std::size_t kNotInHeap = static_cast<std::size_t>(-1);

// `Before` orders the members: the first of them is at the top. `kPlace` is the member variable that holds the place; it
// is kNotInHeap while the member is outside.
template <typename Member, typename Before, std::size_t Member::* kPlace>
class IndexedHeap {
 public:
  bool empty() const { return heap_.empty(); }
  std::size_t size() const { return heap_.size(); }
  // REQUIRES: !empty().
  Member& top() const {
    MXP_REQUIRE(!empty());
    return *heap_.front();
  }

  // Puts it in, or moves it to where it belongs now that its order has changed.
  void set(Member& member) {
    if (member.*kPlace == kNotInHeap) {
      heap_.push_back(&member);
      member.*kPlace = heap_.size() - 1;
      up(member.*kPlace);
    } else {
      restore(member.*kPlace);
    }
  }

  void remove(Member& member) {
    const std::size_t hole = member.*kPlace;
    if (hole == kNotInHeap) return;
    member.*kPlace = kNotInHeap;
    Member* last = heap_.back();
    heap_.pop_back();
    if (last == &member) return;
    put(last, hole);
    restore(hole);
  }

 private:
  void put(Member* member, std::size_t place) {
    heap_[place] = member;
    member->*kPlace = place;
  }
  bool before(std::size_t a, std::size_t b) const { return Before()(*heap_[a], *heap_[b]); }
  void swap(std::size_t a, std::size_t b) {
    Member* const at_a = heap_[a];
    put(heap_[b], a);
    put(at_a, b);
  }
  void restore(std::size_t place) {
    Member* const moved = heap_[place];
    up(place);
    down(moved->*kPlace);
  }
  void up(std::size_t place) {
    for (; place > 0; place = (place - 1) / 2) {
      MXP_WORK(1);
      if (!before(place, (place - 1) / 2)) return;
      swap(place, (place - 1) / 2);
    }
  }
  void down(std::size_t place) {
    for (;;) {
      MXP_WORK(2);
      std::size_t first = place;
      for (std::size_t child = 2 * place + 1; child < heap_.size() && child <= 2 * place + 2; ++child)
        if (before(child, first)) first = child;
      if (first == place) return;
      swap(place, first);
      place = first;
    }
  }

  std::vector<Member*> heap_;
};

}  // namespace mxp
