// How two peers become a connection:
//
//   1. install_keys: both traffic secrets are known. Packets can be sealed and opened, and the key log gets its first
//      lines.
//   2. apply_peer_parameters: the peer has told its limits on datagrams, silence, delays of acknowledgements and
//      streams.
//   3. confirm: the peer has shown that it holds the keys, to a client by a message 2 that verifies, to a server by the
//      first packet that opens. The application hears of the connection.
#include <algorithm>

#include "connection/flows.h"

namespace mxp {

void install_keys(Parts& parts, Timestamp now, const IkResult& noise) {
  const bool client = parts.role == Role::client;
  const TrafficSecret& ours = client ? noise.client_to_server : noise.server_to_client;
  const TrafficSecret& theirs = client ? noise.server_to_client : noise.client_to_server;
  parts.keys.emplace(PacketKeysInUse{PacketSealer(parts.suite, ours), PacketOpener(parts.suite, theirs)});
  parts.handshake_hash = noise.handshake_hash;
  trace_secrets(parts, now, ours, theirs, 0);
}

void apply_peer_parameters(Parts& parts, Timestamp now, const TransportParameters& parameters) {
  const TransportConfig& config = parts.environment.config.transport;
  const std::uint64_t datagram_size = std::min<std::uint64_t>(
      {std::max(config.max_udp_payload, kMinInitialSize), parameters.max_udp_payload, kMaxUdpPayload});
  parts.path->control.set_datagram_size(now, static_cast<std::size_t>(datagram_size));
  parts.recovery.set_peer_max_ack_delay(parameters.max_ack_delay);
  parts.idle.set_timeout(config.idle_timeout, parameters.max_idle_timeout);
  parts.streams.on_peer_parameters(parameters);
}

void confirm(Parts& parts, Timestamp now) {
  parts.lifecycle.state = ConnectionState::established;
  parts.confirm_by = kNever;
  parts.recovery.set_handshake_confirmed();
  parts.stats.handshake_time = now - parts.started_at;
  parts.trace(now, TraceEstablished{parts.stats.handshake_time});
  parts.environment.handler.on_connected(parts.self);
}

}  // namespace mxp
