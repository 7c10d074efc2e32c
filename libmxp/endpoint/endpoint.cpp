// An endpoint drives the connections of its table, and lets strangers in.
//
//   receive        parses the clear header, and hands the datagram to the connection with that id or to admission
//   on_timeout     drives the connections whose deadline has come
//   poll_transmit  sends answers to strangers first, then asks the connections that are ready, in turn
//
// After each of these calls, the table looks at the connections that it touched: whether they have something to send,
// their new deadline, and whether they have ended (connection_table.cpp). Between the calls a connection says by itself
// when the application has used it (ReadySignal).
#include "mxp/endpoint.h"

#include <algorithm>
#include <deque>
#include <utility>

#include "connection/flows.h"
#include "connection/migration.h"
#include "core/packet_header.h"
#include "endpoint/admission.h"
#include "endpoint/connection_table.h"
#include "mxp/require.h"

namespace mxp {

namespace {

// A datagram that belongs to no connection, or to one that was only just made.
struct PendingAnswer {
  SocketAddress remote;
  SocketAddress local;
  std::vector<std::uint8_t> datagram;
  ConnectionId id;  // the id that it gives; all zero if it refuses
  bool answered_before;
};

// How many answers may wait for the carrier. If there are more, the carrier is stuck; further ones are dropped, and
// clients send again anyway.
constexpr std::size_t kMaxPendingAnswers = 256;

}  // namespace

struct Endpoint::Impl {
  Impl(EndpointConfig config_, Random& random_, Handler& handler, TraceSink* trace)
      : config(std::move(config_)),
        random(random_),
        hash_key(random_u64(random_)),
        payload_tools(config.limits.max_opened_payloads),
        environment{config, random_, handler, hash_key, payload_tools, trace},
        admission(config, random_, hash_key),
        budget(config.limits, kConnectionBytes, hash_key),
        connections(config, random_, admission, budget, stats) {}

  // Time never runs backwards in here (threat t42).
  Timestamp clamp(Timestamp now) { return latest = std::max(latest, now); }

  // -- the flows

  void trace(Timestamp now, ConnectionId id, const TraceEvent& event) const {
    if (environment.trace != nullptr) environment.trace->on(now, id, event);
  }

  void drop(Timestamp now, DropReason reason, const ReceivedDatagram& datagram) {
    ++stats.dropped[static_cast<std::size_t>(reason)];
    trace(now, ConnectionId(), TracePacketDropped{reason, datagram.bytes.size(), datagram.remote});
  }

  // Whole datagrams leave this room for a sink in builds that are made to debug, and in no other.
  void trace_datagrams([[maybe_unused]] Timestamp now, [[maybe_unused]] TraceDatagram::Way way,
                       [[maybe_unused]] const SocketAddress& remote, [[maybe_unused]] const SocketAddress& local,
                       [[maybe_unused]] ByteView bytes, [[maybe_unused]] std::size_t segment_size) const {
#ifdef MXP_DEBUG_TOOLS
    for (std::size_t at = 0; at < bytes.size(); at += segment_size)
      trace(now, ConnectionId(),
            TraceDatagram{way, remote, local, bytes.subspan(at, std::min(segment_size, bytes.size() - at))});
#endif
  }

  void receive(Timestamp now, const ReceivedDatagram& datagram) {
    ++stats.datagrams_received;
    trace_datagrams(now, TraceDatagram::Way::received, datagram.remote, datagram.local, datagram.bytes,
                    datagram.bytes.size());
    const auto header = parse_packet_header(datagram.bytes);
    if (!header) return drop(now, header.error(), datagram);
    if (const auto* packet = std::get_if<ShortHeader>(&*header)) {
      Entry* entry = connections.find(packet->destination);
      if (entry == nullptr) return drop(now, DropReason::unknown_connection, datagram);
      receive_packet(parts_of(*entry), now, datagram);
      connections.after_input(*entry, now);
    } else if (const auto* response = std::get_if<ResponseHeader>(&*header)) {
      Entry* entry = connections.find(response->client_id);
      if (entry == nullptr) return drop(now, DropReason::unknown_connection, datagram);
      receive_response(parts_of(*entry), now, datagram, *response);
      connections.after_input(*entry, now);
    } else {
      on_initial(now, datagram, std::get<InitialHeader>(*header));
    }
  }

