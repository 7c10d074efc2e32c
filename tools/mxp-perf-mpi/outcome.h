// What a rank tells of its load: values on its own side, one text on the way to rank 0, and the same values there.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "common/tool_error.h"
#include "mxp-perf/client/client.h"
#include "mxp-perf/environment/process_figures.h"
#include "mxp-perf/options.h"

namespace mxp::perf_mpi {

// What the document has as ratios and means alone, which do not add up.
struct Beside {
  std::optional<perf::ProcessFigures> client, server;
  std::uint64_t answers = 0;  // of the server
  double held_seconds = 0;    // that its application took for them
};

struct Outcome {
  int rank = 0;
  std::optional<tools::ToolError> error = {};
  nlohmann::json document = nullptr;  // as mxp-perf client writes it; null: there is no result
  std::string hlog = {};              // its histograms, exactly; "" without a result
  Beside beside = {};
  double clock_error_seconds = 0;  // what its times may be wrong by, as rank 0 knows
};
// `options`: those of this rank's own share.
Outcome outcome_of(int rank, const perf::ClientResult& measured, const perf::Options& options);

std::string to_text(const Outcome& outcome);
// Nothing: it is no such text.
std::optional<Outcome> parse_outcome(int rank, const std::string& text);

}  // namespace mxp::perf_mpi
