// Ends in order over links of virtual time: what was begun arrives, whatever the link loses, and both sides hear of an
// end without an error.
#include <fmt/format.h>

#include <boost/test/unit_test.hpp>
#include <map>
#include <vector>

#include "support/sim_pair.h"

using namespace mxp;
using namespace mxp::test;

namespace drain_test {
namespace {

constexpr Uuid kTarget = {7};
constexpr std::uint64_t kMessages = 500, kCalls = 200, kStreams = 10, kBytes = 30'000;

SimConfig busy(std::string link, std::uint64_t seed) {
  SimConfig config{.up = std::move(link), .down = "=", .seed = seed};
  for (EndpointConfig* side : {&config.client, &config.server}) side->transport.calls.enabled = true;
  return config;
}

// Both sides begin streams, messages and calls, which the other answers a little later.
struct Scene {
  explicit Scene(const SimConfig& config) : sim(config) {
    for (SimApplication* side : {&sim.client, &sim.server}) {
      side->reply_bytes = 5'000;
      side->call_hook = [this](Connection& connection, const IncomingCall& call) {
        open_calls.push_back({sim.now() + 20ms, &connection, call.id});
      };
      side->answer_hook = [this](Connection&, const CallAnswer& answer) { ++answers[answer.outcome]; };
    }
    sim.connect();
    BOOST_TEST_REQUIRE(
        sim.run_until([&] { return sim.client.connected_count == 1 && sim.server.connected_count == 1; }, 30s));
  }
  Connection& of(Role role) { return role == Role::client ? *sim.connection : **sim.server.connected.begin(); }
  SimApplication& app(Role role) { return role == Role::client ? sim.client : sim.server; }

  void begin_work() {
    for (const Role role : {Role::client, Role::server}) {
      for (std::uint64_t i = 0; i != kStreams; ++i)
        app(role).open_and_send(of(role), i % 2 == 0 ? StreamType::bidirectional : StreamType::unidirectional, kBytes);
      app(role).send_messages(of(role), {.count = kMessages, .size = 100}, sim.now());
      for (std::uint64_t i = 0; i != kCalls; ++i) BOOST_TEST_REQUIRE(of(role).call(kTarget, {}).has_value());
    }
  }
  void drain(Role role, Duration time = 120s) { BOOST_TEST_REQUIRE(of(role).drain(sim.now() + time).has_value()); }
  void answer_calls() {
    std::erase_if(open_calls, [&](const auto& call) {
      if (call.due > sim.now()) return false;
      if (!call.connection->answer(call.id, {})) ++unanswered;
      return true;
    });
  }
  bool is_over() const { return !sim.client.closed.empty() && !sim.server.closed.empty(); }
  // In small steps, because calls are answered at times of which the endpoints know nothing.
  void run_for(Duration span) {
    const Timestamp end = sim.now() + span;
    while (sim.now() < end && !is_over()) {
      answer_calls();
      sim.run_until([this] { return is_over(); }, sim.elapsed() + std::min<Duration>(5ms, end - sim.now()));
    }
  }
  bool runs_to_the_end(Duration limit = 300s) {
    run_for(limit);
    return is_over();
  }

  void everything_arrived() {
    BOOST_TEST(sim.violations().empty(), boost::test_tools::per_element());
    // Of two-way streams, the other side's reply as well.
    const std::uint64_t bytes = kStreams * kBytes + kStreams / 2 * 5'000;
    for (SimApplication* side : {&sim.client, &sim.server}) {
      BOOST_TEST(side->bytes_received == bytes);
      BOOST_TEST(side->all_sent_acknowledged());
      BOOST_TEST(side->messages_received.size() == kMessages);
      BOOST_TEST(side->outcomes.size() == kMessages);
      for (const auto& [ticket, outcome] : side->outcomes) BOOST_TEST((outcome == MessageOutcome::delivered), ticket);
    }
    BOOST_TEST(answers[CallOutcome::answered] == 2 * kCalls);
    BOOST_TEST(answers.size() == 1u);
    BOOST_TEST(unanswered == 0u);
  }
  void ended_without_an_error() {
    BOOST_TEST_REQUIRE(is_over());
    for (const SimApplication* side : {&sim.client, &sim.server}) {
      BOOST_TEST(side->closed.size() == 1u);
      BOOST_TEST(side->closed[0].application);
      BOOST_TEST(side->closed[0].code == 0u);
      BOOST_TEST(side->closed[0].reason == "drained");
    }
  }

