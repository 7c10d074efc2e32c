// One test by all ranks: they agree on a time, each runs its share, and rank 0 makes one result of theirs.
#pragma once

#include <cstdint>

#include "common/output.h"
#include "common/signals.h"
#include "common/tool_error.h"
#include "mxp-perf-mpi/rank_logs.h"
#include "mxp-perf-mpi/ranks.h"
#include "mxp-perf/options.h"
#include "mxp-perf/outputs/result_sinks.h"

namespace mxp::perf_mpi {

enum class Everybody : std::uint8_t { is_there, is_not };

// What the whole run came to, on rank 0.
struct JobEnd {
  tools::Result<void> outcome;
  Everybody everybody = Everybody::is_there;  // is not: nobody may wait for the others any more
};

// A signal ends the test early.
JobEnd lead(const Ranks& ranks, const perf::Options& options, tools::Output& output, const tools::SignalWatch& signals,
            perf::ResultSinks& sinks, RankLogs& logs);
// On the other ranks. False: rank 0 did not take what this one measured.
bool follow(const Ranks& ranks, const perf::Options& options, tools::Output& output, const tools::SignalWatch& signals);

}  // namespace mxp::perf_mpi
