// The load of one rank: a client of the server as mxp-perf has it, with its share of what was asked for.
#pragma once

#include "common/output.h"
#include "common/signals.h"
#include "mxp-perf-mpi/outcome.h"
#include "mxp-perf/options.h"

namespace mxp::perf_mpi {

// By how much `rank` begins after rank 0: so that the sum is as evenly spaced as one client would send it.
double seconds_after_first(const perf::Options& all, int rank);

// The part of `rank` in what all of `size` ranks do together: its share of the rate, from its own time on. Only rank 0
// writes files, and is watched.
perf::Options share_of(const perf::Options& all, int rank, int size);

// Runs it. Blocks.
Outcome run_load(const perf::Options& options, int rank, tools::Output& output, const tools::SignalWatch& signals);

}  // namespace mxp::perf_mpi
