// Threats t67 and t68: what a hostile peer can do with calls and with answers. Here it is an application that sends what
// messages it likes, on a side where the connection itself knows nothing of calls.
#include <boost/test/unit_test.hpp>

#include "support/sim_pair.h"

using namespace mxp;
using namespace mxp::test;

namespace calls_test {

BOOST_AUTO_TEST_SUITE(calls)

namespace {

constexpr Uuid kTarget = {7};
using Bytes = std::vector<std::uint8_t>;

SimConfig on(Role victim, SimConfig config = {}) {
  config.up = "delay 5ms rate 100mbit";
  config.down = "=";
  (victim == Role::client ? config.client : config.server).transport.calls.enabled = true;
  return config;
}

struct Scene {
  explicit Scene(const SimConfig& config) : sim(config) {
    sim.connect();
    BOOST_TEST_REQUIRE(
        sim.run_until([&] { return sim.client.connected_count == 1 && sim.server.connected_count == 1; }, 30s));
  }
  Connection& at_server() const { return **sim.server.connected.begin(); }
  bool is_open() const {
    return sim.connection->state() == ConnectionState::established && sim.client.closed.empty() &&
           sim.server.closed.empty();
  }
  SimPair sim;
};

void send(Connection& from, MessageType type, std::uint64_t id, const Bytes& payload = {}) {
  BOOST_TEST_REQUIRE(from.send_message({.type = type, .id = id, .payload = payload}).has_value());
}

}  // namespace

// The peer never lets a refusal come in, so what is under way to it piles up on our side.
BOOST_AUTO_TEST_CASE(t67_flood_of_calls_fills_neither_the_application_nor_memory) {
  SimConfig config = on(Role::server);
  config.server.transport.calls.max_incoming = 100;
  config.server.transport.messages.send_buffer = 50'000;
  config.client.transport.messages.receive_window = config.client.transport.messages.max_receive_window = 4096;
  Scene scene(config);
  std::uint64_t told = 0, over = 0;
  scene.sim.server.call_hook = [&](Connection&, const IncomingCall&) { ++told; };
  scene.sim.server.call_cancelled_hook = [&](Connection&, IncomingCallId, CallEnd) { ++over; };
  scene.sim.client.message_hook = [](const Message&) { return false; };
  const Bytes without_limit = encode_payload(CallPayload{kTarget, 0, {}});
  std::uint64_t sent = 0, most = 0;
  scene.sim.run_until(
      [&] {
        for (int i = 0; i != 500 && sent != 50'000; ++i)
          if (scene.sim.connection->send_message({.type = MessageType::call, .id = sent, .payload = without_limit}))
            ++sent;
        most = std::max(most, scene.sim.server_endpoint->stats().memory_in_use);
        return scene.at_server().stats().messages_received == 50'000;
      },
      60s);
  BOOST_TEST(scene.at_server().stats().messages_received == 50'000u);
  BOOST_TEST(told == 100u);
  BOOST_TEST(over == 0u);
  BOOST_TEST(scene.at_server().stats().calls_refused == 49'900u);
  BOOST_TEST(most < 300'000u);
  BOOST_TEST(scene.is_open());
  BOOST_TEST(scene.sim.violations().empty());
}

BOOST_AUTO_TEST_CASE(t67_calls_that_are_none_and_ids_that_are_open_are_not_told) {
  Scene scene(on(Role::server));
  std::uint64_t told = 0;
  scene.sim.server.call_hook = [&](Connection&, const IncomingCall&) { ++told; };
  std::uint64_t refused = 0;
  scene.sim.client.message_hook = [&](const Message& message) {
    const auto error = decode_error(message.payload);
    if (message.type == MessageType::error && error && error->reason == ErrorReason::bad_payload) ++refused;
    return false;
  };
  for (std::uint64_t size = 0; size != 20; ++size) send(*scene.sim.connection, MessageType::call, size, Bytes(size));
  for (int i = 0; i != 10; ++i) send(*scene.sim.connection, MessageType::call, 77, Bytes(20));
  scene.sim.run_for(1s);
  BOOST_TEST(told == 1u);
  BOOST_TEST(refused == 1u);  // and the others wait behind it, since the client takes none
  BOOST_TEST(scene.at_server().stats().calls_malformed == 29u);
  BOOST_TEST(scene.is_open());
}

BOOST_AUTO_TEST_CASE(t68_answers_that_nobody_waits_for_change_nothing) {
  Scene scene(on(Role::client));
  std::map<std::uint64_t, std::vector<CallOutcome>> outcomes;  // by cookie
  scene.sim.client.answer_hook = [&](Connection&, const CallAnswer& answer) {
    outcomes[answer.cookie].push_back(answer.outcome);
  };
  std::uint64_t strays = 0;
  scene.sim.client.message_hook = [&](const Message&) { return ++strays, false; };
  const Bytes failure = encode_payload(ErrorPayload{ErrorReason::full, "no"});
  const Bytes taken_back = encode_payload(ErrorPayload{ErrorReason::cancelled, {}});
  // The hostile server answers the first call four times, and nobody's calls, and takes back calls that it never made.
  std::uint64_t answered = 0;
  scene.sim.server.messages_have_pattern = false;
  scene.sim.server.message_hook = [&](const Message& call) {
    if (++answered != 1) return true;
    Connection& server = scene.at_server();
    for (const std::uint64_t id :
         {call.id, call.id, call.id + 1024, call.id ^ std::uint64_t{1} << 40, std::uint64_t{0}}) {
      send(server, MessageType::response, id);
      send(server, MessageType::error, id, failure);
      send(server, MessageType::error, id, taken_back);
      send(server, MessageType::error, id, {1});
    }
    return true;
  };
  for (std::uint64_t cookie = 0; cookie != 3; ++cookie)
    BOOST_TEST_REQUIRE(scene.sim.connection->call(kTarget, {}, {.timeout = 1s, .cookie = cookie}).has_value());
  scene.sim.run_for(500ms);
  BOOST_TEST(answered == 3u);
  BOOST_TEST((outcomes[0] == std::vector{CallOutcome::answered}));
  BOOST_TEST((outcomes[1].empty() && outcomes[2].empty()));
  const auto stats = scene.sim.connection->stats();
  BOOST_TEST(stats.answers_unmatched == 3u);
  BOOST_TEST(stats.calls_malformed == 2u);
  BOOST_TEST(strays > 0u);  // what cannot be an answer to a call of ours is the application's, as without calls
  BOOST_TEST(scene.is_open());
  scene.sim.run_for(2s);
  BOOST_TEST((outcomes[1] == std::vector{CallOutcome::timed_out}));
  BOOST_TEST((outcomes[2] == std::vector{CallOutcome::timed_out}));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace calls_test
