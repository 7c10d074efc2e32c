#include "support/host.h"

#include <algorithm>

namespace mxp::test {

// ---- recorders

void Recorder::send(Connection& connection, StreamId id, ByteView all, Then then) {
  const std::size_t taken = connection.write(id, all).value_or(0);
  if (taken < all.size()) rests_[{&connection, id}] = {copy_of(all.subspan(taken)), then};
  else if (then == Then::finishes) static_cast<void>(connection.finish(id));
}

void Recorder::on_connected(Connection& connection) {
  ++events;
  connected.push_back(&connection);
  if (hook) hook("connected", connection, {});
}

void Recorder::on_stream_opened(Connection& connection, StreamId id) {
  ++events;
  opened.push_back(id);
  if (hook) hook("opened", connection, id);
}

std::size_t Recorder::on_stream_data(Connection& connection, StreamId id, ByteView view, bool fin) {
  ++events;
  if (hook) hook("data", connection, id);
  const std::size_t taken = take ? std::min(take(connection, id, view), view.size()) : view.size();
  bytes += taken;
  if (keep_data) data[id].insert(data[id].end(), view.begin(), view.begin() + static_cast<std::ptrdiff_t>(taken));
  if (fin && taken == view.size()) ended.push_back(id);
  return taken;
}

void Recorder::on_stream_reset(Connection& connection, StreamId id, AppErrorCode code) {
  ++events;
  resets.emplace_back(id, code);
  if (hook) hook("reset", connection, id);
}

void Recorder::on_stop_sending(Connection& connection, StreamId id, AppErrorCode code) {
  ++events;
  stops.emplace_back(id, code);
  if (hook) hook("stop", connection, id);
}

void Recorder::on_stream_writable(Connection& connection, StreamId id) {
  ++events;
  if (hook) hook("writable", connection, id);
  if (auto rest = rests_.extract({&connection, id})) send(connection, id, rest.mapped().bytes, rest.mapped().then);
}

void Recorder::on_stream_finished(Connection& connection, StreamId id) {
  ++events;
  finished.push_back(id);
  if (hook) hook("finished", connection, id);
}

void Recorder::on_streams_available(Connection& connection, StreamType) {
  ++events;
  if (hook) hook("available", connection, {});
}

void Recorder::on_datagram(Connection& connection, ByteView view) {
  ++events;
  bytes += view.size();
  if (keep_data) datagrams.push_back(copy_of(view));
  if (hook) hook("datagram", connection, {});
}

void Recorder::on_datagram_outcome(Connection& connection, std::uint64_t cookie, DatagramOutcome outcome) {
  ++events;
  outcomes.emplace_back(cookie, outcome);
  if (hook) hook("outcome", connection, {});
}

void Recorder::on_datagrams_writable(Connection& connection) {
  ++events;
  ++datagrams_writable;
  if (hook) hook("datagrams writable", connection, {});
}

void Recorder::on_drain(Connection& connection, Duration time_left) {
  ++events;
  drains.push_back(time_left);
  if (hook) hook("drain", connection, {});
}

bool Recorder::on_drained(Connection& connection) {
  ++events;
  ++consents_asked;
  if (hook) hook("drained", connection, {});
  return !drained || drained(connection);
}

void Recorder::on_closed(Connection& connection, const CloseInfo& info) {
  ++events;
  closed.push_back(info);
  if (hook) hook("closed", connection, {});
}

void TraceRecorder::on(Timestamp, ConnectionId connection, const TraceEvent& event) {
  if (const auto* found = std::get_if<TraceSecrets>(&event)) {
    first_sent.reset();
    first_received.reset();
    secrets.push_back({found->client_id, found->server_id, copy_of(found->client_to_server),
                       copy_of(found->server_to_client), found->phase});
  } else if (const auto* packet = std::get_if<TracePacketSent>(&event)) {
    sent.emplace_back(connection, packet->number);
    if (packet->probe) ++probes;
    if (!first_sent) first_sent = packet->number;
  } else if (const auto* packet_in = std::get_if<TracePacketReceived>(&event)) {
    if (!first_received) first_received = packet_in->number;
  } else if (const auto* updated = std::get_if<TraceKeyUpdated>(&event)) {
    key_updates.push_back(*updated);
  } else if (const auto* drain = std::get_if<TraceDrain>(&event)) {
    drains.emplace_back(drain->side, drain->stage);
  }
}

// ---- one host

Host::Host(EndpointConfig config, const SocketAddress& address_, std::uint64_t seed, TraceSink* trace)
    : own_random_(seed), address(address_), endpoint(std::move(config), own_random_, app, trace) {}

Host::Host(EndpointConfig config, const SocketAddress& address_, Random& random, TraceSink* trace)
    : own_random_(0), address(address_), endpoint(std::move(config), random, app, trace) {}

void Host::receive(Timestamp now, ByteView datagram, const SocketAddress& from) {
  std::copy(datagram.begin(), datagram.end(), in_.begin());
  endpoint.receive(now, {MutableBytes(in_).first(datagram.size()), from, address, Ecn::not_ect});
}

// ---- two hosts

DirectPair::DirectPair(Config config)
    : client(std::move(config.client), kClientAddress, mix(config.seed) ^ 1, &client_trace),
      server(std::move(config.server), kServerAddress, mix(config.seed) ^ 2, &server_trace),
      max_segments_(config.max_segments) {}

Connection* DirectPair::connect() {
  const auto made = client.endpoint.connect(now, server.address, server.endpoint.public_key());
  return made ? *made : nullptr;
}

bool DirectPair::pass(Role sender) {
  Host& from = sender == Role::client ? client : server;
  Host& to = sender == Role::client ? server : client;
  std::uint64_t& counter = datagrams[sender == Role::server ? 1 : 0];
  return from.poll(now,
                   [&](const SocketAddress&, ByteView datagram) {
                     ++counter;
                     if (!lose || !lose(sender, datagram)) to.receive(now, datagram, from.address);
                   },
                   {.max_segments = max_segments_}) != 0;
}

bool DirectPair::exchange() {
  constexpr int kMaxRounds = 100'000;
  for (int round = 0; round < kMaxRounds; ++round) {
    bool busy = false;
    for (Host* host : {&client, &server}) {
      if (host->endpoint.next_timeout() > now) continue;
      host->endpoint.on_timeout(now);
      busy = true;
    }
    busy |= pass(Role::client);
    busy |= pass(Role::server);
    if (!busy) return true;
  }
  return false;
}

void DirectPair::advance(Duration span) {
  const Timestamp end = now + span;
  while (exchange()) {
    const Timestamp next = std::min(client.endpoint.next_timeout(), server.endpoint.next_timeout());
    if (next > end) break;
    now = next;
  }
  now = end;
  exchange();
}

Connection* DirectPair::establish() {
  Connection* connection = connect();
  exchange();
  return connection;
}

}  // namespace mxp::test
