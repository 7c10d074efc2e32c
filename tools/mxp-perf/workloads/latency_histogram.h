// Latencies in logarithmic bins, from 100 ns to 1,000 s: a percentile is too high by the width of a bin at most, and
// histograms of the same shape add up exactly.
#pragma once

#include <algorithm>
#include <boost/histogram.hpp>

#include "mxp-perf/result.h"
#include "mxp/time.h"

namespace mxp::perf {

class LatencyHistogram {
 public:
  // How wide a bin is: 180 KiB in bins of a mille, 18 KiB in bins of a per cent.
  enum class Bins : std::uint8_t { mille, percent };
  explicit LatencyHistogram(Bins bins = Bins::mille)
      : bins_(boost::histogram::make_histogram_with(
            boost::histogram::dense_storage<std::uint64_t>(),
            Axis(bins == Bins::mille ? kMilleBins : kPercentBins, kLowestUs, kHighestUs))) {}

  // `count` values of the same size.
  void record(Duration latency, std::uint64_t count = 1) {
    const double us = std::chrono::duration<double, std::micro>(latency).count();
    bins_(std::clamp(us, kLowestUs, kHighestUs * 0.999999), boost::histogram::weight(count));
    max_us_ = std::max(max_us_, us);
    count_ += count;
  }
  std::uint64_t count() const { return count_; }

  // REQUIRES: count() > 0.
  Percentiles percentiles() const { return {at(0.5), at(0.9), at(0.99), at(0.999), max_us_}; }

 private:
  using Axis = boost::histogram::axis::regular<double, boost::histogram::axis::transform::log>;
  using Storage =
      decltype(boost::histogram::make_histogram_with(boost::histogram::dense_storage<std::uint64_t>(), Axis()));
  static constexpr double kLowestUs = 0.1, kHighestUs = 1e9;
  static constexpr unsigned kMilleBins = 23037;   // ln(1e10) / ln(1.001)
  static constexpr unsigned kPercentBins = 2315;  // ln(1e10) / ln(1.01)

  // The upper edge of the bin that holds the quantile, but never more than the largest value.
  double at(double quantile) const {
    const auto wanted = static_cast<std::uint64_t>(static_cast<double>(count_) * quantile);
    std::uint64_t seen = 0;
    for (const auto& bin : boost::histogram::indexed(bins_)) {
      seen += *bin;
      if (seen > wanted || seen == count_) return std::min(bin.bin(0).upper(), max_us_);
    }
    return max_us_;
  }

  Storage bins_;
  std::uint64_t count_ = 0;
  double max_us_ = 0;
};

}  // namespace mxp::perf
