// Latencies in the bins of HdrHistogram, in nanoseconds: a percentile is too high by the width of a bin at most, and
// histograms of the same shape add up exactly.
#pragma once

#include "mxp-perf/histograms/hdr_histogram.h"
#include "mxp-perf/result.h"
#include "mxp/time.h"

namespace mxp::perf {

class LatencyHistogram {
 public:
  // `figures`: 3 has bins of a mille at most, 2 of a per cent.
  explicit LatencyHistogram(int figures = 3) : counts_(figures) {}

  // `count` values of the same size.
  void record(Duration latency, std::uint64_t count = 1) {
    counts_.record(static_cast<std::uint64_t>(std::max<Duration::rep>(latency.count(), 0)), count);
  }
  std::uint64_t count() const { return counts_.count(); }
  const HdrHistogram& counts() const { return counts_; }

  // REQUIRES: count() > 0.
  Percentiles percentiles() const { return percentiles_us(counts_); }

 private:
  HdrHistogram counts_;
};

}  // namespace mxp::perf
