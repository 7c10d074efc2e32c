// Whether the ranks' results are one run: all are there, none failed, and they measured at one time, by clocks that
// kept their distance.
#pragma once

#include <optional>
#include <span>
#include <string>

#include "common/tool_error.h"
#include "mxp-perf-mpi/clocks.h"
#include "mxp-perf-mpi/outcome.h"
#include "mxp-perf/options.h"

namespace mxp::perf_mpi {

// What is known of a rank whether or not it gave a result.
struct RankPlace {
  std::string host;
  RankClock clock;
};

// "rank 2 on host-c"
std::string name_of(std::size_t rank, const std::string& host);

// Why the run is no valid one, if it is not. A failure that a rank tells of prevails over ranks that gave no result:
// where rank 0 fails early, nobody waits for them. An interrupt does not: mpirun interrupts all when one of them dies.
// `outcomes`: of those that gave any, in the order of their ranks.
std::optional<tools::ToolError> why_invalid(const perf::Options& options, std::span<const RankPlace> places,
                                            std::span<const Outcome> outcomes);

}  // namespace mxp::perf_mpi
