// An endpoint: which connection a datagram belongs to, who has something to send, whose deadline comes next.
//
//   receive        parse the clear header → by connection id to its connection, or to admission
//   on_timeout     the connections whose deadline has come
//   poll_transmit  answers to strangers first, then the connections that said they are ready, in turn
//
// After each of them the connections that it touched get their new deadline, and those that have ended are told and
// freed.
#include "mxp/endpoint.h"

#include <algorithm>
#include <cassert>
#include <deque>
#include <unordered_map>

#include "connection/access.h"
#include "connection/flows.h"
#include "core/packet_header.h"
#include "endpoint/admission.h"
#include "endpoint/deadline_heap.h"
#include "endpoint/ready_queue.h"

namespace mxp {

namespace {

// What the endpoint keeps for each connection.
struct Slot {
  std::unique_ptr<Connection> connection;
  ConnectionId id;
  Timestamp heap_deadline = kNever;
  std::size_t heap_index = kNotInHeap;
  Slot* next_ready = nullptr;
  Slot* previous_ready = nullptr;
  bool ready = false;       // in the ready queue
  bool half_open = false;   // server: not confirmed yet
  bool unanswered = false;  // client: message 2 has not come
};

// A datagram that belongs to no connection, or to one that was only just made.
struct PendingAnswer {
  SocketAddress remote;
  SocketAddress local;
  std::vector<std::uint8_t> datagram;
  ConnectionId id;  // that it gives; all zero if it refuses
  bool answered_before;
};

// Answers that wait for the carrier; more than that means that the carrier is stuck, and a client sends again anyway.
constexpr std::size_t kMaxPendingAnswers = 256;

}  // namespace

struct Endpoint::Impl final : ReadySignal {
  Impl(EndpointConfig config_, Random& random_, Handler& handler, TraceSink* trace)
      : config(std::move(config_)),
        random(random_),
        environment{config, random_, handler, trace},
        admission(config, random_) {}

  // -- which connection

  Slot* find(ConnectionId id) {
    // Packets come in runs for one connection.
    if (last_found != nullptr && last_found->id == id) return last_found;
    const auto found = slots.find(id.key());
    return found == slots.end() ? nullptr : last_found = found->second.get();
  }

  ConnectionId fresh_id() {
    for (;;) {
      ConnectionId::Bytes bytes;
      random.fill(bytes);
      const ConnectionId id(bytes);
      if (!slots.contains(id.key())) return id;  // threat t14: an id in use is never given twice
    }
  }

  Slot& add(Timestamp now, Role role, ConnectionId id) {
    auto slot = std::make_unique<Slot>();
    slot->connection = ConnectionAccess::create(role, environment, *this, now);
    slot->id = id;
    Parts& parts = parts_of(*slot);
    parts.local_id = id;
    parts.blocked = BlockedBy::handshake;
    parts.trace(now, TraceBlocked{parts.blocked});
    Slot& added = *slot;
    slots.emplace(id.key(), std::move(slot));
    by_connection.emplace(added.connection.get(), &added);
    return added;
  }

  static Parts& parts_of(Slot& slot) { return ConnectionAccess::parts(*slot.connection); }

  // -- who is ready

  void on_ready(Connection& connection) override {
    Slot* slot = touched_slot != nullptr && touched_slot->connection.get() == &connection ? touched_slot : nullptr;
    if (slot == nullptr) {
      const auto found = by_connection.find(&connection);
      if (found == by_connection.end()) return;  // being built
      slot = found->second;
    }
    mark_ready(*slot);
  }

  void mark_ready(Slot& slot) { ready.push_back(slot); }

  // After a flow ran over a connection: tell it if it ended, free it if it is over, else move its deadline.
  void settle(Slot& slot, Timestamp now) {
    Parts& parts = parts_of(slot);
    if (slot.half_open && parts.lifecycle.state != ConnectionState::handshaking) {
      slot.half_open = false;
      --half_open;
      if (parts.lifecycle.state == ConnectionState::established) ++stats.connections_accepted;
    }
    // A closing connection is reported once its CLOSE has gone to the carrier, so that a program may exit on hearing of
    // it. A client of which the application never heard needs no report either way.
    const bool never_accepted =
        parts.role == Role::server && parts.lifecycle.outcome && parts.lifecycle.outcome->before_established;
    if (never_accepted) parts.lifecycle.reported = true;
    if (parts.lifecycle.outcome && !parts.lifecycle.close_frame_due) {
      arm_discard(parts, now);
      report_outcome(parts, now);
    }
    if (slot.unanswered && !parts.handshake) {
      slot.unanswered = false;
      --unanswered;
    }
    if (parts.lifecycle.state == ConnectionState::closed) return remove(slot);
    deadlines.set(slot, next_deadline(parts));
  }

