// How two peers become a connection:
//
//   1. open_client, open_server: a connection begins, on one side by connecting, on the other with the client that was
//      let in.
//   2. install_keys: both traffic secrets are known. Packets can be sealed and opened, and the key log gets its first
//      lines.
//   3. apply_peer_parameters: the peer has told its limits on datagrams, silence, delays of acknowledgements and
//      streams.
//   4. confirm: the peer has shown that it holds the keys, to a client by a message 2 that verifies, to a server by the
//      first packet that opens. The application hears of the connection.
#include <algorithm>

#include "connection/access.h"
#include "connection/flows.h"
#include "connection/handshake_payload.h"

namespace mxp {

namespace {

std::unique_ptr<Connection> create(const ConnectionEnvironment& environment, ReadySignal& ready, Timestamp now,
                                   ConnectionId id, const TraceStarted& started) {
  auto connection = ConnectionAccess::create(started.role, environment, ready, now);
  Parts& parts = ConnectionAccess::parts(*connection);
  parts.local_id = id;
  parts.trace(now, started);
  parts.trace(now, TraceBlocked{parts.held.reason()});
  return connection;
}

TraceParameters trace_of(TraceParameters::Side side, Suite suite, const TransportParameters& from) {
  return {.side = side,
          .suite = suite,
          .max_idle_timeout = from.max_idle_timeout,
          .max_ack_delay = from.max_ack_delay,
          .max_udp_payload = from.max_udp_payload,
          .initial_max_data = from.initial_max_data,
          .initial_max_stream_data_bidi_local = from.initial_max_stream_data_bidi_local,
          .initial_max_stream_data_bidi_remote = from.initial_max_stream_data_bidi_remote,
          .initial_max_stream_data_uni = from.initial_max_stream_data_uni,
          .initial_max_streams_bidi = from.initial_max_streams_bidi,
          .initial_max_streams_uni = from.initial_max_streams_uni,
          .active_connection_id_limit = from.active_connection_id_limit,
          .max_datagram_payload = from.max_datagram_payload,
          .initial_max_messages = from.initial_max_messages};
}

}  // namespace

std::unique_ptr<Connection> open_client(const ConnectionEnvironment& environment, ReadySignal& ready, Timestamp now,
                                        const SocketAddress& remote, const PublicKey& server_key, ConnectionId id) {
  auto attempts = ClientAttempts::start(now, environment.config, server_key, id, environment.random);
  if (!attempts) return nullptr;
  auto connection = create(environment, ready, now, id, {Role::client, remote, SocketAddress(), server_key});
  Parts& parts = ConnectionAccess::parts(*connection);
  parts.path->remote = remote;
  parts.client_id = id;
  parts.peer_key = server_key;
  parts.suite = environment.config.suites.front();
  parts.attempts = std::make_unique<ClientAttempts>(std::move(*attempts));
  return connection;
}

std::unique_ptr<Connection> open_server(const ConnectionEnvironment& environment, ReadySignal& ready, Timestamp now,
                                        const AdmittedClient& client, const InitialExchange& exchange) {
  auto connection = create(environment, ready, now, client.server_id,
                           {Role::server, exchange.remote, exchange.local, client.client_key});
  Parts& parts = ConnectionAccess::parts(*connection);
  parts.path->remote = exchange.remote;
  parts.path->local = exchange.local;
  parts.path->remote_id = parts.client_id = client.client_id;
  parts.server_id = client.server_id;
  parts.peer_key = client.client_key;
  parts.suite = client.suite;
  parts.path->amplification.on_received(exchange.received_bytes);
  parts.path->amplification.on_sent(exchange.answer_bytes);
  parts.confirm_by = now + environment.config.transport.handshake_timeout;
  parts.stats.handshake_packets_sent = 1;
  apply_peer_parameters(parts, now, client.parameters);
  install_keys(parts, now, client.noise);
  return connection;
}

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
  if (parts.environment.trace != nullptr) {
    const auto ours = local_parameters(config, parts.environment.config.suites, std::nullopt);
    parts.trace(now, trace_of(TraceParameters::Side::ours, parts.suite, ours));
    parts.trace(now, trace_of(TraceParameters::Side::peer, parts.suite, parameters));
  }
  const auto most =
      static_cast<std::size_t>(std::min<std::uint64_t>(config.max_udp_payload, parameters.max_udp_payload));
  parts.path->sizes = DatagramSizeSearch(parts.path->remote.family, most);
  parts.recovery.set_peer_max_ack_delay(parameters.max_ack_delay);
  parts.ack_frequency.on_peer_parameters(parameters.min_ack_delay, parameters.max_ack_delay);
  // Times are told where both sides want them: they cost both of them work.
  const std::uint64_t times =
      std::min<std::uint64_t>(config.recovery.receive_times_per_ack, parameters.max_receive_timestamps_per_ack);
  if (times > 0) parts.acks.report_receive_times(static_cast<std::size_t>(times), parts.started_at);
  if (config.migration && parameters.active_connection_id_limit >= 2) {
    parts.ids = std::make_unique<ConnectionIds>(parts.role == Role::client ? parts.client_id : parts.server_id,
                                                parts.path->remote_id);
    parts.ids->local.set_peer_limit(parameters.active_connection_id_limit);
  }
  parts.idle.set_timeout(config.idle_timeout, parameters.max_idle_timeout);
  parts.credit.raise(parameters.initial_max_data);
  if (parameters.max_datagram_payload > 0) {
    parts.datagrams = std::make_unique<SentDatagrams>(config.datagrams, parts.events);
    parts.datagrams->queue.on_peer_limit(static_cast<std::size_t>(parameters.max_datagram_payload));
    parts.outbox.add(parts.datagrams->queue);
  }
  parts.messages.on_peer_parameters(parameters);
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
