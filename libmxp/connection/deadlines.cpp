// The next timeout of a connection is the minimum over its parts; there is no table of timers. Each part keeps its own
// deadline and is asked again when that deadline has come.
#include <algorithm>

#include "connection/datagram_frames.h"
#include "connection/flows.h"
#include "connection/migration.h"

namespace mxp {

namespace {

// Probe timeouts in a row after which the size of datagrams falls back. The packets of one timeout are small, and their
// acknowledgement tells a black hole from a silent peer before that.
constexpr unsigned kTimeoutsOfBlackHole = 3;

// Thousands of connections may lie idle at a server for hours, so each keeps only the memory that it needs to go on.
void rest(Parts& parts) {
  parts.idle.on_rested();
  parts.streams.shrink();
  if (parts.datagrams) parts.datagrams->queue.shrink();
  parts.messages.shrink();
  parts.environment.payload_tools.shrink();
  parts.tail.reset();
  parts.sent_frames.shrink();
  parts.recovery.shrink();
  parts.acks.shrink();
}

}  // namespace

Timestamp next_deadline(const Parts& parts) {
  const Lifecycle& life = parts.lifecycle;
  if (life.state == ConnectionState::closed) return kNever;
  if (life.discard_at != kNever)
    return life.state == ConnectionState::closing ? std::min(life.discard_at, life.repeat_at) : life.discard_at;
  // Its first CLOSE waits for the carrier, and for no other time: a deadline that is past would be past for ever (threat
  // t39).
  if (life.ending) return life.gives_up_at;
  Timestamp next = std::min(parts.confirm_by, parts.held_until);
  if (parts.attempts) next = std::min({next, parts.attempts->deadline(), parts.attempts->gives_up_at()});
  // A server's half-open connection has no other deadline than confirm_by: it must live as long as the cached message 2
  // that leads a client to it.
  if (life.state == ConnectionState::established) {
    next = std::min(next, parts.idle.deadline(parts.recovery.probe_timeout()));
    // What waits for bytes from the client has no deadline: no passing of time would let it go (threat t39).
    if (!held_by_address(parts)) next = std::min(next, parts.recovery.deadline());
    next = std::min({next, parts.messages.deadline(), parts.message_opener.deadline(), parts.calls.deadline()});
    if (acknowledges_on(*parts.path) && !held_by_address(parts)) next = std::min(next, parts.acks.deadline());
    next = std::min({next, path_deadline(parts), parts.drain.deadline()});
    if (parts.datagrams) next = std::min(next, parts.datagrams->queue.deadline());
    if (parts.tail) next = std::min(next, parts.tail->deadline());
    next = std::min({next, parts.key_update.old_keys_until(), parts.idle.rest_deadline()});
    // A PING that is already due waits for room in the window, not for a time (threat t39).
    if (!parts.ping_due) next = std::min(next, parts.idle.keepalive_deadline());
  }
  return next;
}

void on_deadline(Parts& parts, Timestamp now) {
  Lifecycle& life = parts.lifecycle;
  if ((life.discard_at != kNever ? life.discard_at : life.gives_up_at) <= now) {
    life.state = ConnectionState::closed;
    life.close_frame_due = false;  // the socket took none in all that time
    return;
  }
  if (life.repeat_at <= now && life.state == ConnectionState::closing) life.repeat_close();
  if (life.ending) return;
  if (parts.attempts && parts.attempts->gives_up_at() <= now) {
    if (const auto& reason = parts.attempts->server_was_full()) {
      on_peer_close(parts, now, false, static_cast<std::uint64_t>(TransportErrorCode::connection_refused), 0, *reason);
      parts.attempts.reset();  // a late message 2 begins nothing any more
      return;
    }
    return end_silently(parts, now, CloseInfo::By::timeout, TransportErrorCode::handshake_timeout,
                        "no answer to the handshake");
  }
  if (parts.confirm_by <= now)
    return end_silently(parts, now, CloseInfo::By::timeout, TransportErrorCode::handshake_timeout,
                        "the client never confirmed");
  if (life.state == ConnectionState::established) {
    if (parts.drain.deadline() <= now)
      return close_by_error(parts, {TransportErrorCode::drain_deadline, 0, "the deadline of the drain has passed"});
    if (parts.idle.deadline(parts.recovery.probe_timeout()) <= now) {
      if (parts.drain.awaits_close()) return end_drained(parts, now);
      return end_silently(parts, now, CloseInfo::By::timeout, TransportErrorCode::idle_timeout,
                          "the peer has been silent");
    }
    if (parts.recovery.deadline() <= now) {
      settle(parts, now, parts.recovery.on_deadline(now));
      if (parts.recovery.probes_due() > 0) repeat_oldest_data(parts);
      // The path may carry less than it did, and everything that is large vanishes (threat t45).
      if (parts.recovery.pto_count() == kTimeoutsOfBlackHole) parts.path->sizes.on_persistent_timeout();
    }
    repair_tail(parts, now);
    if (parts.idle.keepalive_deadline() <= now) parts.ping_due = true;
    on_path_deadline(parts, now);
    parts.tell_time(now);
    parts.messages.deliver_resumed();  // those that had to wait to be opened
    tell_outbox(parts, now);
    if (parts.datagrams) parts.datagrams->queue.expire(now);
    tell_datagram_outcomes(parts, now);
    if (parts.key_update.old_keys_until() <= now) {
      parts.keys->opener.forget_previous_keys();
      parts.key_update.on_old_keys_gone();
    }
    if (parts.idle.rest_deadline() <= now) rest(parts);
  }
  if (parts.held_until <= now) parts.held_until = kNever;
  parts.collect_streams(now);
}

}  // namespace mxp
