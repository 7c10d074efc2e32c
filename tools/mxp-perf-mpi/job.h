// One test by all ranks: they agree on a time, each runs its share, and rank 0 makes one result of theirs.
#pragma once

#include <cstdint>
#include <expected>
#include <functional>

#include "common/command_line.h"
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
// There is no test, as rank 0 alone knows: the others end without a word.
Everybody dismiss(const Ranks& ranks);

// On the other ranks. `options_of_rank`: from this rank's command line, asked for if there is a test at all. The error:
// rank 0 did not answer.
using OptionsOfRank = std::function<std::expected<perf::Options, tools::ParseStop>()>;
tools::Result<void> follow(const Ranks& ranks, const OptionsOfRank& options_of_rank);

}  // namespace mxp::perf_mpi
