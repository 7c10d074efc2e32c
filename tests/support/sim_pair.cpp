#include "support/sim_pair.h"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "support/sanitized.h"

namespace mxp::test {

namespace {

// `text` is that of one direction of `config`.
netem::LinkSpec spec_or_throw(const std::string& text, const SimConfig& config) {
  auto spec = netem::parse_link_spec(text);
  if (!spec) throw std::invalid_argument("link spec \"" + text + "\": " + spec.error());
  config.adjust(*spec);
  // What nearly every path carries. Without a limit every connection would send 64 KiB at once.
  if (spec->mtu == 0) spec->mtu = 1500;
  return *spec;
}

PrivateKey key_from_seed(std::uint64_t seed) {
  SeededRandom random(seed);
  return PrivateKey::generate(random);
}

}  // namespace

// ---- application

std::optional<StreamId> SimApplication::open_and_send(Connection& connection, StreamType type, std::uint64_t size) {
  const auto id = connection.open_stream(type);
  if (!id) {
    if (id.error() == StreamError::limit_reached) waiting_for_credit.emplace_back(&connection, type, size);
    return std::nullopt;
  }
  send_on(connection, *id, size);
  return *id;
}

void SimApplication::send_on(Connection& connection, StreamId id, std::uint64_t size) {
  const Key key{&connection, id.value()};
  outgoing[key] = {&connection, size};
  pump(key);
}

void SimApplication::pump(const Key& key) {
  Outgoing& out = outgoing[key];
  const StreamId id(key.second);
  std::array<std::uint8_t, 4096> chunk;
  while (out.written < out.size && !out.reset) {
    const MutableBytes bytes = MutableBytes(chunk).first(
        static_cast<std::size_t>(std::min<std::uint64_t>(chunk.size(), out.size - out.written)));
    fill_pattern(id, role_, out.written, bytes);
    const auto taken = out.connection->write(id, bytes);
    if (!taken) return;
    out.written += *taken;
    if (*taken < bytes.size()) return;
  }
  if (out.written == out.size && !out.ended && !out.reset) {
    out.ended = true;
    if (!out.connection->finish(id) && out.connection->state() == ConnectionState::established)
      violation_("finish failed");
  }
}

void SimApplication::on_connected(Connection& connection) {
  if (!connected.insert(&connection).second) violation_("connected twice");
  ++connected_count;
  if (connected_hook) connected_hook(connection);
}

void SimApplication::on_stream_opened(Connection& connection, StreamId id) {
  if (!connected.contains(&connection)) violation_("stream before connected");
  if (id.initiator() == role_) violation_("our own stream was opened by the peer");
  if (id.type() == StreamType::bidirectional && reply_bytes != 0) send_on(connection, id, reply_bytes);
}

std::size_t SimApplication::on_stream_data(Connection& connection, StreamId id, ByteView data, bool fin) {
  if (!connected.contains(&connection)) violation_("data before connected");
  Incoming& in = incoming[{&connection, id.value()}];
  if (in.fin) violation_("data after the end");
  const std::size_t take = take_hook ? std::min(data.size(), take_hook(id, data)) : data.size();
  if (!matches_pattern(id, peer_of(role_), in.received, data.first(take)))
    violation_(fmt::format("stream {}: wrong bytes at {}", id.value(), in.received));
  in.received += take;
  bytes_received += take;
  if (fin && take == data.size()) in.fin = true;
  return take;
}

void SimApplication::on_stream_reset(Connection& connection, StreamId id, AppErrorCode) {
  incoming[{&connection, id.value()}].reset = true;
}

void SimApplication::on_stop_sending(Connection& connection, StreamId id, AppErrorCode) {
  outgoing[{&connection, id.value()}].reset = true;
}

void SimApplication::on_stream_writable(Connection& connection, StreamId id) {
  const Key key{&connection, id.value()};
  if (outgoing.contains(key)) pump(key);
}

void SimApplication::on_stream_finished(Connection& connection, StreamId id) {
  Outgoing& out = outgoing[{&connection, id.value()}];
  if (out.finished) violation_("finished twice");
  if (!out.ended) violation_("finished before its end was written");
  out.finished = true;
}

void SimApplication::on_streams_available(Connection& connection, StreamType) {
  auto waiting = std::move(waiting_for_credit);
  waiting_for_credit.clear();
  for (const auto& [waiter, type, size] : waiting) {
    if (waiter == &connection) open_and_send(connection, type, size);
    else waiting_for_credit.emplace_back(waiter, type, size);
  }
}

void SimApplication::send_messages(Connection& connection, const MessageBurst& burst, Timestamp now) {
  for (std::uint64_t i = 0; i < burst.count; ++i) {
    const std::uint64_t id = 2 * messages_sent.size() + (role_ == Role::server ? 1 : 0);
    const std::vector<std::uint8_t> payload(burst.size, static_cast<std::uint8_t>(id * 7));
    const Timestamp expires_at = burst.lifetime == Duration::max() ? kNever : now + burst.lifetime;
    const auto ticket =
        connection.send_message({.type = burst.type, .id = id, .payload = payload},
                                {.expires_at = expires_at, .report_outcome = true, .order = burst.order});
    if (ticket) {
      messages_sent.emplace(id, *ticket);
      if (burst.order == MessageOrder::in_class) messages_sent_in_order.emplace(id, message_class(burst.type));
    } else if (ticket.error() == SendMessageError::queue_full) {
      MessageBurst rest = burst;
      rest.count -= i;
      waiting_messages.push_back({&connection, rest, now});
      return;
    } else if (connection.state() == ConnectionState::established) {
      return violation_(fmt::format("send_message: {}", to_string(ticket.error())));
    }
  }
}

bool SimApplication::on_message(Connection& connection, const Message& message) {
  if (!connected.contains(&connection)) violation_("message before connected");
  if (message_hook && !message_hook(message)) return false;
  if (!messages_have_pattern) return true;
  if (!messages_received.insert(message.id).second) violation_(fmt::format("message {} came twice", message.id));
  messages_taken.push_back(message.id);
  for (const std::uint8_t byte : message.payload)
    if (byte != static_cast<std::uint8_t>(message.id * 7)) violation_(fmt::format("message {} is damaged", message.id));
  return true;
}

void SimApplication::on_messages_expired(Connection&, std::uint64_t count) { messages_expired += count; }

void SimApplication::on_message_outcome(Connection&, MessageTicket ticket, MessageOutcome outcome) {
  if (!outcomes.emplace(ticket.value(), outcome).second) violation_("two outcomes of one message");
}

void SimApplication::on_messages_writable(Connection&, MessageClass traffic_class) {
  for (const WaitingBurst& waiting : std::exchange(waiting_messages, {})) {
    if (message_class(waiting.burst.type) == traffic_class)
      send_messages(*waiting.connection, waiting.burst, waiting.now);
    else waiting_messages.push_back(waiting);
  }
}

void SimApplication::on_closed(Connection& connection, const CloseInfo& info) {
  closed.push_back(info);
  connected.erase(&connection);
}

bool SimApplication::all_sent_acknowledged() const {
  return waiting_for_credit.empty() && std::all_of(outgoing.begin(), outgoing.end(), [](const auto& entry) {
           return entry.second.finished || entry.second.reset;
         });
}

// ---- trace: hashes everything, and watches what must hold

class SimPair::Tracer final : public TraceSink {
 public:
  Tracer(SimPair& sim, Role role) : sim_(sim), role_(role) {}

