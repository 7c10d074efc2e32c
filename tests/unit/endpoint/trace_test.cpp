// What the endpoint itself tells a trace: how a handshake goes.
#include <boost/test/unit_test.hpp>

#include "support/host.h"

using namespace mxp;
using namespace mxp::test;

namespace {

struct HandshakeTrace final : TraceSink {
  struct Sent {
    ConnectionId id;
    std::uint8_t message;
    bool retransmission;
    bool operator==(const Sent&) const = default;
  };
  std::vector<Sent> sent;
  std::vector<std::pair<ConnectionId, BlockedBy>> blocked;
  unsigned decisions = 0;
  bool wants = false;
  bool wants_decisions() const override { return wants; }
  void on(Timestamp, ConnectionId id, const TraceEvent& event) override {
    if (const auto* message = std::get_if<TraceHandshakeSent>(&event))
      sent.push_back({id, message->message, message->retransmission});
    decisions += std::holds_alternative<TraceScheduled>(event) || std::holds_alternative<TraceHeldBack>(event) ||
                         std::holds_alternative<TraceMessagesExpired>(event) ||
                         std::holds_alternative<TraceTailRepair>(event)
                     ? 1
                     : 0;
    if (const auto* now = std::get_if<TraceBlocked>(&event)) blocked.emplace_back(id, now->reason);
  }
};

struct TracedHosts {
  Timestamp now{1h};
  HandshakeTrace client_trace, server_trace;
  Host client;
  Host server;

  explicit TracedHosts(EndpointConfig server_config = default_server())
      : client(default_client(), kClientAddress, 1, &client_trace),
        server(std::move(server_config), kServerAddress, 2, &server_trace) {}

  Connection& connect() { return **client.endpoint.connect(now, server.address, server.endpoint.public_key()); }
  Bytes take(Host& from) {
    Bytes last;
    from.poll(now, [&](const SocketAddress&, ByteView datagram) { last.assign(datagram.begin(), datagram.end()); });
    return last;
  }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(endpoint_trace)

BOOST_AUTO_TEST_CASE(both_handshake_messages_are_told_and_their_repetitions_as_such) {
  TracedHosts hosts;
  const ConnectionId client_id = hosts.connect().local_id();
  const Bytes message_1 = hosts.take(hosts.client);
  using Sent = HandshakeTrace::Sent;
  BOOST_TEST((hosts.client_trace.sent == std::vector{Sent{client_id, 1, false}}));
  hosts.server.receive(hosts.now, message_1, kClientAddress);
  BOOST_TEST(hosts.server_trace.sent.empty());  // told when it goes, not when it is made
  const Bytes message_2 = hosts.take(hosts.server);
  hosts.server.receive(hosts.now, message_1, kClientAddress);
  BOOST_TEST((hosts.take(hosts.server) == message_2));
  BOOST_REQUIRE(hosts.server_trace.sent.size() == 2u);
  const ConnectionId server_id = hosts.server_trace.sent[0].id;
  BOOST_TEST((server_id != ConnectionId()));
  BOOST_TEST((hosts.server_trace.sent == std::vector{Sent{server_id, 2, false}, Sent{server_id, 2, true}}));
  hosts.now = hosts.client.endpoint.next_timeout();
  hosts.client.endpoint.on_timeout(hosts.now);
  BOOST_TEST(!hosts.take(hosts.client).empty());
  BOOST_TEST((hosts.client_trace.sent == std::vector{Sent{client_id, 1, false}, Sent{client_id, 1, true}}));
}

BOOST_AUTO_TEST_CASE(an_answer_that_refuses_belongs_to_no_connection) {
  EndpointConfig config = default_server();
  config.authorize = [](const PublicKey&) { return false; };
  TracedHosts hosts(std::move(config));
  hosts.connect();
  const Bytes message_1 = hosts.take(hosts.client);
  for (const bool again : {false, true}) {
    hosts.server.receive(hosts.now, message_1, kClientAddress);
    BOOST_TEST(!hosts.take(hosts.server).empty());
    BOOST_TEST((hosts.server_trace.sent.back() == HandshakeTrace::Sent{ConnectionId(), 2, again}));
  }
  BOOST_TEST(hosts.server_trace.blocked.empty());
}

BOOST_AUTO_TEST_CASE(a_connection_is_blocked_by_its_handshake_until_that_is_over) {
  TracedHosts hosts;
  const Connection& connection = hosts.connect();
  using Blocked = std::pair<ConnectionId, BlockedBy>;
  BOOST_TEST((hosts.client_trace.blocked == std::vector{Blocked{connection.local_id(), BlockedBy::handshake}}));
  hosts.server.receive(hosts.now, hosts.take(hosts.client), kClientAddress);
  BOOST_REQUIRE(hosts.server_trace.blocked.size() == 1u);
  BOOST_TEST((hosts.server_trace.blocked[0].second == BlockedBy::handshake));
  const ConnectionId server_id = hosts.server_trace.blocked[0].first;

  hosts.client.receive(hosts.now, hosts.take(hosts.server), kServerAddress);
  hosts.server.receive(hosts.now, hosts.take(hosts.client), kClientAddress);
  hosts.take(hosts.server);
  BOOST_TEST((hosts.client_trace.blocked.back() == Blocked{connection.local_id(), BlockedBy::application}));
  BOOST_TEST((hosts.server_trace.blocked.back() == Blocked{server_id, BlockedBy::application}));
}

BOOST_AUTO_TEST_CASE(decisions_of_the_scheduler_are_told_to_those_who_want_them) {
  for (const bool wants : {false, true}) {
    TracedHosts hosts;
    hosts.client_trace.wants = wants;
    Connection& connection = hosts.connect();
    hosts.server.receive(hosts.now, hosts.take(hosts.client), kClientAddress);
    hosts.client.receive(hosts.now, hosts.take(hosts.server), kServerAddress);
    hosts.take(hosts.client);
    BOOST_TEST(hosts.client_trace.decisions == 0u);
    BOOST_TEST_REQUIRE(connection.send_message({.type = MessageType::call, .payload = text("x")}).has_value());
    hosts.take(hosts.client);
    BOOST_TEST(hosts.client_trace.decisions == (wants ? 1u : 0u));
  }
}

BOOST_AUTO_TEST_SUITE_END()
