// What mxp/handler.h promises of a handler that overrides nothing: whatever comes is taken and dropped, so that the
// peer goes on.
#include <boost/test/unit_test.hpp>
#include <unordered_set>

#include "mxp/endpoint.h"
#include "support/host.h"
#include "support/pattern.h"

using namespace mxp;
using namespace mxp::test;

namespace {

// Overrides only what is needed to get hold of the connection.
struct Passive : Handler {
  void on_connected(Connection& connected) override { connection = &connected; }
  Connection* connection = nullptr;
};

struct Passives {
  explicit Passives(const FlowControlConfig& flow_control) : server(config(flow_control), random, at_server) {
    BOOST_REQUIRE(client.connect(now, kServerAddress, server.public_key()).has_value());
    pump();
    BOOST_REQUIRE(at_client.connection != nullptr);
    BOOST_REQUIRE(at_server.connection != nullptr);
  }

  // Hands datagrams over until both are silent, deadline after deadline for five seconds.
  void pump() {
    const Timestamp end = now + std::chrono::seconds(5);
    while (now < end) {
      while (hand_over(client, server, kClientAddress, kServerAddress) ||
             hand_over(server, client, kServerAddress, kClientAddress)) {
      }
      now = std::min(end, std::max(now, std::min(client.next_timeout(), server.next_timeout())));
      for (Endpoint* each : {&client, &server})
        if (each->next_timeout() <= now) each->on_timeout(now);
    }
  }

  SeededRandom random{7};
  Passive at_client, at_server;
  Endpoint client{config({}), random, at_client};
  Endpoint server;
  Timestamp now{std::chrono::hours(1)};

 private:
  EndpointConfig config(const FlowControlConfig& flow_control) {
    EndpointConfig made{.identity = PrivateKey::generate(random), .accept = true};
    made.transport.flow_control = flow_control;
    return made;
  }
  bool hand_over(Endpoint& from, Endpoint& to, const SocketAddress& source, const SocketAddress& destination) {
    const auto sent = from.poll_transmit(now, buffer_);
    if (!sent) return false;
    const std::size_t step = sent->segment_size == 0 ? sent->size : sent->segment_size;
    for (std::size_t at = 0; at < sent->size; at += step)
      to.receive(now, {MutableBytes(buffer_).subspan(at, std::min(step, sent->size - at)), source, destination});
    return true;
  }
  std::vector<std::uint8_t> buffer_ = std::vector<std::uint8_t>(65536);
};

BOOST_AUTO_TEST_SUITE(default_handler)

BOOST_AUTO_TEST_CASE(data_beyond_every_window_are_taken) {
  Passives pair({.connection_window = 100'000,
                 .max_connection_window = 100'000,
                 .stream_window = 50'000,
                 .max_stream_window = 50'000});
  Connection& client = *pair.at_client.connection;
  const auto id = client.open_stream(StreamType::unidirectional);
  BOOST_REQUIRE(id.has_value());
  BOOST_TEST(*client.write(*id, std::vector<std::uint8_t>(250'000)) == 250'000u);
  BOOST_TEST(client.finish(*id).has_value());
  pair.pump();
  BOOST_TEST(client.stats().stream_bytes_acknowledged == 250'000u);
  BOOST_TEST(pair.at_server.connection->stats().stream_bytes_delivered == 250'000u);
}

// More streams than the peer allows at once: each that ends makes room for another, whoever ended it.
BOOST_AUTO_TEST_CASE(streams_that_either_side_gives_up_make_room_for_others) {
  Passives pair({.max_streams_bidirectional = 1});
  Connection& client = *pair.at_client.connection;
  Connection& server = *pair.at_server.connection;
  std::unordered_set<StreamId> used;
  for (const bool by_peer : {false, true, false}) {
    const auto id = client.open_stream(StreamType::bidirectional);
    BOOST_REQUIRE(id.has_value());
    BOOST_TEST(used.insert(*id).second);
    BOOST_TEST(!client.open_stream(StreamType::bidirectional).has_value());
    BOOST_TEST(*client.write(*id, std::vector<std::uint8_t>(10)) == 10u);
    pair.pump();
    Connection& quits = by_peer ? server : client;
    Connection& other = by_peer ? client : server;
    BOOST_TEST(quits.stop_sending(*id, AppErrorCode(1)).has_value());
    BOOST_TEST(quits.reset(*id, AppErrorCode(2)).has_value());
    pair.pump();
    BOOST_TEST(other.writable_bytes(*id) == 0u);
  }
  BOOST_TEST((client.state() == ConnectionState::established));
  BOOST_TEST((server.state() == ConnectionState::established));
}

BOOST_AUTO_TEST_CASE(what_is_told_of_messages_datagrams_calls_and_drains_is_dropped) {
  Passives passives({});
  Connection& connection = *passives.at_server.connection;
  Handler& handler = passives.at_server;
  BOOST_TEST(handler.on_message(connection, Message{}));
  handler.on_messages_expired(connection, 1);
  handler.on_message_outcome(connection, MessageTicket(), MessageOutcome::delivered);
  handler.on_messages_writable(connection, MessageClass::critical);
  handler.on_datagram(connection, {});
  handler.on_datagram_outcome(connection, 1, DatagramOutcome::delivered);
  handler.on_datagrams_writable(connection);
  handler.on_answer(connection, CallAnswer{});
  handler.on_call(connection, IncomingCall{});
  handler.on_call_cancelled(connection, IncomingCallId(), CallEnd{});
  handler.on_drain(connection, std::chrono::seconds(1));
  BOOST_TEST(handler.on_drained(connection));
  BOOST_TEST((connection.state() == ConnectionState::established));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