  void remove(Slot& slot) {
    if (slot.unanswered) --unanswered;
    deadlines.remove(slot);
    ready.remove(slot);
    if (last_found == &slot) last_found = nullptr;
    if (touched_slot == &slot) touched_slot = nullptr;
    by_connection.erase(slot.connection.get());
    slots.erase(slot.id.key());
  }

  // Time never runs backwards in here (threat t42).
  Timestamp clamp(Timestamp now) { return latest = std::max(latest, now); }

  // -- the flows

  void trace(Timestamp now, ConnectionId id, const TraceEvent& event) const {
    if (environment.trace != nullptr) environment.trace->on(now, id, event);
  }

  void drop(Timestamp now, DropReason reason, std::size_t size) {
    ++stats.dropped[static_cast<std::size_t>(reason)];
    trace(now, ConnectionId(), TracePacketDropped{reason, size});
  }

  void receive(Timestamp now, const ReceivedDatagram& datagram) {
    ++stats.datagrams_received;
    const auto header = parse_packet_header(datagram.bytes);
    if (!header) return drop(now, header.error(), datagram.bytes.size());
    if (const auto* packet = std::get_if<ShortHeader>(&*header)) {
      Slot* slot = find(packet->destination);
      if (slot == nullptr) return drop(now, DropReason::unknown_connection, datagram.bytes.size());
      touched_slot = slot;
      receive_packet(parts_of(*slot), now, datagram);
      settle(*slot, now);
    } else if (const auto* response = std::get_if<ResponseHeader>(&*header)) {
      Slot* slot = find(response->client_id);
      if (slot == nullptr) return drop(now, DropReason::unknown_connection, datagram.bytes.size());
      touched_slot = slot;
      receive_response(parts_of(*slot), now, datagram, *response);
      settle(*slot, now);
    } else {
      on_initial(now, datagram, std::get<InitialHeader>(*header));
    }
    touched_slot = nullptr;
  }

  void on_initial(Timestamp now, const ReceivedDatagram& datagram, const InitialHeader& header) {
    AdmissionResult result = admission.screen(datagram, header);
    if (!result.dropped && result.answer.empty()) {
      // A full table of half-open handshakes costs a stranger's initial its answer, and no public-key operation (threat
      // t18).
      if (half_open >= config.limits.max_half_open)
        return drop(now, DropReason::half_open_limit, datagram.bytes.size());
      const bool full = slots.size() >= config.limits.max_connections;
      result = admission.on_initial(now, datagram, header, full, fresh_id(), stats);
    }
    if (result.dropped) return drop(now, *result.dropped, datagram.bytes.size());
    if (result.admitted) accept(now, datagram, *result.admitted, result.answer.size());
    if (answers.size() < kMaxPendingAnswers)
      answers.push_back(
          {datagram.remote, datagram.local, std::move(result.answer), result.answer_id, result.answered_before});
  }

  void accept(Timestamp now, const ReceivedDatagram& datagram, const AdmittedClient& client, std::size_t answer_size) {
    Slot& slot = add(now, Role::server, client.server_id);
    slot.half_open = true;
    ++half_open;
    Parts& parts = parts_of(slot);
    parts.remote = datagram.remote;
    parts.local = datagram.local;
    parts.remote_id = parts.client_id = client.client_id;
    parts.peer_key = client.client_key;
    parts.suite = client.suite;
    parts.amplification.on_received(datagram.bytes.size());
    parts.amplification.on_sent(answer_size);
    parts.confirm_by = now + config.transport.handshake_timeout;
    parts.stats.handshake_packets_sent = 1;
    apply_peer_parameters(parts, client.parameters);
    install_keys(parts, now, client.noise);
    settle(slot, now);
  }

  std::optional<Transmit> poll_transmit(Timestamp now, MutableBytes buffer, const TransmitLimits& limits) {
    if (!answers.empty()) {
      const PendingAnswer answer = std::move(answers.front());
      answers.pop_front();
      if (buffer.size() >= answer.datagram.size()) {
        std::copy(answer.datagram.begin(), answer.datagram.end(), buffer.begin());
        ++stats.datagrams_sent;
        trace(now, answer.id, TraceHandshakeSent{2, answer.answered_before});
        return Transmit{answer.remote, answer.local, answer.datagram.size(), answer.datagram.size()};
      }
    }
    while (!ready.empty()) {
      Slot& slot = ready.front();
      ready.remove(slot);
      touched_slot = &slot;
      const auto sent = transmit(parts_of(slot), now, buffer, limits);
      // What has sent may have more: it takes its turn again behind the others.
      if (sent) mark_ready(slot);
      settle(slot, now);
      touched_slot = nullptr;
      if (sent) {
        stats.datagrams_sent += sent->segments();
        return sent;
      }
    }
    return std::nullopt;
  }

