// A list that is made once and then shared, not copied: traces and tables of delays, which have up to millions of
// entries and are part of every LinkSpec of every client and step. Two are equal if they hold the same.
#pragma once

#include <algorithm>
#include <cstddef>
#include <initializer_list>
#include <memory>
#include <utility>
#include <vector>

namespace mxp::netem {

template <typename Value>
class SharedList {
 public:
  SharedList() = default;
  SharedList(std::vector<Value> values) : values_(std::make_shared<const std::vector<Value>>(std::move(values))) {}
  SharedList(std::initializer_list<Value> values) : SharedList(std::vector<Value>(values)) {}

  bool empty() const { return size() == 0; }
  std::size_t size() const { return values_ ? values_->size() : 0; }
  const Value& operator[](std::size_t index) const { return (*values_)[index]; }
  const Value& back() const { return values_->back(); }
  auto begin() const { return values_ ? values_->data() : nullptr; }
  auto end() const { return begin() + size(); }

  bool operator==(const SharedList& other) const {
    return values_ == other.values_ || std::equal(begin(), end(), other.begin(), other.end());
  }

 private:
  std::shared_ptr<const std::vector<Value>> values_;
};

}  // namespace mxp::netem
