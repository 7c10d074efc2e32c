// A set of integers, kept as few disjoint, non-adjacent half-open ranges [begin, end), in order. It is made for sets
// that are nearly contiguous (acknowledged bytes, received packet numbers). To find something costs the logarithm of
// the number of ranges, and a change costs at most one move of them all. So where a peer decides how many there are,
// that number is bounded. Storage is a sorted vector that keeps its capacity: a set that has reached its usual size
// allocates nothing.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace mxp {

class RangeSet {
 public:
  struct Range {
    std::uint64_t begin = 0;
    std::uint64_t end = 0;  // not included
    std::uint64_t size() const { return end - begin; }
    bool operator==(const Range&) const = default;
  };

  bool empty() const { return ranges_.empty(); }
  std::size_t range_count() const { return ranges_.size(); }
  std::size_t memory() const { return ranges_.capacity() * sizeof(Range); }  // bytes
  std::span<const Range> ranges() const { return ranges_; }                  // ascending
  // The ranges that end after `value`: the one that holds it, if any, and all above it.
  std::span<const Range> ranges_ending_after(std::uint64_t value) const;
  // Sum of all sizes.
  std::uint64_t total() const;
  bool contains(std::uint64_t value) const;
  // Whether all of [begin, end) is in the set; true for an empty range.
  bool contains(std::uint64_t begin, std::uint64_t end) const;

  // Whether [begin, end) would be merged with a range that is there already.
  bool touches(std::uint64_t begin, std::uint64_t end) const;

  // Adds [begin, end), merging; returns how many values were new. REQUIRES: begin <= end.
  std::uint64_t add(std::uint64_t begin, std::uint64_t end);
  // The same for a set that may hold more than was put into it: if [begin, end) would make one range more than
  // `max_ranges`, the values between it and a neighbour are added as well. REQUIRES: max_ranges >= 1.
  void add_joining(std::uint64_t begin, std::uint64_t end, std::size_t max_ranges);
  // Removes [begin, end); returns how many values were there.
  std::uint64_t remove(std::uint64_t begin, std::uint64_t end);
  void remove_below(std::uint64_t end) { remove(0, end); }
  void pop_front();  // drops the lowest range. REQUIRES: !empty()
  void pop_back();   // drops the highest range. REQUIRES: !empty()
  void clear() { ranges_.clear(); }
  void shrink() { ranges_.shrink_to_fit(); }  // gives back memory that no range needs now

 private:
  std::vector<Range> ranges_;
};

}  // namespace mxp
