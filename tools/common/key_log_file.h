// The key log that MXPKEYLOGFILE names, as SSLKEYLOGFILE does for TLS.
#pragma once

#include <memory>

#include "common/output.h"
#include "common/tool_error.h"
#include "mxp/key_log_file.h"

namespace mxp::tools {

// Null if MXPKEYLOGFILE is unset or empty. Warns, loudly, if it is set, and once more if others can read
// a file that was there before. A symbolic link, and a file of another user (root excepted), is a usage error. `output`
// outlives the result.
Result<std::unique_ptr<KeyLogFile>> key_log_from_environment(Output& output);

}  // namespace mxp::tools
