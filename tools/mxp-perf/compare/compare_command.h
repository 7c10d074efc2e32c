// compare BASE NEW: whether NEW is worse.
#pragma once

#include "common/output.h"
#include "common/tool_error.h"
#include "mxp-perf/options.h"
#include "mxp-perf/outputs/result_sinks.h"

namespace mxp::perf {

tools::Result<void> run_compare(const Options& options, tools::Output& output, ResultSinks& sinks);

}  // namespace mxp::perf
