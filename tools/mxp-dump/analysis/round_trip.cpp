#include "mxp-dump/analysis/round_trip.h"

#include <algorithm>
#include <cmath>

namespace mxp::dump {

std::size_t RoundTrip::bin_of(std::int64_t ns) {
  const double microseconds = std::max(static_cast<double>(ns) / 1e3, 1.0);
  return std::min(kBins - 1, static_cast<std::size_t>(4 * std::log2(microseconds)));
}

void RoundTrip::add(std::int64_t sample_ns) {
  sample_ns = std::max<std::int64_t>(sample_ns, 1);
  shortest_ns_ = samples_ == 0 ? sample_ns : std::min(shortest_ns_, sample_ns);
  longest_ns_ = std::max(longest_ns_, sample_ns);
  smoothed_ns_ = samples_ == 0 ? sample_ns : smoothed_ns_ + (sample_ns - smoothed_ns_) / 8;
  ++samples_;
  ++bins_[bin_of(sample_ns)];
}

std::int64_t RoundTrip::quantile_ns(double share) const {
  const double wanted = share * static_cast<double>(samples_);
  double passed = 0;
  for (std::size_t i = 0; i < kBins; ++i) {
    passed += bins_[i];
    if (bins_[i] == 0 || passed < wanted) continue;
    const auto upper = static_cast<std::int64_t>(1e3 * std::exp2(static_cast<double>(i + 1) / 4));
    return std::clamp(upper, shortest_ns_, longest_ns_);
  }
  return longest_ns_;
}

}  // namespace mxp::dump
