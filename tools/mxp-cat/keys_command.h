// `mxp-cat keygen` and `mxp-cat pubkey`: key files and nothing else.
#pragma once

#include "common/tool_error.h"
#include "mxp-cat/options.h"

namespace mxp::tools {

Result<void> run_keygen(const Options& options, Output& output);
Result<void> run_pubkey(const Options& options);

}  // namespace mxp::tools
