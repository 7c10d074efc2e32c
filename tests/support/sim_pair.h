// Two endpoints, a link in each direction, virtual time: the whole protocol runs, deterministic from a seed. Invariants
// that must hold in every run, whatever it tests, are asserted here, in one place; a broken one is reported as a
// violation.
//
//     SimPair sim({.up = "delay 15ms loss 1% rate 10mbit", .down = "delay 15ms", .seed = 7});
//     sim.connect();
//     sim.client.open_and_send(1 << 20);
//     sim.run_until([&] { return sim.all_delivered(); }, 60s);
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "mxp/endpoint.h"
#include "netem/link.h"
#include "netem/spec.h"
#include "support/pattern.h"

namespace mxp::test {

using namespace std::chrono_literals;

// One side's application: sends patterned streams, checks what it receives against the pattern.
class SimApplication : public Handler {
 public:
  SimApplication(Role role, const std::function<void(std::string)>& violation) : role_(role), violation_(violation) {}

  struct Outgoing {
    Connection* connection = nullptr;
    std::uint64_t size = 0;
    std::uint64_t written = 0;
    bool finished = false;  // everything acknowledged
    bool ended = false;     // finish() was called
    bool reset = false;
  };
  struct Incoming {
    std::uint64_t received = 0;
    bool fin = false;
    bool reset = false;
  };
  using Key = std::pair<Connection*, std::uint64_t>;

  // Opens a stream and sends `size` patterned bytes on it; nullopt if there is no credit (it is then tried again
  // later).
  std::optional<StreamId> open_and_send(Connection& connection, StreamType type, std::uint64_t size);
  // Sends on a stream that the peer opened.
  void send_on(Connection& connection, StreamId id, std::uint64_t size);
  void pump(const Key& key);
  // Sends so many messages, their payloads a pattern of their ids, as soon as there is room for each.
  struct MessageBurst {
    MessageType type = MessageType::event;
    std::uint64_t count = 1;
    std::size_t size = 10;
    Duration lifetime = Duration::max();  // of each, from its sending on
    MessageOrder order = MessageOrder::any;
  };
  void send_messages(Connection& connection, const MessageBurst& burst, Timestamp now);

  void on_connected(Connection& connection) override;
  void on_stream_opened(Connection& connection, StreamId id) override;
  std::size_t on_stream_data(Connection& connection, StreamId id, ByteView data, bool fin) override;
  void on_stream_reset(Connection&, StreamId, AppErrorCode) override;
  void on_stop_sending(Connection&, StreamId, AppErrorCode) override;
  void on_stream_writable(Connection& connection, StreamId id) override;
  void on_stream_finished(Connection& connection, StreamId id) override;
  void on_streams_available(Connection& connection, StreamType type) override;
  void on_datagram(Connection&, ByteView data) override {
    if (datagram_hook) datagram_hook(data);
  }
  void on_datagram_outcome(Connection&, std::uint64_t cookie, DatagramOutcome outcome) override {
    if (outcome_hook) outcome_hook(cookie, outcome);
  }
  bool on_message(Connection& connection, const Message& message) override;
  void on_messages_expired(Connection& connection, std::uint64_t count) override;
  void on_message_outcome(Connection& connection, MessageTicket ticket, MessageOutcome outcome) override;
  void on_messages_writable(Connection& connection, MessageClass traffic_class) override;
  void on_answer(Connection& connection, const CallAnswer& answer) override {
    if (answer_hook) answer_hook(connection, answer);
  }
  void on_call(Connection& connection, const IncomingCall& call) override {
    if (call_hook) call_hook(connection, call);
  }
  void on_call_cancelled(Connection& connection, IncomingCallId id, CallEnd end) override {
    if (call_cancelled_hook) call_cancelled_hook(connection, id, end);
  }
  void on_drain(Connection& connection, Duration time_left) override {
    drains.push_back(time_left);
    if (drain_hook) drain_hook(connection);
  }
  bool on_drained(Connection& connection) override {
    ++consents_asked;
    return !drained_hook || drained_hook(connection);
  }
  void on_closed(Connection& connection, const CloseInfo& info) override;

