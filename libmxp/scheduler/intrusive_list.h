// A queue of objects that carry their own links: nothing is allocated, and push, pop and removal from the middle are
// O(1). An object can be in several lists, with one link member for each. The list owns nothing.
#pragma once

#include "mxp/require.h"

namespace mxp {

template <class T>
struct ListLink {
  T* previous = nullptr;
  T* next = nullptr;
  bool linked = false;
};

template <class T, ListLink<T> T::* kLink>
class IntrusiveList {
 public:
  bool empty() const { return first_ == nullptr; }
  // REQUIRES: !empty().
  T& front() const {
    MXP_REQUIRE(!empty());
    return *first_;
  }
  bool has_one() const { return first_ != nullptr && first_ == last_; }
  static bool contains(const T& item) { return (item.*kLink).linked; }

  // Does nothing if the item is in the list already.
  void push_back(T& item) {
    ListLink<T>& link = item.*kLink;
    if (link.linked) return;
    link = {last_, nullptr, true};
    (last_ != nullptr ? (last_->*kLink).next : first_) = &item;
    last_ = &item;
  }
  // Does nothing if the item is not in the list.
  void remove(T& item) {
    ListLink<T>& link = item.*kLink;
    if (!link.linked) return;
    (link.previous != nullptr ? (link.previous->*kLink).next : first_) = link.next;
    (link.next != nullptr ? (link.next->*kLink).previous : last_) = link.previous;
    link = {};
  }
  void move_to_back(T& item) {
    remove(item);
    push_back(item);
  }
  template <class Visit>
  void for_each(Visit&& visit) const {
    for (T* item = first_; item != nullptr; item = (item->*kLink).next) visit(*item);
  }

 private:
  T* first_ = nullptr;
  T* last_ = nullptr;
};

}  // namespace mxp
