// What ranks tell rank 0 of themselves before anything is measured, and why they cannot do one test together: they are
// different programs, or were asked for different things, or one of them does not come.
#pragma once

#include <expected>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>

#include "common/command_line.h"
#include "common/tool_error.h"
#include "mxp-perf/options.h"
#include "mxp/time.h"

namespace mxp::perf_mpi {

struct Introduction {
  std::string host;
  std::string program = {};          // "0.1.0, built from 0123abcd"
  nlohmann::json options = nullptr;  // as `config` of a result has them; null: the command line was refused
  std::string refusal = {};          // why
};
Introduction introduce(const std::string& host, const std::expected<perf::Options, tools::ParseStop>& options);

std::string to_text(const Introduction& introduction);
// Whatever another version may write beside them, each has its host and program. Nothing: it is no such text.
std::optional<Introduction> parse_introduction(const std::string& text);

// By rank; nothing for those that did not come within `patience`. REQUIRES: rank 0 is there, and was not refused.
struct AgreementFailure {
  tools::ToolError error;
  bool all_understand = false;  // that there is no test: all are there, and of this version
};
std::optional<AgreementFailure> why_not_together(std::span<const std::optional<Introduction>> ranks, Duration patience);

}  // namespace mxp::perf_mpi
