// `mxp-cat listen [ADDR:]PORT`.
#pragma once

#include "common/json_output.h"
#include "common/output.h"
#include "common/tool_error.h"
#include "mxp-cat/options.h"

namespace mxp::tools {

Result<void> run_listen(const Options& options, Output& output, JsonOutput& json);

}  // namespace mxp::tools
