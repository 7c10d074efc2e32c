// How both directions turn to new keys (docs/protocol.md §3.1):
//
//   we begin:         the sending direction turns, just before a packet that the peer will acknowledge. The receiving
//                     direction follows with the peer's first packet of the new phase.
//   the peer begins:  a packet opens under the next key, and the opener has turned already. If that is not too early,
//                     our sending direction turns as well, before anything else is sent.
//
// The key log is told of each new phase once, when the first of the two directions reaches it.
#include "connection/flows.h"
#include "reliability/probe_timer.h"

namespace mxp {

namespace {

// The peer judges how fast updates follow each other by the max_ack_delay that it has announced, whatever ACK_FREQUENCY
// has asked of it since (docs/protocol.md §3.1).
Duration timeout_of_updates(const Parts& parts) {
  return ProbeTimer::period(parts.path->control.rtt(), parts.ack_frequency.announced_max_ack_delay());
}

void turn_sending(Parts& parts, Timestamp now, TraceKeyUpdated::Begun begun) {
  PacketSealer& sealer = parts.keys->sealer;
  sealer.update();
  ++parts.stats.key_updates;
  parts.key_update.on_sending_turned(now, parts.numbers.next());
  parts.trace(now, TraceKeyUpdated{TraceKeyUpdated::KeySide::sending, sealer.phase(), begun});
}

}  // namespace

void trace_secrets(const Parts& parts, Timestamp now, const TrafficSecret& sending, const TrafficSecret& receiving,
                   std::uint32_t phase) {
  const bool client = parts.role == Role::client;
  parts.trace(now, TraceSecrets{parts.client_id, parts.server_id, phase, (client ? sending : receiving).view(),
                                (client ? receiving : sending).view()});
}

void send_ping_if_key_is_worn(Parts& parts, Timestamp now) {
  if (parts.key_update.needs_ping(now, parts.keys->sealer.packets_sealed(), timeout_of_updates(parts),
                                  parts.path->control.bytes_in_flight()))
    parts.ping_due = true;
}

void begin_key_update_if_due(Parts& parts, Timestamp now) {
  const PacketSealer& sealer = parts.keys->sealer;
  if (!parts.key_update.due(now, sealer.packets_sealed(), timeout_of_updates(parts))) return;
  turn_sending(parts, now, TraceKeyUpdated::Begun::by_us);
  trace_secrets(parts, now, sealer.secret(), parts.keys->opener.next_secret(), sealer.phase());
}

std::expected<void, TransportError> on_packet_phase(Parts& parts, Timestamp now, const OpenedPacket& packet) {
  // RFC 9001 §6.4: packet numbers grow from phase to phase.
  if (packet.precedes_phase)
    return std::unexpected(TransportError{TransportErrorCode::key_update_error, 0,
                                          "a packet of the new key phase has an older number than one of the last"});
  if (!packet.turned_phase) return {};
  const PacketSealer& sealer = parts.keys->sealer;
  const bool by_peer = sealer.phase() < packet.phase;
  if (by_peer) {
    if (auto allowed = parts.key_update.on_peer_began(now, parts.numbers.next()); !allowed) return allowed;
  }
  parts.key_update.on_receiving_turned(now, timeout_of_updates(parts));
  parts.trace(now, TraceKeyUpdated{TraceKeyUpdated::KeySide::receiving, packet.phase,
                                   by_peer ? TraceKeyUpdated::Begun::by_peer : TraceKeyUpdated::Begun::by_us});
  if (!by_peer) return {};
  turn_sending(parts, now, TraceKeyUpdated::Begun::by_peer);
  trace_secrets(parts, now, sealer.secret(), parts.keys->opener.secret(), packet.phase);
  return {};
}

}  // namespace mxp
