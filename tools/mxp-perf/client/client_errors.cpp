#include "mxp-perf/client/client_errors.h"

#include <fmt/format.h>

#include "common/escape.h"
#include "common/units.h"

namespace mxp::perf {

using tools::ErrorKind;
using tools::ToolError;

ToolError describe(const CloseInfo& info, const std::string& server) {
  const std::string reason = tools::escape(info.reason);
  if (info.by == CloseInfo::By::network)
    return {ErrorKind::network, fmt::format("{}: nobody listens there (port unreachable)", server)};
  if (info.before_established && info.by == CloseInfo::By::timeout)
    return {ErrorKind::timeout, fmt::format("{}: no answer to the handshake; is the server running, the key in the URL "
                                            "its own, a cipher suite in common, "
                                            "and UDP let through?",
                                            server)};
  if (!info.application && info.by == CloseInfo::By::peer &&
      info.transport_code() == TransportErrorCode::not_authorized)
    return {ErrorKind::auth, fmt::format("{}: the server refused this client's key: {}", server, reason)};
  if (info.by == CloseInfo::By::timeout)
    return {ErrorKind::network, fmt::format("{}: connection lost: {}", server, reason)};
  if (info.application) return {ErrorKind::peer, fmt::format("{}: the server ended the test: {}", server, reason)};
  return {ErrorKind::network, fmt::format("{}: {}: {}", server, to_string(info.transport_code()), reason)};
}

ToolError no_answer_to_request(const SocketAddress& address, RequestFate fate, Duration after) {
  const std::string server = address.to_string(), span = tools::format_duration(after);
  if (fate == RequestFate::arrived)
    return {ErrorKind::peer,
            fmt::format("{}: the peer took the request for a test and gave no answer in {}; is it `mxp-perf server`?",
                        server, span)};
  return {ErrorKind::network, fmt::format("{}: silence after the handshake, for {}", server, span)};
}

}  // namespace mxp::perf
