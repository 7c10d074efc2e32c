// One result of the results of all ranks: counts add up, rates are those of all counts in the time of all (spans.h),
// percentiles those of the sum of the histograms, by the code of `mxp-perf merge`.
//
// It is made of the ranks' documents, which are what came from them: they are specified (docs/schema), and a second
// form of a result, made for MPI alone, would have to be kept in step with them. What a document has as a ratio or a
// mean came beside it (outcome.h).
#pragma once

#include <nlohmann/json.hpp>
#include <span>

#include "common/tool_error.h"
#include "mxp-perf-mpi/outcome.h"
#include "mxp-perf/histograms/hlog_file.h"
#include "mxp-perf/options.h"
#include "mxp-perf/result.h"

namespace mxp::perf_mpi {

struct Merged {
  perf::Result result;
  perf::HistogramLog log;
  nlohmann::json document;
};

// `outcomes`: of those that have a result, in the order of their ranks. The error: histograms that do not add up, or
// documents that are none. REQUIRES: there is one.
tools::Result<Merged> merge_outcomes(const perf::Options& options, std::span<const Outcome> outcomes);

}  // namespace mxp::perf_mpi
