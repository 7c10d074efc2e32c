// Files that the tool writes: never over an existing one unless the user says so.
#pragma once

#include <string>

#include "common/tool_error.h"
#include "udp/unique_fd.h"

namespace mxp::tools {

// A regular file that exists is a usage error without `force`; devices and pipes are written to as they are.
Result<UniqueFd> open_output_file(const std::string& path, bool force);

}  // namespace mxp::tools
