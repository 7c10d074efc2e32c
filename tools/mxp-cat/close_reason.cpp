#include "mxp-cat/close_reason.h"

#include <fmt/format.h>

#include "common/units.h"
#include "mxp-cat/app_codes.h"

namespace mxp::tools {
namespace {

std::string quoted(const std::string& reason) { return reason.empty() ? "" : fmt::format(" (\"{}\")", reason); }

// The smaller of both sides' timeouts applies (docs/protocol.md §7), and the peer's is not known here: only our own may
// be given as a number.
std::string idle_timeout_words(Duration ours) {
  if (ours == Duration::zero()) return "the peer's";
  return fmt::format("ours is {}; the peer's counts if it is shorter", format_duration(ours));
}

// A limit that was not set has no length to tell.
std::string within(Duration limit) {
  return limit == Duration::zero() ? "" : fmt::format(" within {}", format_duration(limit));
}

ToolError closed_by_peer(const CloseInfo& info, const CloseContext& context) {
  if (info.application) {
    if (info.code == wire(AppCode::done)) {
      return {ErrorKind::network, fmt::format("{} closed the connection before the end of the stream{}", context.peer,
                                              quoted(info.reason))};
    }
    return {ErrorKind::peer, fmt::format("{} closed the connection: {}{}", context.peer, describe_app_code(info.code),
                                         quoted(info.reason))};
  }
  switch (info.transport_code()) {
    case TransportErrorCode::not_authorized:
      return {ErrorKind::auth, fmt::format("{} refused our key: {}{}; ask for it to be added to its --authorized-keys",
                                           context.peer, to_string(info.transport_code()), quoted(info.reason))};
    case TransportErrorCode::connection_refused:
      return {ErrorKind::network,
              fmt::format("{} takes no more connections{}; try again later", context.peer, quoted(info.reason))};
    case TransportErrorCode::downgrade:
      return {ErrorKind::auth,
              fmt::format("{} saw a downgrade of the handshake{}: something on the path may have changed it",
                          context.peer, quoted(info.reason))};
    default:
      return {ErrorKind::network, fmt::format("{} ended the connection: {}{}", context.peer,
                                              to_string(info.transport_code()), quoted(info.reason))};
  }
}

}  // namespace

ToolError describe_close(const CloseInfo& info, const CloseContext& context) {
  switch (info.by) {
    case CloseInfo::By::peer: return closed_by_peer(info, context);
    case CloseInfo::By::network:
      return {
          ErrorKind::network,
          fmt::format("{}: port unreachable: nothing is listening there; is `mxp-cat listen` running, on this port?",
                      context.peer)};
    case CloseInfo::By::timeout:
      if (info.before_established) {
        return {ErrorKind::timeout,
                fmt::format("no answer from {}{}: nothing listens there, UDP is blocked on the way, the key in "
                            "the URL is not the server's, or there is no cipher suite in common (a server does not "
                            "answer those who do not know its key, nor in a suite that it does not have)",
                            context.peer, within(context.handshake_timeout))};
      }
      return {
          ErrorKind::network,
          fmt::format("connection to {} lost: silence for {}, past the idle timeout ({}); the peer is gone or the path "
                      "is broken",
                      context.peer, format_duration(context.silence), idle_timeout_words(context.idle_timeout))};
    case CloseInfo::By::local: break;
  }
  if (info.application) return {ErrorKind::interrupted, "interrupted"};
  const ErrorKind kind = info.transport_code() == TransportErrorCode::downgrade ? ErrorKind::auth : ErrorKind::network;
  return {kind, fmt::format("{} broke the protocol: {}{}", context.peer, to_string(info.transport_code()),
                            quoted(info.reason))};
}

}  // namespace mxp::tools
