#include "netem/delay_histogram.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace mxp::netem {

// Values below 32 have a bucket each; above, every power of two is cut into 32 equal parts.
std::uint32_t DelayHistogram::bucket_of(std::uint64_t nanoseconds) {
  const auto width = static_cast<std::uint32_t>(std::bit_width(nanoseconds));
  if (width <= kSubBucketBits) return static_cast<std::uint32_t>(nanoseconds);
  const std::uint32_t shift = width - kSubBucketBits - 1;
  return (shift + 1) * kSubBuckets + static_cast<std::uint32_t>((nanoseconds >> shift) - kSubBuckets);
}

std::uint64_t DelayHistogram::end_of(std::uint32_t bucket) {
  if (bucket < kSubBuckets) return bucket;
  const std::uint32_t shift = bucket / kSubBuckets - 1;
  const std::uint64_t start = (std::uint64_t{kSubBuckets} + bucket % kSubBuckets) << shift;
  return start + ((std::uint64_t{1} << shift) - 1);
}

void DelayHistogram::record(Duration value) {
  value = std::max(value, Duration::zero());
  ++buckets_[bucket_of(static_cast<std::uint64_t>(value.count()))];
  ++count_;
  sum_ns_ += static_cast<double>(value.count());
  max_ = std::max(max_, value);
}

Duration DelayHistogram::mean() const {
  return count_ == 0 ? Duration::zero() : Duration(std::llround(sum_ns_ / static_cast<double>(count_)));
}

Duration DelayHistogram::quantile(double quantile) const {
  if (count_ == 0) return Duration::zero();
  const auto wanted = std::clamp<std::uint64_t>(
      static_cast<std::uint64_t>(std::ceil(std::clamp(quantile, 0.0, 1.0) * static_cast<double>(count_))), 1, count_);
  std::uint64_t seen = 0;
  for (std::uint32_t bucket = 0; bucket < kBuckets; ++bucket) {
    seen += buckets_[bucket];
    if (seen >= wanted) return std::min(Duration(static_cast<Duration::rep>(end_of(bucket))), max_);
  }
  return max_;
}

}  // namespace mxp::netem