  // They are many: under a sanitizer only for who looks at them.
  bool wants_decisions() const override { return !kSanitized || sim_.on_event; }

  void on(Timestamp moment, ConnectionId id, const TraceEvent& event) override {
    add(static_cast<std::uint64_t>(moment.time_since_epoch().count()));
    add(id.key());
    add(event.index());
    if (sim_.on_event) sim_.on_event(role_, event);
    if (const auto* sent = std::get_if<TracePacketSent>(&event)) {
      add(sent->number.value());
      add(sent->size_bytes);
      // A nonce is made of the key and the number: numbers that only grow are nonces used once (threat t23).
      auto [last, first] = last_sent_.try_emplace(id.key(), sent->number.value());
      if (!first && sent->number.value() <= last->second) sim_.violation("packet number used twice");
      last->second = sent->number.value();
    } else if (const auto* received = std::get_if<TracePacketReceived>(&event)) {
      add(received->number.value());
    } else if (const auto* lost = std::get_if<TracePacketLost>(&event)) {
      add(lost->number.value());
    } else if (const auto* congestion = std::get_if<TraceCongestion>(&event)) {
      add(congestion->window_bytes);
      if (congestion->window_bytes < 2 * kMinInitialSize) sim_.violation("congestion window below two datagrams");
    } else if (const auto* moved = std::get_if<TracePathChanged>(&event)) {
      add(moved->remote.port);
    } else if (const auto* dropped = std::get_if<TracePacketDropped>(&event)) {
      add(static_cast<std::uint64_t>(dropped->reason));
    }
  }