  void on_initial(Timestamp now, const ReceivedDatagram& datagram, const InitialHeader& header) {
    AdmissionResult result = admission.screen(datagram, header);
    if (!result.dropped && result.answer.empty()) {
      // If the table of half-open handshakes is full, a stranger's initial gets no answer, and costs no public-key
      // operation (threat t18).
      if (connections.half_open() >= config.limits.max_half_open)
        return drop(now, DropReason::half_open_limit, datagram);
      result = admission.on_initial(now, datagram, header, budget, connections.fresh_id(), stats);
    }
    if (result.dropped) return drop(now, *result.dropped, datagram);
    // The answer now goes to a second address, and whoever reads it there could claim to be at the first one (threat
    // t17).
    Entry* answered = result.answered_before ? connections.find(result.answer_id) : nullptr;
    if (answered != nullptr && parts_of(*answered).path->remote != datagram.remote)
      parts_of(*answered).path->amplification.on_answered_elsewhere();
    if (result.refused)
      trace(now, ConnectionId(), TraceAdmission{false, result.refused->code, result.refused->client, datagram.remote});
    if (result.admitted) accept(now, datagram, *result.admitted, result.answer.size());
    if (answers.size() < kMaxPendingAnswers)
      answers.push_back(
          {datagram.remote, datagram.local, std::move(result.answer), result.answer_id, result.answered_before});
  }

  void accept(Timestamp now, const ReceivedDatagram& datagram, const AdmittedClient& client, std::size_t answer_size) {
    const InitialExchange exchange{datagram.remote, datagram.local, datagram.bytes.size(), answer_size};
    trace(now, client.server_id,
          TraceAdmission{true, TransportErrorCode::no_error, client.client_key, datagram.remote});
    Entry* entry = connections.add(
        client.server_id, [&](ReadySignal& signal) { return open_server(environment, signal, now, client, exchange); });
    connections.after_input(*entry, now);
  }

  std::optional<Transmit> poll_transmit(Timestamp now, MutableBytes buffer, const TransmitLimits& limits) {
    if (!answers.empty()) {
      const PendingAnswer answer = std::move(answers.front());
      answers.pop_front();
      std::copy(answer.datagram.begin(), answer.datagram.end(), buffer.begin());
      ++stats.datagrams_sent;
      trace(now, answer.id, TraceHandshakeSent{2, answer.answered_before});
      return Transmit{answer.remote, answer.local, answer.datagram.size(), answer.datagram.size()};
    }
    ++polls;
    postponed = false;
    ReadyQueue<Entry>& ready = connections.ready();
    while (!ready.empty()) {
      Entry& entry = ready.front();
      // It sent nothing, and its application called it from inside once more. That may go on for ever, so it is for the
      // next turn of the driver (threat t40); and those behind it were all driven, or became ready just now.
      if (entry.silent_in == polls && !parts_of(entry).lifecycle.close_frame_due) {
        postponed = true;
        break;
      }
      ready.remove(entry);
      const auto sent = transmit(parts_of(entry), now, buffer, limits);
      if (!sent) entry.silent_in = polls;
      connections.after_transmit(entry, now, sent);
      if (sent) {
        stats.datagrams_sent += sent->segments();
        return sent;
      }
    }
    return std::nullopt;
  }

  void on_timeout(Timestamp now) {
    admission.on_timeout(now);
    // Each connection is driven at most once in a call. Otherwise a deadline that does not move forward would make this
    // loop spin (threat t39).
    for (Entry* entry : connections.take_due(now)) {
      connections.begin_attempt_if_due(*entry, now);
      on_deadline(parts_of(*entry), now);
      connections.after_input(*entry, now);
    }
  }

