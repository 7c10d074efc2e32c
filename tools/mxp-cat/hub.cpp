#include "mxp-cat/hub.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "common/units.h"

namespace mxp::tools {
namespace {

using namespace std::chrono_literals;

// How long the loop goes on at most after our CLOSE, to say it again until the peer answers (docs/protocol.md §7). A peer
// that is gone never does, and nobody should wonder why the tool does not end.
Duration linger_for(const CloseInfo& info) {
  return info.by == CloseInfo::By::local && !info.before_established ? 2s : 0s;
}

// After an interruption nobody waits longer for a peer that does not answer.
constexpr Duration kInterruptLimit = 500ms;

}  // namespace

Hub::~Hub() = default;

void Hub::attach(std::unique_ptr<EventLoop> loop, SessionFactory factory, std::uint64_t message_trace_id) {
  loop_ = std::move(loop);
  factory_ = std::move(factory);
  environment_.emplace(SessionEnvironment{*loop_, options_, output_, reporter_, peer_messages_, message_trace_id,
                                          [this] { check_finishing(); }});
}

Result<void> Hub::dial(std::vector<SocketAddress> addresses, const PublicKey& key) {
  const bool several = addresses.size() > 1;
  dialer_.emplace(*loop_, std::move(addresses), key);
  // Each attempt has the whole --timeout for itself; all of them together have no more.
  if (several && options_.timeout) {
    loop_->at(loop_->now() + *options_.timeout, [this] {
      if (!had_connection_) give_up(describe_unanswered({.by = CloseInfo::By::timeout, .before_established = true}));
    });
  }
  return dialer_->start();
}

ToolError Hub::describe_unanswered(const CloseInfo& info) const {
  return describe_close(info, {.peer = dialer_->tried(),
                               .handshake_timeout = options_.timeout.value_or(kLongestSetting),
                               .idle_timeout = options_.idle_timeout});
}

void Hub::on_connected(Connection& connection) {
  if (dialer_ && !dialer_->on_connected(connection)) {
    connection.close(wire(AppCode::done), "another address answered first");
    return;
  }
  const bool may_serve = !interrupted_ && (options_.keep_open || !had_connection_);
  if (!may_serve) {
    output_.verbose(
        fmt::format("{} turned away: this listener serves one connection", connection.remote_address().to_string()));
    connection.close(wire(AppCode::busy), "this listener serves one connection, and has it");
    return;
  }
  had_connection_ = true;
  reporter_.connected(connection);
  std::unique_ptr<Session> session = factory_(*environment_, connection);
  Session* raw = session.get();
  sessions_.emplace(raw, std::move(session));
  connection.set_context(raw);
  raw->on_connected();
}

void Hub::on_stream_opened(Connection& connection, StreamId id) {
  if (Session* session = session_of(connection)) session->stream_opened(id);
}

std::size_t Hub::on_stream_data(Connection& connection, StreamId id, ByteView data, bool fin) {
  Session* session = session_of(connection);
  return session != nullptr ? session->stream_data(id, data, fin) : data.size();
}

void Hub::on_stream_reset(Connection& connection, StreamId id, AppErrorCode code) {
  if (Session* session = session_of(connection)) session->on_stream_reset(id, code);
}

void Hub::on_stop_sending(Connection& connection, StreamId id, AppErrorCode code) {
  if (Session* session = session_of(connection)) session->on_stop_sending(id, code);
}

void Hub::on_stream_writable(Connection& connection, StreamId id) {
  if (Session* session = session_of(connection)) session->on_stream_writable(id);
}

void Hub::on_stream_finished(Connection& connection, StreamId id) {
  reporter_.stream_sent(connection, id);
  if (Session* session = session_of(connection)) session->stream_finished(id);
}

void Hub::on_streams_available(Connection& connection, StreamType) {
  if (Session* session = session_of(connection)) session->on_streams_available();
}

void Hub::on_datagram(Connection& connection, ByteView data) {
  if (Session* session = session_of(connection)) session->on_datagram(data);
}

void Hub::on_datagram_outcome(Connection& connection, std::uint64_t, DatagramOutcome outcome) {
  if (Session* session = session_of(connection)) session->on_datagram_outcome(outcome);
}

void Hub::on_datagrams_writable(Connection& connection) {
  if (Session* session = session_of(connection)) session->on_datagrams_writable();
}

bool Hub::on_message(Connection& connection, const Message& message) {
  Session* session = session_of(connection);
  return session == nullptr || session->on_message(message);
}

void Hub::on_message_outcome(Connection& connection, MessageTicket, MessageOutcome outcome) {
  if (Session* session = session_of(connection)) session->on_message_outcome(outcome);
}

void Hub::on_messages_writable(Connection& connection, MessageClass) {
  if (Session* session = session_of(connection)) session->on_messages_writable();
}

void Hub::on_closed(Connection& connection, const CloseInfo& info) {
  Session* raw = session_of(connection);
  if (raw == nullptr) {
    // Never established, or turned away. For a client that is its result; a listener goes on waiting.
    if (connection.role() == Role::server) return;
    if (dialer_->on_failed(connection)) return;
    reporter_.closed(connection, info);
    finish_session(std::unexpected(describe_unanswered(info)), dialer_->tried(), 0ms);
    return;
  }
  connection.set_context(raw);  // on_closed may still read from the connection
  Result<void> result = raw->closed(info);
  connection.set_context(nullptr);
  output_.end_progress();
  reporter_.closed(connection, info);
  const auto found = sessions_.find(raw);
  std::unique_ptr<Session> session = std::move(found->second);
  sessions_.erase(found);
  const Duration linger = linger_for(info);
  if (session->draining() && !interrupted_) {
    finishing_.push_back({std::move(session), std::move(result), linger});
    return;
  }
  const std::string peer = session->peer();
  session.reset();  // gives stdin and stdout to the next
  finish_session(std::move(result), peer, linger);
}

void Hub::check_finishing() {
  // From inside a callback of the session itself: it is let go of in a later turn.
  loop_->at(loop_->now(), [this] {
    for (auto at = finishing_.begin(); at != finishing_.end();) {
      if (at->session->draining()) {
        ++at;
        continue;
      }
      Finishing done = std::move(*at);
      at = finishing_.erase(at);
      Result<void> result = done.session->after_drain(std::move(done.result));
      const std::string peer = done.session->peer();
      done.session.reset();
      finish_session(std::move(result), peer, done.linger);
    }
  });
}

void Hub::finish_session(Result<void> result, const std::string& peer, Duration linger) {
  if (options_.keep_open && !interrupted_) {
    if (!result) {
      // Most messages name the peer; a listener's log needs it in all of them, once.
      const std::string& message = result.error().message;
      const bool named = message.find(peer) != std::string::npos;
      const auto shown =
          peer_messages_.admit(peer, named ? message : fmt::format("{}: {}", peer, message), loop_->now());
      if (shown) output_.warning(*shown);
    }
    return;
  }
  if (!result_) result_ = std::move(result);
  if (!sessions_.empty() || !finishing_.empty()) return;
  stop_after(interrupted_ ? std::min<Duration>(linger, kInterruptLimit) : linger);
}

void Hub::note_about(const std::string& peer, const std::string& text) {
  if (const auto shown = peer_messages_.admit(peer, text, loop_->now())) output_.note(*shown);
}

void Hub::stop_after(Duration linger) {
  EventLoop& loop = *loop_;
  if (linger <= 0ms) return loop.stop();
  loop.stop_when_closed(linger);
}

void Hub::interrupt() {
  if (interrupted_) return;
  if (dialer_) dialer_->stop();
  interrupted_ = true;
  if (!result_) result_ = fail(ErrorKind::interrupted, "interrupted");
  EventLoop& loop = *loop_;
  loop.endpoint().close_all(wire(AppCode::interrupted), "interrupted");
  if (loop.endpoint().connection_count() == 0) return loop.stop();
  // on_closed of the last session ends the run; this is for what has no session.
  stop_after(sessions_.empty() ? Duration(50ms) : kInterruptLimit);
}

void Hub::give_up(ToolError error) {
  if (dialer_) dialer_->stop();
  if (!result_) result_ = std::unexpected(std::move(error));
  loop_->endpoint().close_all(wire(AppCode::failed), "given up");
  stop_after(50ms);
}

Progress Hub::progress() const {
  Progress sum;
  for (const auto& [raw, session] : sessions_) {
    const Progress one = session->progress();
    sum.done += one.done;
    sum.total += one.total;
  }
  return sum;
}

}  // namespace mxp::tools
