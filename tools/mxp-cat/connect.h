// `mxp-cat connect URL`, or just `mxp-cat URL`.
#pragma once

#include "common/json_output.h"
#include "common/output.h"
#include "common/tool_error.h"
#include "mxp-cat/options.h"

namespace mxp::tools {

Result<void> run_connect(const Options& options, Output& output, JsonOutput& json);

}  // namespace mxp::tools
