// Receive times in ACKs from end to end (docs/protocol.md §4.2): a queue on the way there is known for what it is,
// whatever happens on the way back.
#include <boost/test/unit_test.hpp>
#include <string>

#include "connection/access.h"
#include "support/sim_pair.h"

using namespace mxp;
using namespace mxp::test;

namespace {

struct Asked {
  std::size_t client = 64;
  std::size_t server = 64;
};

SimConfig config_of(const std::string& up, const std::string& down, Asked asked) {
  SimConfig config{.up = up, .down = down, .seed = 3};
  for (const auto& [endpoint, times] :
       {std::pair{&config.client, asked.client}, std::pair{&config.server, asked.server}}) {
    endpoint->transport.recovery.receive_times_per_ack = times;
    endpoint->transport.max_udp_payload = kMinInitialSize;
  }
  config.client.transport.recovery.pacing = false;
  return config;
}

void expect_no_violations(const SimPair& sim) {
  for (const auto& violation : sim.violations()) BOOST_ERROR(violation);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(receive_times)

// The client sends ten full packets at once. On 10 Mbit/s each takes 0.98 ms, so the last one is on its way 9.8 ms
// longer than the small packet of the beginning, with which nothing was in the queue. On the way back times differ by
// tens of milliseconds: by chance, or because the server fills a queue there.
BOOST_AUTO_TEST_CASE(a_known_queue_is_measured_whatever_the_way_back_is_like) {
  constexpr Duration kTen = 10 * (1200 + 28) * 8 * 100ns;
  for (const bool bulk : {false, true}) {
    const char* down = bulk ? "rate 4mbit delay 20ms limit 40" : "delay 40ms 20ms";
    BOOST_TEST_CONTEXT(down) {
      SimPair sim(config_of("rate 10mbit delay 20ms limit 200", down, {}));
      sim.connect();
      Duration most{};
      sim.on_event = [&](Role role, const TraceEvent& event) {
        const auto* told = std::get_if<TraceForwardDelay>(&event);
        if (role == Role::client && told != nullptr) most = std::max(most, told->queue);
      };
      BOOST_REQUIRE(sim.run_until([&] { return sim.server.connected_count == 1; }, 2s));
      if (bulk)
        sim.server.open_and_send(**sim.server.connected.begin(), StreamType::unidirectional, std::uint64_t{1} << 40);
      sim.run_for(2s);  // and nothing of the beginning is under way
      Duration shortest = Duration::max(), longest{};
      for (int burst = 0; burst < 20; ++burst) {
        most = Duration::zero();
        sim.client.open_and_send(*sim.connection, StreamType::unidirectional, 11'600);
        sim.run_for(500ms);
        BOOST_TEST((most > kTen - 400us && most < kTen + 400us), burst << ": " << most / 1us << " us");
        shortest = std::min(shortest, sim.connection->stats().latest_rtt);
        longest = std::max(longest, sim.connection->stats().latest_rtt);
      }
      BOOST_TEST_MESSAGE("round trips of " << shortest / 1us << " to " << longest / 1us << " us");
      BOOST_TEST((longest - 40ms > 2 * kTen));  // the round trip does not tell
      expect_no_violations(sim);
    }
  }
}

BOOST_AUTO_TEST_CASE(nothing_is_told_unless_both_sides_ask) {
  for (const Asked asked : {Asked{0, 0}, Asked{64, 0}, Asked{0, 64}, Asked{64, 1}}) {
    SimPair sim(config_of("delay 20ms", "=", asked));
    sim.server.reply_bytes = 100'000;
    sim.client.connected_hook = [&](Connection& connection) {
      sim.client.open_and_send(connection, StreamType::bidirectional, 100'000);
    };
    sim.connect();
    sim.run_for(2s);
    BOOST_TEST(sim.server.bytes_received == 100'000u);
    BOOST_TEST(sim.client.bytes_received == 100'000u);
    const bool both = asked.client > 0 && asked.server > 0;
    for (Connection* side : {sim.connection, *sim.server.connected.begin()})
      BOOST_TEST(side->stats().forward_queue_delay.has_value() == both);
    expect_no_violations(sim);
  }
}

// The server sends to a client that another address is given: what was measured was true of the old path.
BOOST_AUTO_TEST_CASE(another_path_is_measured_anew) {
  SimConfig config = config_of("delay 20ms", "rate 10mbit delay 20ms limit 200", {});
  config.client.transport.keepalive = 100ms;
  SimPair sim(std::move(config));
  sim.server.reply_bytes = std::uint64_t{1} << 40;
  sim.client.connected_hook = [&](Connection& connection) {
    sim.client.open_and_send(connection, StreamType::bidirectional, 10);
  };
  sim.connect();
  sim.run_for(2s);
  Connection& server = **sim.server.connected.begin();
  BOOST_REQUIRE(server.stats().forward_queue_delay.has_value());
  // Another port of the same machine is the same path.
  sim.client_address.port = 40001;
  BOOST_REQUIRE(sim.run_until([&] { return server.stats().path_changes == 1; }, 4s));
  BOOST_TEST(server.stats().forward_queue_delay.has_value());
  sim.client_address = SocketAddress::ipv4(10, 0, 7, 7, 40000);
  BOOST_REQUIRE(sim.run_until([&] { return server.stats().path_changes == 2; }, 6s));
  BOOST_TEST(!server.stats().forward_queue_delay.has_value());
  sim.run_for(2s);
  BOOST_TEST(server.stats().forward_queue_delay.has_value());
  expect_no_violations(sim);
}

BOOST_AUTO_TEST_SUITE_END()
