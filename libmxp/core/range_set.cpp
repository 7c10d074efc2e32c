#include "core/range_set.h"

#include <algorithm>

#include "core/work.h"
#include "mxp/require.h"

namespace mxp {
namespace {

// The first range that ends after `value`: the one that holds it, or else the next one above it.
template <typename Ranges>
auto first_ending_after(Ranges& ranges, std::uint64_t value) {
  return std::upper_bound(ranges.begin(), ranges.end(), value,
                          [](std::uint64_t v, const RangeSet::Range& range) { return v < range.end; });
}

}  // namespace

std::uint64_t RangeSet::total() const {
  MXP_WORK(ranges_.size());
  std::uint64_t sum = 0;
  for (const Range& range : ranges_) sum += range.size();
  return sum;
}

bool RangeSet::contains(std::uint64_t value) const {
  const auto found = first_ending_after(ranges_, value);
  return found != ranges_.end() && found->begin <= value;
}

bool RangeSet::contains(std::uint64_t begin, std::uint64_t end) const {
  if (begin >= end) return true;
  const auto found = first_ending_after(ranges_, begin);
  return found != ranges_.end() && found->begin <= begin && end <= found->end;
}

bool RangeSet::touches(std::uint64_t begin, std::uint64_t end) const {
  const auto found = std::lower_bound(ranges_.begin(), ranges_.end(), begin,
                                      [](const Range& range, std::uint64_t value) { return range.end < value; });
  return found != ranges_.end() && found->begin <= end;
}

std::span<const RangeSet::Range> RangeSet::ranges_ending_after(std::uint64_t value) const {
  return {first_ending_after(ranges_, value), ranges_.end()};
}

std::uint64_t RangeSet::add(std::uint64_t begin, std::uint64_t end) {
  MXP_REQUIRE(begin <= end);
  if (begin == end) return 0;
  // The usual case first: new values at or above the top.
  if (ranges_.empty() || begin > ranges_.back().end) {
    ranges_.push_back({begin, end});
    return end - begin;
  }
  // [first, last) are the ranges that touch [begin, end], adjacent ones included.
  const auto first = std::lower_bound(ranges_.begin(), ranges_.end(), begin,
                                      [](const Range& range, std::uint64_t value) { return range.end < value; });
  std::uint64_t already = 0;
  auto last = first;
  for (; last != ranges_.end() && last->begin <= end; ++last) {
    const std::uint64_t from = std::max(begin, last->begin), to = std::min(end, last->end);
    if (from < to) already += to - from;
  }
  // Only another number of ranges moves those above.
  MXP_WORK(last - first == 1 ? 1 : ranges_.end() - first + 1);
  if (first == last) {
    ranges_.insert(first, {begin, end});
    return end - begin;
  }
  *first = {std::min(begin, first->begin), std::max(end, std::prev(last)->end)};
  ranges_.erase(std::next(first), last);
  return end - begin - already;
}

void RangeSet::add_joining(std::uint64_t begin, std::uint64_t end, std::size_t max_ranges) {
  MXP_REQUIRE(max_ranges >= 1);
  add(begin, end);
  if (ranges_.size() <= max_ranges) return;
  const auto added = first_ending_after(ranges_, begin);
  const auto below = added == ranges_.begin() ? added : std::prev(added);
  const auto above = std::next(below);
  below->end = above->end;
  ranges_.erase(above);
}

std::uint64_t RangeSet::remove(std::uint64_t begin, std::uint64_t end) {
  if (begin >= end) return 0;
  auto first = first_ending_after(ranges_, begin);
  if (first == ranges_.end() || first->begin >= end) return 0;
  MXP_WORK(ranges_.end() - first + 1);
  std::uint64_t removed = 0;
  if (first->begin < begin) {
    if (end < first->end) {  // a hole in the middle of a range makes two ranges of it
      const Range above{end, first->end};
      first->end = begin;
      ranges_.insert(std::next(first), above);
      return end - begin;
    }
    removed = first->end - begin;
    first->end = begin;
    ++first;
  }
  auto last = first;
  for (; last != ranges_.end() && last->end <= end; ++last) removed += last->size();
  if (last != ranges_.end() && last->begin < end) {
    removed += end - last->begin;
    last->begin = end;
  }
  ranges_.erase(first, last);
  return removed;
}

void RangeSet::pop_front() {
  MXP_REQUIRE(!empty());
  MXP_WORK(ranges_.size());
  ranges_.erase(ranges_.begin());
}

void RangeSet::pop_back() {
  MXP_REQUIRE(!empty());
  ranges_.pop_back();
}

}  // namespace mxp
