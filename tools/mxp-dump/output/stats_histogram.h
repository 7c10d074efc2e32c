// How often which value was seen, in memory that depends on the spread of the values and not on their number: 32 buckets
// for each doubling, so that a percentile is off by 1.6 % at most. Least and greatest value are exact.
#pragma once

#include <bit>
#include <cstdint>
#include <functional>
#include <vector>

namespace mxp::dump {

class StatsHistogram {
 public:
  void add(std::uint64_t value);
  std::uint64_t count() const { return count_; }
  std::uint64_t least() const { return least_; }
  std::uint64_t greatest() const { return greatest_; }
  // The value that `share` (0..1) of all values do not exceed. REQUIRES: count() > 0.
  std::uint64_t percentile(double share) const;
  // Calls `bucket(below, count)` for each power of two `below` such that values of [below / 2, below) were seen.
  void each_octave(const std::function<void(std::uint64_t below, std::uint64_t count)>& bucket) const;

 private:
  struct Bucket {
    std::uint16_t index;
    std::uint64_t count;
  };
  static constexpr unsigned kSteps = 32;  // buckets of a doubling
  static std::uint16_t index_of(std::uint64_t value);
  static std::uint64_t first_of(std::uint16_t index);

  std::vector<Bucket> buckets_;  // ascending, at most 60 * kSteps
  std::uint64_t count_ = 0, least_ = UINT64_MAX, greatest_ = 0;
};

}  // namespace mxp::dump