  // Behaviour of this side, to be set before the run.
  std::uint64_t reply_bytes = 0;  // on each two-way stream that the peer opens
  std::function<void(Connection&)> connected_hook;
  std::function<void(Connection&)> drain_hook;
  std::function<bool(Connection&)> drained_hook;  // whether to agree; default yes
  std::function<void(ByteView)> datagram_hook;
  std::function<void(std::uint64_t, DatagramOutcome)> outcome_hook;
  std::function<std::size_t(StreamId, ByteView)> take_hook;  // how much of the data to take; default all

  std::map<Key, Outgoing> outgoing;
  std::map<Key, Incoming> incoming;
  std::vector<std::tuple<Connection*, StreamType, std::uint64_t>> waiting_for_credit;
  std::set<Connection*> connected;
  std::vector<CloseInfo> closed;
  std::vector<Duration> drains;  // that the peer began, with the time left
  unsigned consents_asked = 0;
  std::uint64_t connected_count = 0;
  std::uint64_t bytes_received = 0;
  std::function<bool(const Message&)> message_hook;              // whether to take it; default yes
  std::map<std::uint64_t, MessageTicket> messages_sent;          // by id
  std::map<std::uint64_t, MessageClass> messages_sent_in_order;  // those of ordered channels, by id
  std::set<std::uint64_t> messages_received;                     // ids
  std::vector<std::uint64_t> messages_taken;                     // the same in the order in which they were told
  bool messages_have_pattern = true;                             // else those that are taken are not looked at
  std::function<void(Connection&, const CallAnswer&)> answer_hook;
  std::function<void(Connection&, const IncomingCall&)> call_hook;
  std::function<void(Connection&, IncomingCallId, CallEnd)> call_cancelled_hook;
  std::uint64_t messages_expired = 0;                // that the peer took back
  std::map<std::uint64_t, MessageOutcome> outcomes;  // by ticket
  struct WaitingBurst {
    Connection* connection;
    MessageBurst burst;
    Timestamp now;
  };
  std::vector<WaitingBurst> waiting_messages;

  bool all_sent_acknowledged() const;

 private:
  Role role_;
  const std::function<void(std::string)>& violation_;
};

// Keys are fixed: a run depends on its seed alone.
EndpointConfig default_client();
EndpointConfig default_server();

struct SimConfig {
  std::string up;    // client to server, in the grammar of mxp-netem; without an mtu it is 1500
  std::string down;  // server to client; "=" is the same as up
  // What the grammar has no words for (netem/spec.h), on both links.
  std::function<void(netem::LinkSpec&)> adjust = [](netem::LinkSpec&) {};
  std::uint64_t seed = 1;
  EndpointConfig client = default_client();
  EndpointConfig server = default_server();
  // Instead of SimPair::client and SimPair::server, which a test tells itself what it wants them to know.
  Handler* client_handler = nullptr;
  Handler* server_handler = nullptr;
};

class SimPair {
 public:
  explicit SimPair(SimConfig config);
  ~SimPair();

  Connection* connect();
  // Runs until `done` or until `limit` of virtual time has passed since the start; true if done.
  bool run_until(const std::function<bool()>& done, Duration limit);
  void run_for(Duration span);
  // Drops datagrams by meaning: return true to lose it. Called with what the sender put on the wire.
  std::function<bool(Role sender, ByteView datagram)> filter;
  // Of the datagram that `filter` and `tap` are shown.
  Ecn mark = Ecn::not_ect;
  // Sees every datagram that is put on the wire.
  std::function<void(Role sender, ByteView datagram)> tap;
  // The same with its addresses, and every datagram that arrives: what a capture at either end would hold.
  struct Passing {
    Role at;  // whose end it passes
    ByteView datagram;
    SocketAddress from, to;
  };
  std::function<void(const Passing&)> passing;
  // Hands a forged or copied datagram to one side, as if it came from the other's address or from elsewhere. What that
  // side sends to other addresses than its peer's is counted and lost.
  void inject(Role receiver, std::vector<std::uint8_t> datagram, std::optional<SocketAddress> source = std::nullopt);

