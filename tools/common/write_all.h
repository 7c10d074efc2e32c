// Results on a descriptor: whole, or an error that says where they could not go.
#pragma once

#include <string_view>

#include "common/tool_error.h"

namespace mxp::tools {

// `name` is what the user calls the descriptor: "stdout", or a path as it was typed. Waits where the descriptor does
// not block by itself (a terminal or pipe that another program has set so).
Result<void> write_all(int fd, std::string_view bytes, std::string_view name);

// The same without the sentence: 0, or the errno of the write that failed.
int write_all_or_errno(int fd, std::string_view bytes);

// The error of a write that failed, for those who cannot wait: "cannot write to NAME: …". `system_error` is EPIPE if
// its reader is gone.
ToolError write_error(std::string_view name, int errno_value);

}  // namespace mxp::tools
