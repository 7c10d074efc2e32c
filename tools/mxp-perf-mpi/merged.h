// One result of the results of all ranks: counts and rates add up, percentiles are those of the sum of the histograms,
// by the code of `mxp-perf merge`.
#pragma once

#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <vector>

#include "common/tool_error.h"
#include "mxp-perf-mpi/rank_load.h"
#include "mxp-perf-mpi/ranks.h"
#include "mxp-perf/histograms/hlog_file.h"
#include "mxp-perf/options.h"
#include "mxp-perf/result.h"

namespace mxp::perf_mpi {

// What is known of a rank whether or not it gave a result.
struct RankPlace {
  std::string host;
  ClockOffset clock;
};

struct Merged {
  perf::Result result;
  perf::HistogramLog log;
  nlohmann::json document;
};

// `outcomes`: of those that have a result, in the order of their ranks. The error: histograms that do not add up.
// REQUIRES: there is one.
tools::Result<Merged> merge_outcomes(const perf::Options& options, std::span<const Outcome> outcomes);

// hosts[]: an entry for each rank; one that gave nothing has an error.
nlohmann::json hosts_of(std::span<const RankPlace> places, std::span<const Outcome> outcomes);

}  // namespace mxp::perf_mpi
