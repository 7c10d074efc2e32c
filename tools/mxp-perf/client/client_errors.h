// What a client says of a test that did not come to its end.
#pragma once

#include <string>

#include "common/tool_error.h"
#include "mxp/address.h"
#include "mxp/error.h"
#include "mxp/time.h"

namespace mxp::perf {

// For a connection that was not ended by this client. `server` is its address, or all those that were tried.
tools::ToolError describe(const CloseInfo& info, const std::string& server);

// The handshake succeeded, and the request for a test had no answer: who listens there, as far as can be told.
enum class RequestFate : std::uint8_t { arrived, unknown };
tools::ToolError no_answer_to_request(const SocketAddress& server, RequestFate fate, Duration after);

}  // namespace mxp::perf
