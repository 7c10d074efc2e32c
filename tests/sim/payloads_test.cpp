// Compressed and sealed payloads over links of virtual time.
#include <boost/test/unit_test.hpp>

#include "support/host.h"
#include "support/sim_pair.h"

using namespace mxp;
using namespace mxp::test;

namespace payloads_test {
namespace {

constexpr auto kBoth =
    static_cast<std::uint8_t>(MessageFlag::compressed) | static_cast<std::uint8_t>(MessageFlag::encrypted);
constexpr PayloadCompression kZstd = PayloadCompression::zstd;
constexpr PayloadSealing kToPeer = PayloadSealing::to_peer;

std::vector<std::uint8_t> payload_of(std::uint64_t id) {
  return std::vector<std::uint8_t>(200 + id % 3000, static_cast<std::uint8_t>(id));
}

struct Scene {
  SimPair sim;
  std::map<std::uint64_t, int> came;  // how often, by id
  int wrong = 0;
  Timestamp last{};

  explicit Scene(const std::string& link, SimConfig config = {})
      : sim([&] {
          config.up = link;
          config.down = "=";
          return config;
        }()) {
    sim.connect();
    BOOST_TEST_REQUIRE(sim.run_until([&] { return sim.server.connected_count == 1; }, 30s));
    sim.server.messages_have_pattern = false;
    sim.server.message_hook = [this](const Message& message) {
      const bool right = message.flags == 0 && message.origin != nullptr && message.origin->flags == kBoth &&
                         message.origin->sealed_by == sim.client_endpoint->public_key() &&
                         std::ranges::equal(message.payload, payload_of(message.id));
      if (!right) ++wrong;
      ++came[message.id];
      last = sim.now();
      return true;
    };
  }
  void send(std::uint64_t count) {
    for (std::uint64_t id = 0; id != count; ++id) {
      const auto payload = payload_of(id);
      const auto type = id % 2 == 0 ? MessageType::event : MessageType::stream_chunk;
      BOOST_TEST_REQUIRE(
          sim.connection
              ->send_message({.type = type, .id = id, .payload = payload}, {.compress = kZstd, .seal = kToPeer})
              .has_value());
    }
  }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(payloads)

// The packet with which its turn comes is received before the deadline is looked at, as an event loop does.
BOOST_AUTO_TEST_CASE(a_payload_whose_turn_comes_with_a_packet_is_told) {
  DirectPair::Config config;
  config.server.limits.max_opened_payloads = 10;
  DirectPair pair(std::move(config));
  Connection& client = *pair.establish();
  Connection& server = *pair.server_connection();
  for (std::uint64_t id = 0; id != 5; ++id) {
    const auto payload = payload_of(id);
    BOOST_TEST_REQUIRE(
        client.send_message({.type = MessageType::event, .id = id, .payload = payload}, {.seal = kToPeer}).has_value());
  }
  pair.exchange();
  while (pair.server.endpoint.next_timeout() - pair.now < 50ms) pair.advance(1ms);
  const std::uint64_t opened = server.stats().payloads_opened;
  BOOST_TEST_REQUIRE(server.stats().messages_kept != 0u);
  BOOST_TEST_REQUIRE(client.write(*client.open_stream(StreamType::unidirectional), Bytes(1)).has_value());
  pair.now += 200ms;
  pair.client.poll(pair.now, [&](const SocketAddress&, ByteView datagram) {
    pair.server.receive(pair.now, datagram, pair.client.address);
  });
  pair.server.poll(pair.now, [](const SocketAddress&, ByteView) {});
  BOOST_TEST(server.stats().payloads_opened > opened);
}

BOOST_AUTO_TEST_CASE(compressed_and_sealed_messages_cross_a_lossy_link_once_each) {
  Scene scene("delay 10ms loss 5% reorder 5% duplicate 1% rate 10mbit");
  scene.send(2000);
  BOOST_TEST(scene.sim.run_until([&] { return scene.came.size() == 2000; }, 60s));
  scene.sim.run_for(1s);
  BOOST_TEST(std::ranges::all_of(scene.came, [](const auto& it) { return it.second == 1; }));
  BOOST_TEST(scene.wrong == 0);
  BOOST_TEST(scene.sim.violations().empty());
}

// Nothing else wakes the server when the turns come.
BOOST_AUTO_TEST_CASE(t80_an_endpoint_opens_no_more_than_its_rate) {
  SimConfig config;
  config.server.limits.max_opened_payloads = 100;
  Scene scene("delay 1ms rate 1gbit", config);
  const Timestamp begin = scene.sim.now();
  scene.send(300);
  BOOST_TEST(scene.sim.run_until([&] { return scene.came.size() == 300; }, 60s));
  BOOST_TEST((scene.last - begin > 2800ms));
  BOOST_TEST((scene.last - begin < 3200ms));
  BOOST_TEST(scene.wrong == 0);
  BOOST_TEST(scene.sim.violations().empty());
}

BOOST_AUTO_TEST_CASE(t80_what_waits_when_the_peer_closes_is_told_before_the_end) {
  SimConfig config;
  config.server.limits.max_opened_payloads = 100;
  Scene scene("delay 1ms rate 1gbit", config);
  SimPair& sim = scene.sim;
  std::map<std::uint64_t, int> sealed;
  sim.server.message_hook = [&](const Message& message) {
    BOOST_TEST(sim.server.closed.empty());
    if ((message.flags & kBoth) == kBoth) ++sealed[message.id];
    else ++scene.came[message.id];
    return true;
  };
  scene.send(300);
  sim.run_for(100ms);
  BOOST_TEST(scene.came.size() < 50u);
  sim.connection->close(0, "done");
  sim.run_for(100ms);
  BOOST_TEST(sim.server.closed.size() == 1u);
  BOOST_TEST(scene.came.size() + sealed.size() == 300u);
  BOOST_TEST(sim.violations().empty());
}

BOOST_AUTO_TEST_CASE(compressed_and_sealed_calls_are_answered_once_each) {
  SimConfig config;
  config.client.transport.calls.enabled = config.server.transport.calls.enabled = true;
  Scene scene("delay 10ms loss 5% reorder 5% duplicate 1% rate 10mbit", config);
  SimPair& sim = scene.sim;
  sim.server.call_hook = [&](Connection& connection, const IncomingCall& call) {
    if (call.origin == nullptr || call.origin->flags != kBoth) ++scene.wrong;
    BOOST_TEST_REQUIRE(connection.answer(call.id, call.data, {.compress = kZstd, .seal = kToPeer}).has_value());
  };
  std::map<std::uint64_t, int> answered;
  sim.client.answer_hook = [&](Connection&, const CallAnswer& answer) {
    const bool right =
        answer.outcome == CallOutcome::answered && answer.flags == 0 && answer.origin != nullptr &&
        answer.origin->flags == kBoth &&
        std::ranges::equal(answer.data, std::vector<std::uint8_t>(500, static_cast<std::uint8_t>(answer.cookie)));
    if (!right) ++scene.wrong;
    ++answered[answer.cookie];
  };
  for (std::uint64_t i = 0; i != 500; ++i) {
    const std::vector<std::uint8_t> data(500, static_cast<std::uint8_t>(i));
    BOOST_TEST_REQUIRE(sim.connection->call({7}, data, {.cookie = i, .compress = kZstd, .seal = kToPeer}).has_value());
  }
  BOOST_TEST(sim.run_until([&] { return answered.size() == 500; }, 60s));
  sim.run_for(1s);
  BOOST_TEST(std::ranges::all_of(answered, [](const auto& it) { return it.second == 1; }));
  BOOST_TEST(scene.wrong == 0);
  BOOST_TEST(sim.violations().empty());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace payloads_test
