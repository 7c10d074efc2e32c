// What a client says of a test that came to no end.
#pragma once

#include "common/tool_error.h"
#include "mxp/address.h"
#include "mxp/error.h"
#include "mxp/time.h"

namespace mxp::perf {

// The connection ended by itself.
tools::ToolError describe(const CloseInfo& info, const SocketAddress& server);

// The handshake succeeded, and the request for a test had no answer: who listens there, as far as can be told.
enum class RequestFate : std::uint8_t { arrived, unknown };
tools::ToolError no_answer_to_request(const SocketAddress& server, RequestFate fate, Duration after);

}  // namespace mxp::perf
