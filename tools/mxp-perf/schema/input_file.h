// The files that mxp-perf reads: results and histograms.
#pragma once

#include <string>

#include "common/tool_error.h"

namespace mxp::perf {

// Our choice: a result of an hour with an interval every 10 ms has 50 MB.
inline constexpr std::size_t kMostInput = std::size_t{256} << 20;

// All of it; "-" is stdin. What cannot be read, or is too long, is a usage error that names it.
tools::Result<std::string> read_input(const std::string& name);

}  // namespace mxp::perf
