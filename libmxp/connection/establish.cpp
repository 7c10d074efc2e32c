// Two peers become a connection:
//
//   1. both traffic secrets are known: keys for sealing and opening, and the first lines of a key log
//   2. the peer's parameters are known: how large datagrams may be, how long silence, how much data on streams
//   3. the peer has shown that it holds the keys (a client: message 2 verified; a server: the first packet opened):
//      the application hears of the connection
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
  parts.max_datagram = static_cast<std::size_t>(std::min<std::uint64_t>(
      {std::max(config.max_udp_payload, kMinInitialSize), parameters.max_udp_payload, kMaxUdpPayload}));
  parts.recovery.set_datagram_size(now, parts.max_datagram);
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