  Timestamp now() const { return now_; }
  Duration elapsed() const { return now_ - Timestamp{}; }
  // Both endpoints have nothing on the way and nothing to do but idle timers.
  bool wire_is_quiet() const;
  // Sees every trace event.
  std::function<void(Role, const TraceEvent&)> on_event;
  std::uint64_t trace_hash() const { return trace_hash_; }
  std::uint64_t datagrams(Role sender) const { return datagrams_[sender == Role::server ? 1 : 0]; }
  const std::vector<std::string>& violations() const { return violations_; }
  const netem::LinkCounters& link(Role sender) const;
  // Of the link from `sender` to the other side, from now on; IP packets, 0 = any.
  void set_mtu(Role sender, std::uint32_t bytes) { (sender == Role::client ? *up_ : *down_).set_mtu(bytes); }
  // Datagrams that went to this address, which is not the peer's.
  std::uint64_t strays(const SocketAddress& destination) const {
    const auto found = strays_.find(destination);
    return found == strays_.end() ? 0 : found->second;
  }

  // Where the client is. It may change at any time, as behind a NAT that forgets: what is under way to the old address
  // is lost, what came from there still arrives.
  SocketAddress client_address = SocketAddress::ipv4(10, 0, 0, 1, 40000);
  // Other addresses of the client's machine, from which it sends when it says so.
  std::set<SocketAddress> client_interfaces;
  SocketAddress server_address = SocketAddress::ipv4(10, 0, 0, 2, 9000);

 private:
  class Tracer;
  void violation(std::string text);
  void drive(Timestamp now);
  bool transmit(Role sender, Timestamp now);
  bool deliver(Role receiver, Timestamp now);
  Timestamp next_event() const;
  Endpoint& endpoint(Role role) { return role == Role::client ? *client_endpoint : *server_endpoint; }

  SimConfig config_;
  Timestamp now_{};
  std::vector<std::string> violations_;
  std::function<void(std::string)> report_;
  std::uint64_t trace_hash_ = 0;
  std::uint64_t datagrams_[2] = {0, 0};
  SeededRandom client_random_;
  SeededRandom server_random_;
  std::unique_ptr<netem::Link> up_;
  std::unique_ptr<netem::Link> down_;
  std::unique_ptr<Tracer> client_tracer_;
  std::unique_ptr<Tracer> server_tracer_;
  // Of a link, the flow of datagrams from or to this address of the client's.
  netem::FlowId flow_of(const SocketAddress& address);
  bool reaches_client(const SocketAddress& address) const;
  void count_to_client(const SocketAddress& address, std::size_t bytes);
  void count_from_client(const SocketAddress& address, std::size_t bytes, Timestamp sent_at);

  // Threats t17 and t21: bytes to each address of the client, against bytes from it. Before a connection is confirmed,
  // and at an address that the client moves to, they are at most three times as many, until it has sent something after
  // it heard the server there: no earlier can it have proven the address.
  struct Exchanged {
    std::uint64_t received = 0;
    std::uint64_t sent = 0;
    std::optional<Timestamp> heard_at;
    bool may_be_proven = false;
  };
  std::map<SocketAddress, Exchanged> exchanged_;
  std::vector<SocketAddress> flows_;
  std::map<SocketAddress, std::uint64_t> strays_;
  std::vector<std::uint8_t> buffer_;
  std::vector<std::uint8_t> scratch_;

 public:
  SimApplication client;
  SimApplication server;
  std::unique_ptr<Endpoint> client_endpoint;
  std::unique_ptr<Endpoint> server_endpoint;
  Connection* connection = nullptr;  // the last one that connect() made
};

}  // namespace mxp::test
