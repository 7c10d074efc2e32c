#include "mxp-cat/session.h"

namespace mxp::tools {

void Session::end(AppCode code, std::string_view reason, Result<void> outcome) {
  if (outcome_) return;
  outcome_ = std::move(outcome);
  connection_.close(wire(code), reason);
}

void Session::refuse_stream(StreamId id, AppCode code) {
  // Either may fail: a one-way stream has one direction only, and the peer may have ended in between.
  (void)connection_.stop_sending(id, wire(code));
  (void)connection_.reset(id, wire(code));
}

ToolError Session::describe(const CloseInfo& info) const {
  return describe_close(info, {.peer = peer_,
                               .handshake_timeout = environment_.options.timeout.value_or(Duration::zero()),
                               .idle_timeout = environment_.options.idle_timeout});
}

Result<void> Session::on_closed(const CloseInfo& info) {
  if (outcome_) return *outcome_;
  return std::unexpected(describe(info));
}

}  // namespace mxp::tools