 private:
  void add(std::uint64_t value) {
    sim_.trace_hash_ = mix(sim_.trace_hash_ ^ mix(value + (role_ == Role::server ? 1 : 0)));
  }
  SimPair& sim_;
  Role role_;
  std::map<std::uint64_t, std::uint64_t> last_sent_;
};

// ---- the pair

EndpointConfig default_client() { return {.identity = key_from_seed(101)}; }
EndpointConfig default_server() { return {.identity = key_from_seed(102), .accept = true}; }

SimPair::SimPair(SimConfig config)
    : config_(std::move(config)),
      report_([this](std::string text) { violation(std::move(text)); }),
      client_random_(mix(config_.seed) ^ 1),
      server_random_(mix(config_.seed) ^ 2),
      up_(std::make_unique<netem::Link>(spec_or_throw(config_.up, config_),
                                        netem::LinkIdentity{config_.seed, netem::Direction::up})),
      down_(std::make_unique<netem::Link>(spec_or_throw(config_.down == "=" ? config_.up : config_.down, config_),
                                          netem::LinkIdentity{config_.seed, netem::Direction::down})),
      client_tracer_(std::make_unique<Tracer>(*this, Role::client)),
      server_tracer_(std::make_unique<Tracer>(*this, Role::server)),
      buffer_(65536),
      scratch_(65536),
      client(Role::client, report_),
      server(Role::server, report_) {
  const auto make = [](const EndpointConfig& settings, Random& random, Handler* handler, Handler& own,
                       TraceSink& trace) {
    return std::make_unique<Endpoint>(settings, random, handler == nullptr ? own : *handler, &trace);
  };
  client_endpoint = make(config_.client, client_random_, config_.client_handler, client, *client_tracer_);
  server_endpoint = make(config_.server, server_random_, config_.server_handler, server, *server_tracer_);
}

SimPair::~SimPair() = default;

Connection* SimPair::connect() {
  auto made = client_endpoint->connect(now_, server_address, config_.server.identity.public_key());
  connection = made ? *made : nullptr;
  return connection;
}

const netem::LinkCounters& SimPair::link(Role sender) const {
  return sender == Role::client ? up_->counters() : down_->counters();
}

void SimPair::violation(std::string text) {
  if (violations_.size() < 20)
    violations_.push_back(
        fmt::format("at {} ms: {}", std::chrono::duration_cast<std::chrono::milliseconds>(elapsed()).count(), text));
}

void SimPair::inject(Role receiver, std::vector<std::uint8_t> datagram, std::optional<SocketAddress> source) {
  const SocketAddress from = source.value_or(receiver == Role::client ? server_address : client_address);
  if (receiver == Role::server) exchanged_[from].received += datagram.size();
  endpoint(receiver).receive(now_, {MutableBytes(datagram), from, {}, Ecn::not_ect});
}

bool SimPair::transmit(Role sender, Timestamp now) {
  const auto sent = endpoint(sender).poll_transmit(now, buffer_, {});
  if (!sent) return false;
  if (sent->size == 0 || sent->segment_size == 0) violation("an empty transmit");
  netem::Link& link = sender == Role::client ? *up_ : *down_;
  for (std::size_t at = 0; at < sent->size; at += sent->segment_size) {
    const ByteView datagram = ByteView(buffer_).subspan(at, std::min(sent->segment_size, sent->size - at));
    ++datagrams_[sender == Role::server ? 1 : 0];
    if (sender == Role::server) count_to_client(sent->remote, datagram.size());
    if (sender == Role::client ? sent->remote != server_address : !reaches_client(sent->remote)) {
      ++strays_[sent->remote];
      continue;
    }
    SocketAddress at_client = sender == Role::client ? client_address : sent->remote;
    if (sender == Role::client && sent->local != SocketAddress{}) {
      at_client.ip = sent->local.ip;
      if (!reaches_client(at_client)) continue;  // the machine has no such address any more
    }
    mark = sent->ecn;
    if (tap) tap(sender, datagram);
    if (passing)
      passing({sender, datagram, sender == Role::client ? at_client : server_address,
               sender == Role::client ? server_address : at_client});
    if (filter && filter(sender, datagram)) continue;
    link.offer(datagram, now, flow_of(at_client), sent->ecn);
  }
  return true;
}

bool SimPair::deliver(Role receiver, Timestamp now) {
  netem::Link& link = receiver == Role::server ? *up_ : *down_;
  const auto departure = link.take(now);
  if (!departure) return false;
  std::copy(departure->bytes.begin(), departure->bytes.end(), scratch_.begin());
  const SocketAddress at_client = flows_[departure->flow];
  if (receiver == Role::server) {
    count_from_client(at_client, departure->bytes.size(), departure->offered_at);
  } else {
    if (!reaches_client(at_client)) return true;
    Exchanged& exchanged = exchanged_[at_client];
    if (!exchanged.heard_at) exchanged.heard_at = now;
  }
  const SocketAddress& from = receiver == Role::server ? at_client : server_address;
  const SocketAddress& to = receiver == Role::server ? server_address : at_client;
  if (passing) passing({receiver, ByteView(scratch_).first(departure->bytes.size()), from, to});
  endpoint(receiver).receive(now, {MutableBytes(scratch_).first(departure->bytes.size()), from, to, departure->ecn});
  return true;
}

netem::FlowId SimPair::flow_of(const SocketAddress& address) {
  const auto known = std::ranges::find(flows_, address);
  if (known != flows_.end()) return static_cast<netem::FlowId>(known - flows_.begin());
  flows_.push_back(address);
  return flows_.size() - 1;
}

bool SimPair::reaches_client(const SocketAddress& address) const {
  return address == client_address || client_interfaces.contains(address);
}

void SimPair::count_to_client(const SocketAddress& address, std::size_t bytes) {
  const bool first = flows_.empty() || address == flows_.front();
  Exchanged& exchanged = exchanged_[address];
  exchanged.sent += bytes;
  const bool unproven = first ? server.connected_count == 0 : !exchanged.may_be_proven;
  if (unproven && exchanged.sent > 3 * exchanged.received)
    violation("more than three times the bytes to an address that nobody has proven");
}

void SimPair::count_from_client(const SocketAddress& address, std::size_t bytes, Timestamp sent_at) {
  exchanged_[address].received += bytes;
  for (auto& [heard, exchanged] : exchanged_)
    if (exchanged.heard_at && *exchanged.heard_at <= sent_at) exchanged.may_be_proven = true;
}

void SimPair::drive(Timestamp now) {
  // Threat t39: at one point of virtual time, the work must come to an end.
  constexpr std::uint64_t kMaxRounds = 100'000;
  std::uint64_t rounds = 0;
  for (bool busy = true; busy;) {
    busy = false;
    if (++rounds > kMaxRounds) return violation("polls spin without an end");
    for (const Role role : {Role::client, Role::server}) {
      while (deliver(role, now)) busy = true;
      if (endpoint(role).next_timeout() <= now) {
        endpoint(role).on_timeout(now);
        busy = true;
      }
      while (transmit(role, now)) {
        busy = true;
        if (++rounds > kMaxRounds) return violation("transmit never runs dry");
      }
    }
  }
}

Timestamp SimPair::next_event() const {
  return std::min({up_->next_departure().value_or(kNever), down_->next_departure().value_or(kNever),
                   client_endpoint->next_timeout(), server_endpoint->next_timeout()});
}

bool SimPair::run_until(const std::function<bool()>& done, Duration limit) {
  const Timestamp end = Timestamp{} + limit;
  for (;;) {
    drive(now_);
    if (!violations_.empty()) return false;
    if (done()) return true;
    drive(now_);  // done() may have called verbs, as a loop's own callbacks do
    const Timestamp next = std::max(next_event(), now_);
    if (next > end) {
      now_ = std::max(now_, end);
      return false;
    }
    now_ = next;
  }
}

void SimPair::run_for(Duration span) {
  run_until([] { return false; }, elapsed() + span);
}

bool SimPair::wire_is_quiet() const { return !up_->next_departure() && !down_->next_departure(); }

}  // namespace mxp::test