  EndpointConfig config;
  Random& random;
  const std::uint64_t hash_key;  // secret: peers choose what is hashed with it (threat t13)
  PayloadTools payload_tools;
  ConnectionEnvironment environment;
  Admission admission;
  ConnectionBudget budget;
  EndpointStats stats;
  ConnectionTable connections;
  std::deque<PendingAnswer> answers;
  std::uint64_t polls = 0;  // calls of poll_transmit
  bool postponed = false;   // the last one left connections ready and sent nothing
  Timestamp latest{};
};

Endpoint::Endpoint(EndpointConfig config, Random& random, Handler& handler, TraceSink* trace) {
  // Names the setting: "validate(config)" alone would leave the reader to search for it.
  if (const auto valid = validate(config); !valid)
    precondition_broken(to_string(valid.error()).c_str(), __FILE__, __LINE__);
  impl_ = std::make_unique<Impl>(std::move(config), random, handler, trace);
}

std::expected<std::unique_ptr<Endpoint>, ConfigError> Endpoint::create(EndpointConfig config, Random& random,
                                                                       Handler& handler, TraceSink* trace) {
  if (const auto valid = validate(config); !valid) return std::unexpected(valid.error());
  return std::make_unique<Endpoint>(std::move(config), random, handler, trace);
}

Endpoint::~Endpoint() = default;

std::expected<Connection*, ConnectError> Endpoint::connect(Timestamp now, const SocketAddress& remote,
                                                           const PublicKey& server_key) {
  now = impl_->clamp(now);
  if (impl_->connections.size() >= impl_->config.limits.max_connections)
    return std::unexpected(ConnectError::too_many_connections);
  const ConnectionId id = impl_->connections.fresh_id();
  Entry* entry = impl_->connections.add(
      id, [&](ReadySignal& signal) { return open_client(impl_->environment, signal, now, remote, server_key, id); });
  if (entry == nullptr) return std::unexpected(ConnectError::invalid_server_key);
  impl_->connections.after_input(*entry, now);
  return entry->connection.get();
}

void Endpoint::receive(Timestamp now, const ReceivedDatagram& datagram) { impl_->receive(impl_->clamp(now), datagram); }

std::optional<Transmit> Endpoint::poll_transmit(Timestamp now, MutableBytes buffer, const TransmitLimits& limits) {
  // Room for every datagram of ours: handshake messages have kMinInitialSize bytes, which is the least that the setting
  // may be.
  MXP_REQUIRE(buffer.size() >= impl_->config.transport.max_udp_payload);
  now = impl_->clamp(now);
  const auto sent = impl_->poll_transmit(now, buffer, limits);
  if (sent)
    impl_->trace_datagrams(now, TraceDatagram::Way::sent, sent->remote, sent->local, buffer.first(sent->size),
                           sent->segment_size);
  return sent;
}

Timestamp Endpoint::next_timeout() const {
  if (impl_->postponed) return impl_->latest;
  return std::min(impl_->connections.first_deadline(), impl_->admission.deadline());
}

void Endpoint::on_timeout(Timestamp now) {
  // What next_timeout() says where nothing is pending: it is no time, and none could follow it.
  if (now != kNever) impl_->on_timeout(impl_->clamp(now));
}

void Endpoint::on_unreachable(Timestamp now, const SocketAddress& remote) {
  now = impl_->clamp(now);
  // The report may be forged. So it must cost nothing where no handshake waits for its answer, as on a server (threat
  // t44).
  if (impl_->connections.unanswered() == 0) return;
  std::vector<Entry*> affected;
  for (Entry& entry : impl_->connections.entries()) {
    const Parts& parts = parts_of(entry);
    if (parts.path->remote == remote && parts.attempts && !parts.lifecycle.ending) affected.push_back(&entry);
  }
  for (Entry* entry : affected) {
    end_silently(parts_of(*entry), now, CloseInfo::By::network, TransportErrorCode::unreachable,
                 "nobody listens at this port");
    impl_->connections.after_input(*entry, now);
  }
}

void Endpoint::on_too_large(Timestamp now, const SocketAddress& remote, std::size_t size) {
  now = impl_->clamp(now);
  impl_->connections.for_each_recent_sender(remote, [&](Entry& entry) {
    on_datagram_refused(parts_of(entry), now, remote, size);
    impl_->connections.after_input(entry, now);
  });
}

void Endpoint::on_local_address(Timestamp now, const SocketAddress& remote, const SocketAddress& local) {
  now = impl_->clamp(now);
  for (Entry& entry : impl_->connections.entries()) {
    Parts& parts = parts_of(entry);
    if (parts.role != Role::client || parts.path->remote != remote) continue;
    follow_own_address(parts, now, local);
    impl_->connections.ready().push_back(entry);
  }
}

std::vector<SocketAddress> Endpoint::servers() const {
  std::vector<SocketAddress> out;
  for (Entry& entry : impl_->connections.entries())
    if (const Parts& parts = parts_of(entry); parts.role == Role::client) out.push_back(parts.path->remote);
  std::ranges::sort(out);
  out.erase(std::ranges::unique(out).begin(), out.end());
  return out;
}

void Endpoint::close_all(AppErrorCode code, std::string_view reason) {
  for (Entry& entry : impl_->connections.entries()) entry.connection->close(code, reason);
}

std::size_t Endpoint::connection_count() const { return impl_->connections.size(); }
std::size_t Endpoint::draining_count() const { return impl_->connections.draining(); }
void Endpoint::stop_accepting() { impl_->config.accept = false; }
EndpointStats Endpoint::stats() const {
  EndpointStats stats = impl_->stats;
  stats.memory_in_use = impl_->budget.bytes();
  return stats;
}
const PublicKey& Endpoint::public_key() const { return impl_->config.identity.public_key(); }

}  // namespace mxp
