// compare --runs N: runs two programs in turn, so that what changes slowly on the machine (heat, other load) falls on
// both. Which one of a pair runs first is decided by lot: then the difference of a pair has either sign with the same
// chance if the programs are alike, whatever else the machine does. Any fixed order (ABAB, ABBA) keeps time with some
// other load, and takes it for a difference.
#pragma once

#include <nlohmann/json.hpp>
#include <vector>

#include "common/output.h"
#include "common/signals.h"
#include "common/tool_error.h"
#include "mxp-perf/compare/compare_options.h"

namespace mxp::perf {

// The results of whole pairs.
struct AlternatedRuns {
  std::vector<nlohmann::json> base, next;
  tools::Result<void> ended;  // why there are fewer than asked for
};

// REQUIRES: options.runs.
AlternatedRuns run_in_turn(const CompareOptions& options, const tools::SignalWatch& signals, tools::Output& output);

}  // namespace mxp::perf
