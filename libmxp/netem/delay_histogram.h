// Counts delays in buckets whose width is at most 1/32 of their values (log-linear, as in HdrHistogram). It takes
// constant memory, allocates nothing, and gives any quantile to about 3 %.
#pragma once

#include <array>
#include <cstdint>

#include "mxp/time.h"

namespace mxp::netem {

class DelayHistogram {
 public:
  void record(Duration value);  // negative values count as zero
  std::uint64_t count() const { return count_; }
  Duration max() const { return max_; }
  Duration mean() const;
  // The value that `quantile` (0..1) of the records do not exceed, rounded up to the end of its bucket but never past
  // the largest record. Zero when nothing was recorded.
  Duration quantile(double quantile) const;

 private:
  static constexpr std::uint32_t kSubBucketBits = 5;
  static constexpr std::uint32_t kSubBuckets = 1u << kSubBucketBits;
  static constexpr std::uint32_t kBuckets = (64 - kSubBucketBits + 1) * kSubBuckets;

  static std::uint32_t bucket_of(std::uint64_t nanoseconds);
  static std::uint64_t end_of(std::uint32_t bucket);

  std::array<std::uint64_t, kBuckets> buckets_{};
  std::uint64_t count_ = 0;
  double sum_ns_ = 0;
  Duration max_{};
};

}  // namespace mxp::netem
