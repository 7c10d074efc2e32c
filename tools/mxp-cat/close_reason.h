// From the end of a connection to an exit code and a sentence with the way out.
#pragma once

#include <string>

#include "common/tool_error.h"
#include "mxp/error.h"
#include "mxp/time.h"

namespace mxp::tools {

struct CloseContext {
  std::string peer;              // "127.0.0.1:9000"
  Duration handshake_timeout{};  // client; 0 = no limit
  Duration idle_timeout{};
  Duration silence{};  // since the last packet of the peer's; for an end by the idle timeout
};

// REQUIRES: the connection did not end in success, which is a close with code 0 after everything was complete.
ToolError describe_close(const CloseInfo& info, const CloseContext& context);

}  // namespace mxp::tools
