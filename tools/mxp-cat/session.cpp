#include "mxp-cat/session.h"

#include <algorithm>
#include <chrono>

namespace mxp::tools {
namespace {

using namespace std::chrono_literals;

// A goodbye that is not even acknowledged: the peer is gone, and we have nothing to ask of it.
constexpr Duration kGoodbyeLimit = 3s;

}  // namespace

Session::~Session() { cancel_close(); }

void Session::stream_opened(StreamId id) {
  if (id.type() == StreamType::unidirectional && expects_goodbye() && !peers_goodbye_) peers_goodbye_ = id;
  else on_stream_opened(id);
}

std::size_t Session::stream_data(StreamId id, ByteView data, bool fin) {
  if (id != peers_goodbye_) return on_stream_data(id, data, fin);
  if (!data.empty()) {
    peers_goodbye_.reset();
    refuse_stream(id, AppCode::unexpected_stream);
  } else if (fin) {
    on_goodbye();
  }
  return data.size();
}

void Session::stream_finished(StreamId id) {
  if (id != our_goodbye_) return on_stream_finished(id);
  // The peer has it. If it is one that does not know what it means, it will not close: then we do.
  close_after(std::min<Duration>(6 * connection_.stats().smoothed_rtt + 50ms, kGoodbyeLimit));
}

Result<void> Session::closed(const CloseInfo& info) {
  cancel_close();
  return on_closed(info);
}

void Session::say_goodbye(Result<void> outcome) {
  if (outcome_) return;
  outcome_ = std::move(outcome);
  const auto id = connection_.open_stream(StreamType::unidirectional);
  if (!id || !connection_.finish(*id)) return connection_.close(wire(AppCode::done), "done");
  our_goodbye_ = *id;
  close_after(kGoodbyeLimit);
}

void Session::close_after(Duration wait) {
  cancel_close();
  close_timer_ = environment_.loop.at(environment_.loop.now() + wait, [this] {
    close_timer_.reset();
    connection_.close(wire(AppCode::done), "done");
  });
}

void Session::cancel_close() {
  if (close_timer_) environment_.loop.cancel(*close_timer_);
  close_timer_.reset();
}

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

void Session::warn(const std::string& text) {
  if (const auto shown = environment_.messages.admit(peer_, text, environment_.loop.now()))
    environment_.output.warning(*shown);
}

bool Session::says_done(const CloseInfo& info) {
  return info.by == CloseInfo::By::peer && info.application && info.code == wire(AppCode::done);
}

ToolError Session::describe(const CloseInfo& info) const {
  return describe_close(info, {.peer = peer_,
                               .handshake_timeout = environment_.options.timeout.value_or(Duration::zero()),
                               .idle_timeout = environment_.options.idle_timeout,
                               .silence = environment_.loop.now() - connection_.stats().last_received});
}

Result<void> Session::on_closed(const CloseInfo& info) {
  if (outcome_) return *outcome_;
  return std::unexpected(describe(info));
}

}  // namespace mxp::tools