  void on_timeout(Timestamp now) {
    admission.on_timeout(now);
    // Each connection at most once in a turn: a deadline that does not move forward would otherwise spin here (threat
    // t39).
    due.clear();
    while (deadlines.next() <= now) {
      Slot& slot = deadlines.top();
      deadlines.remove(slot);
      due.push_back(&slot);
    }
    for (Slot* slot : due) {
      touched_slot = slot;
      on_deadline(parts_of(*slot), now);
      settle(*slot, now);
    }
    touched_slot = nullptr;
  }

  EndpointConfig config;
  Random& random;
  ConnectionEnvironment environment;
  Admission admission;
  EndpointStats stats;

  std::unordered_map<std::uint64_t, std::unique_ptr<Slot>> slots;  // by the id in packets to us: random, chosen here
  std::unordered_map<const Connection*, Slot*> by_connection;
  DeadlineHeap<Slot> deadlines;
  ReadyQueue<Slot> ready;
  std::deque<PendingAnswer> answers;
  std::vector<Slot*> due;
  Slot* last_found = nullptr;
  Slot* touched_slot = nullptr;  // the connection whose flow is running: its signals need no look-up
  std::size_t half_open = 0;
  std::size_t unanswered = 0;  // clients that wait for message 2
  Timestamp latest{};
};

Endpoint::Endpoint(EndpointConfig config, Random& random, Handler& handler, TraceSink* trace) {
  assert(!config.suites.empty());
  impl_ = std::make_unique<Impl>(std::move(config), random, handler, trace);
}

Endpoint::~Endpoint() = default;

std::expected<Connection*, ConnectError> Endpoint::connect(Timestamp now, const SocketAddress& remote,
                                                           const PublicKey& server_key) {
  now = impl_->clamp(now);
  if (impl_->slots.size() >= impl_->config.limits.max_connections)
    return std::unexpected(ConnectError::too_many_connections);
  const ConnectionId id = impl_->fresh_id();
  auto handshake = ClientHandshake::start(now, impl_->config, server_key, id, impl_->random);
  if (!handshake) return std::unexpected(ConnectError::invalid_server_key);
  Slot& slot = impl_->add(now, Role::client, id);
  Parts& parts = Impl::parts_of(slot);
  parts.remote = remote;
  parts.client_id = id;
  parts.peer_key = server_key;
  parts.suite = handshake->suite();
  parts.handshake = std::make_unique<ClientHandshake>(std::move(*handshake));
  slot.unanswered = true;
  ++impl_->unanswered;
  impl_->mark_ready(slot);
  impl_->settle(slot, now);
  return slot.connection.get();
}

void Endpoint::receive(Timestamp now, const ReceivedDatagram& datagram) { impl_->receive(impl_->clamp(now), datagram); }

std::optional<Transmit> Endpoint::poll_transmit(Timestamp now, MutableBytes buffer, const TransmitLimits& limits) {
  return impl_->poll_transmit(impl_->clamp(now), buffer, limits);
}

Timestamp Endpoint::next_timeout() const { return std::min(impl_->deadlines.next(), impl_->admission.deadline()); }

void Endpoint::on_timeout(Timestamp now) { impl_->on_timeout(impl_->clamp(now)); }

void Endpoint::on_unreachable(Timestamp now, const SocketAddress& remote) {
  now = impl_->clamp(now);
  // The report may be forged: where no handshake waits for its answer, as on a server, it must cost nothing (threat
  // t44).
  if (impl_->unanswered == 0) return;
  std::vector<Slot*> affected;
  for (auto& [key, slot] : impl_->slots) {
    const Parts& parts = Impl::parts_of(*slot);
    if (parts.remote == remote && parts.handshake && !parts.lifecycle.outcome) affected.push_back(slot.get());
  }
  for (Slot* slot : affected) {
    end_silently(Impl::parts_of(*slot), now, CloseInfo::By::network, TransportErrorCode::unreachable,
                 "nobody listens at this port");
    impl_->settle(*slot, now);
  }
}

void Endpoint::close_all(AppErrorCode code, std::string_view reason) {
  for (auto& [key, slot] : impl_->slots) slot->connection->close(code, reason);
}

std::size_t Endpoint::connection_count() const { return impl_->slots.size(); }
EndpointStats Endpoint::stats() const { return impl_->stats; }
const PublicKey& Endpoint::public_key() const { return impl_->config.identity.public_key(); }

}  // namespace mxp
