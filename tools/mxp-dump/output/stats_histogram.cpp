#include "mxp-dump/output/stats_histogram.h"

#include <algorithm>
#include <cmath>

namespace mxp::dump {

// Values below kSteps have a bucket each; above, the highest bit chooses the octave and the five below it the step.
std::uint16_t StatsHistogram::index_of(std::uint64_t value) {
  if (value < kSteps) return static_cast<std::uint16_t>(value);
  const auto shift = static_cast<unsigned>(std::bit_width(value)) - 6;
  return static_cast<std::uint16_t>(kSteps + shift * kSteps + (value >> shift) - kSteps);
}

std::uint64_t StatsHistogram::first_of(std::uint16_t index) {
  if (index < kSteps) return index;
  const unsigned shift = index / kSteps - 1;
  return std::uint64_t{kSteps + index % kSteps} << shift;
}

void StatsHistogram::add(std::uint64_t value) {
  ++count_;
  least_ = std::min(least_, value);
  greatest_ = std::max(greatest_, value);
  const std::uint16_t index = index_of(value);
  const auto place = std::lower_bound(buckets_.begin(), buckets_.end(), index,
                                      [](const Bucket& bucket, std::uint16_t wanted) { return bucket.index < wanted; });
  if (place != buckets_.end() && place->index == index) ++place->count;
  else buckets_.insert(place, {index, 1});
}

std::uint64_t StatsHistogram::percentile(double share) const {
  const auto rank = static_cast<std::uint64_t>(std::ceil(share * static_cast<double>(count_)));
  std::uint64_t seen = 0;
  for (const Bucket& bucket : buckets_) {
    seen += bucket.count;
    if (seen < std::max<std::uint64_t>(rank, 1)) continue;
    const std::uint64_t first = first_of(bucket.index);
    const std::uint64_t size = bucket.index < kSteps ? 1 : std::uint64_t{1} << (bucket.index / kSteps - 1);
    return std::clamp(first + (size - 1) / 2, least_, greatest_);
  }
  return greatest_;
}

void StatsHistogram::each_octave(const std::function<void(std::uint64_t, std::uint64_t)>& bucket) const {
  std::uint64_t below = 0, count = 0;
  for (const Bucket& one : buckets_) {
    const std::uint64_t end = std::uint64_t{1} << std::bit_width(first_of(one.index));
    if (end != below && count > 0) {
      bucket(below, count);
      count = 0;
    }
    below = end;
    count += one.count;
  }
  if (count > 0) bucket(below, count);
}

}  // namespace mxp::dump
