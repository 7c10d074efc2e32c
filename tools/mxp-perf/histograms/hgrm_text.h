// A histogram's percentiles as text, in the form that HdrHistogram prints (.hgrm) and its plotter takes.
#pragma once

#include <string>
#include <vector>

#include "mxp-perf/histograms/hdr_histogram.h"

namespace mxp::perf {

struct PercentilePoint {
  double quantile = 0;         // 1 for the last
  std::uint64_t value = 0;     // nanoseconds
  std::uint64_t count_to = 0;  // values up to it
};

// Five points for each halving of what is still above, so that a tail is as finely drawn as the middle; of an empty
// histogram none.
std::vector<PercentilePoint> percentile_curve(const HdrHistogram& histogram);

// Values in microseconds.
std::string to_hgrm(const HdrHistogram& histogram);

}  // namespace mxp::perf