  struct OpenCall {
    Timestamp due;
    Connection* connection;
    IncomingCallId id;
  };
  std::vector<OpenCall> open_calls;
  std::map<CallOutcome, std::uint64_t> answers;
  std::uint64_t unanswered = 0;
  SimPair sim;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(drain)

BOOST_AUTO_TEST_CASE(nothing_is_lost_on_lossy_links) {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    BOOST_TEST_CONTEXT("seed " << seed) {
      Scene scene(busy(fmt::format("delay {}ms rate 20mbit loss {}% reorder 2% duplicate 1%", 5 + seed % 4 * 20,
                                   seed % 3 == 0 ? 10 : 3),
                       seed));
      scene.begin_work();
      // Some when all of it waits, some in the midst, some when it is over.
      scene.run_for(seed % 8 * 50ms);
      const Role beginner = seed % 2 == 0 ? Role::client : Role::server;
      scene.drain(beginner);
      if (seed % 5 == 0) scene.drain(peer_of(beginner));
      BOOST_TEST(scene.runs_to_the_end());
      scene.everything_arrived();
      scene.ended_without_an_error();
    }
  }
}

BOOST_AUTO_TEST_CASE(nothing_is_lost_while_keys_turn_and_the_client_moves) {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    BOOST_TEST_CONTEXT("seed " << seed) {
      SimConfig config = busy("delay 20ms rate 10mbit loss 1%", seed);
      config.client.transport.key_update.packets = config.server.transport.key_update.packets = 50;
      Scene scene(config);
      scene.begin_work();
      scene.drain(seed % 2 == 0 ? Role::client : Role::server);
      int moves = 0;
      for (scene.run_for(seed * 7ms); moves != 3 && !scene.is_over(); scene.run_for(100ms), ++moves)
        ++scene.sim.client_address.port;
      BOOST_TEST(scene.runs_to_the_end());
      BOOST_TEST(moves == 3);
      scene.everything_arrived();
      scene.ended_without_an_error();
    }
  }
}

BOOST_AUTO_TEST_CASE(a_side_that_is_cut_off_is_closed_at_the_deadline) {
  Scene scene(busy("delay 10ms rate 10mbit", 1));
  scene.begin_work();
  scene.drain(Role::client, 3s);
  scene.sim.run_for(100ms);
  scene.sim.filter = [](Role, ByteView) { return true; };
  BOOST_TEST(scene.sim.run_until([&] { return !scene.sim.client.closed.empty(); }, 4s));
  BOOST_TEST((scene.sim.client.closed[0].transport_code() == TransportErrorCode::drain_deadline));
}

// What the application does not take is not lost: the connection waits for it, up to the deadline.
BOOST_AUTO_TEST_CASE(messages_that_are_not_taken_hold_the_end_up) {
  for (const bool comes_back : {false, true}) {
    Scene scene(busy("delay 10ms rate 10mbit", 2));
    bool takes = false;
    scene.sim.server.message_hook = [&](const Message&) { return takes; };
    scene.sim.client.send_messages(*scene.sim.connection, {.count = 20, .size = 10}, scene.sim.now());
    scene.drain(Role::client, 3s);
    scene.sim.run_for(2s);
    BOOST_TEST(scene.sim.client.closed.empty());
    BOOST_TEST(scene.sim.server.consents_asked == 0u);
    if (comes_back) {
      takes = true;
      scene.of(Role::server).resume_messages();
    }
    BOOST_TEST(scene.runs_to_the_end(10s));
    if (comes_back) {
      scene.ended_without_an_error();
      BOOST_TEST(scene.sim.server.messages_received.size() == 20u);
    } else {
      for (const SimApplication* side : {&scene.sim.client, &scene.sim.server})
        BOOST_TEST((side->closed[0].transport_code() == TransportErrorCode::drain_deadline));
    }
  }
}

// A worker that has to finish something that the connection knows nothing of.
BOOST_AUTO_TEST_CASE(an_application_with_work_of_its_own_delays_the_end) {
  Scene scene(busy("delay 10ms rate 10mbit loss 2%", 3));
  bool busy_still = true;
  scene.sim.server.drained_hook = [&](Connection&) { return !busy_still; };
  scene.begin_work();
  scene.drain(Role::client, 60s);
  scene.run_for(20s);
  BOOST_TEST(scene.sim.server.consents_asked == 1u);
  BOOST_TEST(scene.sim.client.closed.empty());
  busy_still = false;
  scene.drain(Role::server, 60s);
  BOOST_TEST(scene.runs_to_the_end());
  BOOST_TEST(scene.sim.server.consents_asked == 2u);
  scene.everything_arrived();
  scene.ended_without_an_error();
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace drain_test
