// Many connections on one listener, each with its own streams.
#include <boost/test/unit_test.hpp>

#include "support/sim_pair.h"

using namespace mxp;
using namespace mxp::test;

BOOST_AUTO_TEST_CASE(two_hundred_connections_on_one_listener_deliver_every_byte) {
  constexpr std::uint64_t kConnections = 200;
  SimPair sim({.up = "delay 10ms loss 1% rate 200mbit limit 5000", .down = "=", .seed = 11});
  sim.server.reply_bytes = 700;
  sim.client.connected_hook = [&](Connection& connection) {
    for (int i = 0; i < 5; ++i) sim.client.open_and_send(connection, StreamType::bidirectional, 3000);
  };
  for (std::uint64_t i = 0; i < kConnections; ++i) BOOST_REQUIRE(sim.connect() != nullptr);
  const bool done = sim.run_until(
      [&] {
        return sim.server.bytes_received == kConnections * 5 * 3000 &&
               sim.client.bytes_received == kConnections * 5 * 700 && sim.client.all_sent_acknowledged() &&
               sim.server.all_sent_acknowledged();
      },
      60s);
  for (const std::string& text : sim.violations()) BOOST_ERROR(text);
  BOOST_TEST(done);
  BOOST_TEST(sim.server_endpoint->connection_count() == kConnections);

  // And all of them end.
  sim.client_endpoint->close_all(0, "done");
  sim.run_for(30s);
  BOOST_TEST(sim.client.closed.size() == kConnections);
  BOOST_TEST(sim.server.closed.size() >= kConnections * 9 / 10);  // a CLOSE may be lost; the idle timer takes the rest
  sim.run_for(60s);
  BOOST_TEST(sim.server.closed.size() == kConnections);
  BOOST_TEST(sim.client_endpoint->connection_count() == 0u);
  BOOST_TEST(sim.server_endpoint->connection_count() == 0u);
}
