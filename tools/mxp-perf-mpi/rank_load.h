// The load of one rank: a client of the server as mxp-perf has it, with its share of what was asked for.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "common/output.h"
#include "common/signals.h"
#include "common/tool_error.h"
#include "mxp-perf/options.h"

namespace mxp::perf_mpi {

// What a rank tells of its load.
struct Outcome {
  int rank = 0;
  std::optional<tools::ToolError> error;
  nlohmann::json document;  // as mxp-perf client writes it; null: there is no result
  std::string hlog;         // its histograms, exactly; "" without a result
};
std::string to_text(const Outcome& outcome);
// Nothing: it is no such text.
std::optional<Outcome> parse_outcome(int rank, const std::string& text);

// By how much `rank` begins after rank 0: so that the sum is as evenly spaced as one client would send it.
double seconds_after_first(const perf::Options& all, int rank);

// The part of `rank` in what all of `size` ranks do together: its share of the rate, from its own time on. Only rank 0
// writes files, and is watched.
perf::Options share_of(const perf::Options& all, int rank, int size);

// Runs it. Blocks.
Outcome run_load(const perf::Options& options, int rank, tools::Output& output, const tools::SignalWatch& signals);

}  // namespace mxp::perf_mpi
