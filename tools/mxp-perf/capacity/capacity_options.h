// What `mxp-perf find-capacity` was asked to do, beside the options of a test.
#pragma once

#include <optional>

#include "mxp/time.h"

namespace mxp::perf {

struct CapacityOptions {
  std::optional<Duration> p99;  // the bounds: at least one
  std::optional<double> loss;   // as a share
  double least_rate = 100, most_rate = 1e6;
};

}  // namespace mxp::perf
