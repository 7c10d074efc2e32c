#include "connection/lifecycle.h"

#include <algorithm>

#include "connection/parts.h"
#include "mxp/text.h"

namespace mxp {

namespace {

bool has_ended(const Parts& parts) { return parts.lifecycle.ending.has_value(); }

// RFC 9000 §10.2: three probe timeouts, long enough for packets on the way to arrive.
constexpr int kDrainingProbeTimeouts = 3;
// Our choice: CLOSE goes after 0, 1, 3, and 7 probe timeouts, until the peer's CLOSE says that one arrived. Where that
// never comes, the last one has a probe timeout to be answered.
constexpr int kClosingProbeTimeouts = 8;
// Our choice: a probe timeout grows with the delay that the peer announces and with how slowly it answers, and the peer
// must not be able to hold the place of a connection that is over (threat t56).
constexpr Duration kLongestDiscard = std::chrono::seconds(10);

// Our choice: longer than a slow link needs for what a socket holds, so that CLOSE still goes out after that; and the
// application hears of the end where the socket takes nothing any more.
constexpr Duration kLongestWaitForSocket = std::chrono::seconds(10);

void begin_end(Parts& parts, ConnectionState state, CloseInfo info) {
  info.before_established = parts.lifecycle.state == ConnectionState::handshaking;
  parts.lifecycle.ending = std::move(info);
  parts.lifecycle.state = state;
}

void make_close_due(Parts& parts) { parts.lifecycle.close_frame_due = parts.keys.has_value(); }

Duration period(const Parts& parts, int probe_timeouts) {
  return std::min<Duration>(probe_timeouts * parts.recovery.probe_timeout(), kLongestDiscard);
}

}  // namespace

std::string escape_reason(ByteView text) {
  constexpr std::size_t kMaxLength = 256;
  return escape_text({reinterpret_cast<const char*>(text.data()), text.size()}, EscapeForm::plain, kMaxLength);
}

void close_by_application(Parts& parts, AppErrorCode code, std::string_view reason) {
  parts.events.mute();
  if (has_ended(parts)) return;
  CloseInfo info;
  info.by = CloseInfo::By::local;
  info.application = true;
  info.code = code;
  info.reason = std::string(reason.substr(0, kMaxCloseReason));
  begin_end(parts, ConnectionState::closing, std::move(info));
  make_close_due(parts);
}

void close_by_error(Parts& parts, const TransportError& error) {
  if (has_ended(parts)) return;
  CloseInfo info;
  info.by = CloseInfo::By::local;
  info.code = static_cast<std::uint64_t>(error.code);
  info.frame_type = error.frame_type;
  info.reason = std::string(error.reason);
  begin_end(parts, ConnectionState::closing, std::move(info));
  make_close_due(parts);
}

void on_peer_close(Parts& parts, Timestamp now, bool application, std::uint64_t code, std::uint64_t frame_type,
                   ByteView reason) {
  Lifecycle& life = parts.lifecycle;
  if (life.state == ConnectionState::closing) {
    // Both sides have closed. What remains to be said is our own CLOSE, if it has not gone out yet: it may have had a
    // turn already, in which its path allowed none. One that answers a CLOSE is not answered (threat t55).
    if (!life.close_was_sent) {
      make_close_due(parts);
      return stop_listening(parts, now);
    }
    life.state = ConnectionState::draining;
    life.close_frame_due = false;
    life.discard_at = now;
    return;
  }
  if (has_ended(parts)) return;
  CloseInfo info;
  info.by = CloseInfo::By::peer;
  info.application = application;
  info.code = code;
  info.frame_type = frame_type;
  info.reason = escape_reason(reason);
  begin_end(parts, ConnectionState::draining, std::move(info));
  // One CLOSE in reply lets the peer forget the connection (RFC 9000 §10.2.2).
  make_close_due(parts);
  arm_discard(parts, now);
}

void end_silently(Parts& parts, Timestamp now, CloseInfo::By by, TransportErrorCode code, std::string_view reason) {
  if (has_ended(parts)) return;
  CloseInfo info;
  info.by = by;
  info.code = static_cast<std::uint64_t>(code);
  info.reason = std::string(reason);
  // A client that gives up before message 2 has come answers a late one with a CLOSE, so that the server need not keep
  // the connection for it.
  const bool may_hear_late_answer = parts.attempts != nullptr;
  begin_end(parts, may_hear_late_answer ? ConnectionState::closing : ConnectionState::draining, std::move(info));
  if (may_hear_late_answer) arm_discard(parts, now);
  else parts.lifecycle.discard_at = now;
}

void end_drained(Parts& parts, Timestamp now) {
  if (has_ended(parts)) return;
  CloseInfo info;
  info.by = CloseInfo::By::timeout;
  info.application = true;
  info.reason = std::string(kDrainedReason);
  begin_end(parts, ConnectionState::draining, std::move(info));
  parts.lifecycle.discard_at = now;
}

void stop_listening(Parts& parts, Timestamp now) {
  Lifecycle& life = parts.lifecycle;
  life.state = ConnectionState::draining;
  life.discard_at = std::min({life.discard_at, life.gives_up_at, now + period(parts, kDrainingProbeTimeouts)});
}

void arm_discard(Parts& parts, Timestamp now) {
  Lifecycle& life = parts.lifecycle;
  const bool closing = life.state == ConnectionState::closing;
  if ((!closing && life.state != ConnectionState::draining) || life.discard_at != kNever) return;
  const int probe_timeouts = closing && parts.keys ? kClosingProbeTimeouts : kDrainingProbeTimeouts;
  const Duration lasts = period(parts, probe_timeouts);
  life.discard_at = now + lasts;
  life.repeat_after = lasts / probe_timeouts;
}

void arm_giving_up(Parts& parts, Timestamp now) {
  Lifecycle& life = parts.lifecycle;
  if (life.discard_at == kNever && life.gives_up_at == kNever) life.gives_up_at = now + kLongestWaitForSocket;
}

void trace_closed(const Parts& parts, Timestamp now) {
  const CloseInfo& info = *parts.lifecycle.ending;
  parts.trace(now,
              TraceClosed{info.by, info.application, info.code, info.frame_type, info.before_established, info.reason});
}

bool report_ending(Parts& parts, Timestamp now) {
  if (!has_ended(parts) || parts.lifecycle.reported) return false;
  parts.lifecycle.reported = true;
  trace_closed(parts, now);
  const CloseInfo& info = *parts.lifecycle.ending;
  parts.message_opener.end();
  parts.calls.end();
  parts.messages.end();
  {
    // From inside on_closed the application can take, for the last time, what was received and not yet taken.
    const EventScope scope = parts.events.enter();
    parts.environment.handler.on_closed(parts.self, info);
  }
  // This must not come sooner, because from inside on_closed the application may still ask for bytes that it had not
  // taken.
  parts.streams.drop_all();
  if (parts.datagrams) parts.datagrams->queue.drop_all();
  return true;
}

}  // namespace mxp
