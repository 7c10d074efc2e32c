// A client whose address changes (RFC 9000 §9): under it, as behind a NAT that forgets, because it wants to, or because
// its old one is gone. The transfer goes on. The simulator watches that no address gets more than three times what came
// from there before it can be proven.
#include <boost/test/unit_test.hpp>
#include <string>

#include "support/sanitized.h"
#include "support/sim_pair.h"

using namespace mxp;
using namespace mxp::test;

namespace {

// A transfer in which the client's address changes every so often. Returns how long it took.
struct Moving {
  explicit Moving(const std::string& link, std::uint64_t up_bytes, std::uint64_t down_bytes = 0, std::uint64_t seed = 5)
      : Moving(config_of(link, seed), up_bytes, down_bytes) {}
  Moving(SimConfig config, std::uint64_t up_bytes, std::uint64_t down_bytes = 0)
      : sim(std::move(config)), up(up_bytes), down(down_bytes) {
    sim.server.reply_bytes = down;
    sim.client.connected_hook = [this](Connection& connection) {
      sim.client.open_and_send(connection, StreamType::bidirectional, up);
    };
    sim.connect();
  }
  static SimConfig config_of(const std::string& link, std::uint64_t seed) {
    SimConfig config{.up = link, .down = "=", .seed = seed};
    // A client that only waits for data says nothing, and nobody would hear that its address has changed.
    config.client.transport.keepalive = 300ms;
    return config;
  }
  bool done() const {
    return sim.server.bytes_received == up && sim.client.bytes_received == down && sim.client.connected_count == 1 &&
           sim.client.all_sent_acknowledged();
  }
  // Every second another port, every third second another address as well.
  bool run(Duration limit, Duration every = 1s) {
    unsigned moves = 0;
    while (!done() && sim.elapsed() < limit) {
      sim.run_until([&] { return done(); }, sim.elapsed() + every);
      if (done()) break;
      ++moves;
      const auto host = static_cast<std::uint8_t>(1 + moves / 3 % 200);
      sim.client_address = SocketAddress::ipv4(10, 0, 1, host, static_cast<std::uint16_t>(40001 + moves));
    }
    return done();
  }

  SimPair sim;
  std::uint64_t up;
  std::uint64_t down;
};

}  // namespace

namespace {

const SocketAddress kMobile = SocketAddress::ipv4(10, 9, 0, 1, 40000);  // the machine's other interface

}  // namespace

BOOST_AUTO_TEST_SUITE(migration)

BOOST_AUTO_TEST_CASE(a_transfer_survives_a_new_port_each_second_and_a_new_address_every_third) {
  const std::string link = "delay 25ms rate 50mbit limit 500";
  Moving still(link, 40 << 20);
  BOOST_REQUIRE(still.sim.run_until([&] { return still.done(); }, 60s));
  Moving moving(link, 40 << 20);
  BOOST_REQUIRE(moving.run(60s));
  BOOST_TEST_MESSAGE("still " << still.sim.elapsed() / 1ms << " ms, moving " << moving.sim.elapsed() / 1ms << " ms");
  BOOST_TEST((still.sim.elapsed() * 10 >= moving.sim.elapsed() * 8));
  for (const auto& violation : moving.sim.violations()) BOOST_ERROR(violation);
}

BOOST_AUTO_TEST_CASE(a_download_survives_it_too) {
  Moving moving("delay 25ms rate 50mbit limit 500", 4 << 20, 20 << 20);
  BOOST_REQUIRE(moving.run(60s));
  for (const auto& violation : moving.sim.violations()) BOOST_ERROR(violation);
}

BOOST_AUTO_TEST_CASE(lossy_links_and_many_seeds) {
  for (std::uint64_t seed = 1; seed <= (kSanitized ? 5 : 20); ++seed) {
    Moving moving("delay 10ms 3ms loss 3% reorder 5% duplicate 2% rate 20mbit limit 100", 2 << 20, 2 << 20, seed);
    BOOST_TEST_CONTEXT("seed " << seed) {
      BOOST_TEST(moving.run(60s, 200ms));
      for (const auto& violation : moving.sim.violations()) BOOST_ERROR(violation);
    }
  }
}

// Each controller keeps its share, also from a cut that a move may cost it.
BOOST_AUTO_TEST_CASE(with_each_controller) {
  for (const CongestionControl cc : {CongestionControl::bbr, CongestionControl::cubic, CongestionControl::newreno}) {
    SimConfig config = Moving::config_of("delay 25ms rate 50mbit limit 500", 5);
    config.client.transport.recovery.congestion_control = cc;
    SimConfig again = config;
    Moving still(std::move(again), 20 << 20), moving(std::move(config), 20 << 20);
    BOOST_REQUIRE(still.sim.run_until([&] { return still.done(); }, 60s));
    BOOST_REQUIRE(moving.run(60s));
    BOOST_TEST((still.sim.elapsed() * 10 >= moving.sim.elapsed() * 8),
               "controller " << static_cast<int>(cc) << ": " << still.sim.elapsed() / 1ms << " ms, "
                             << moving.sim.elapsed() / 1ms);
    for (const auto& violation : moving.sim.violations()) BOOST_ERROR(violation);
  }
}

// What a path has learned stays where only a NAT's port is new, and is of no use elsewhere.
BOOST_AUTO_TEST_CASE(a_new_host_begins_anew_and_a_new_port_does_not) {
  for (const bool new_host : {false, true}) {
    Moving moving("delay 25ms rate 50mbit limit 500", 1000, 30 << 20);
    SimPair& sim = moving.sim;
    sim.run_until([&] { return sim.client.bytes_received > 8 << 20; }, 10s);
    const Connection& server = **sim.server.connected.begin();
    const ConnectionStats before = server.stats();
    BOOST_TEST(before.datagram_size == 1472u);
    BOOST_TEST(before.congestion_window > 200'000u);
    sim.client_address = new_host ? kMobile : SocketAddress::ipv4(10, 0, 0, 1, 40001);
    BOOST_REQUIRE(sim.run_until([&] { return server.stats().path_changes == 1; }, 20s));
    const ConnectionStats after = server.stats();
    BOOST_TEST(after.has_rtt == !new_host);
    BOOST_TEST((after.congestion_window < 20'000) == new_host);
    BOOST_TEST(sim.run_until([&] { return moving.done(); }, 20s));
    BOOST_TEST(server.stats().datagram_size == 1472u);
    for (const auto& violation : sim.violations()) BOOST_ERROR(violation);
  }
}

// ---- the client moves of its own accord

BOOST_AUTO_TEST_CASE(a_client_moves_to_another_interface_and_loses_nothing) {
  Moving moving("delay 25ms rate 50mbit limit 500", 8 << 20, 8 << 20);
  SimPair& sim = moving.sim;
  sim.client_interfaces.insert(kMobile);
  sim.run_until([&] { return sim.server.bytes_received > 2 << 20; }, 10s);
  const ConnectionId before = sim.connection->remote_id();
  BOOST_REQUIRE(sim.connection->migrate(kMobile).has_value());
  // It asks first: nothing has moved yet.
  sim.run_for(20ms);
  BOOST_TEST(sim.connection->stats().path_changes == 0u);
  sim.run_for(200ms);
  BOOST_TEST(sim.connection->stats().path_changes == 1u);
  BOOST_TEST((sim.server.outgoing.begin()->second.connection->remote_address() == kMobile));
  BOOST_TEST((sim.connection->remote_id() != before));  // RFC 9000 §9.5
  // The old interface goes, and nothing needs it.
  sim.client_address = kMobile;
  BOOST_TEST(sim.run_until([&] { return moving.done(); }, 20s));
  BOOST_TEST(sim.connection->stats().packets_lost == 0u);
  for (const auto& violation : sim.violations()) BOOST_ERROR(violation);
}

BOOST_AUTO_TEST_CASE(a_path_on_which_nobody_answers_is_given_up) {
  Moving moving("delay 25ms rate 50mbit limit 500", 20 << 20);
  SimPair& sim = moving.sim;
  sim.run_for(500ms);
  BOOST_REQUIRE(sim.connection->migrate(kMobile).has_value());  // from where nothing gets out
  BOOST_TEST(sim.run_until([&] { return moving.done(); }, 20s));
  BOOST_TEST(sim.connection->stats().path_changes == 0u);
  BOOST_TEST(sim.connection->stats().persistent_congestion == 0u);
  // Another attempt is possible afterwards.
  sim.client_interfaces.insert(kMobile);
  BOOST_REQUIRE(sim.connection->migrate(kMobile).has_value());
  sim.run_for(1s);
  BOOST_TEST(sim.connection->stats().path_changes == 1u);
  for (const auto& violation : sim.violations()) BOOST_ERROR(violation);
}

BOOST_AUTO_TEST_CASE(a_client_whose_address_is_gone_moves_at_once) {
  Moving moving("delay 25ms rate 50mbit limit 500", 4 << 20, 20 << 20);
  SimPair& sim = moving.sim;
  sim.run_until([&] { return sim.client.bytes_received > 4 << 20; }, 10s);
  const ConnectionId before = sim.connection->remote_id();
  sim.client_address = kMobile;
  // The same address as before is no news; a new one is.
  sim.client_endpoint->on_local_address(sim.now(), sim.server_address, SocketAddress::ipv4(10, 0, 0, 1, 0));
  BOOST_TEST(sim.connection->stats().path_changes == 0u);
  sim.client_endpoint->on_local_address(sim.now(), sim.server_address, SocketAddress::ipv4(10, 9, 0, 1, 0));
  BOOST_TEST(sim.connection->stats().path_changes == 1u);
  BOOST_TEST((sim.connection->remote_id() != before));
  const Duration moved_at = sim.elapsed();
  const std::uint64_t received = sim.client.bytes_received;
  sim.run_until([&] { return sim.client.bytes_received > received + 100'000; }, 10s);
  BOOST_TEST((sim.elapsed() - moved_at < 400ms));  // a round trip for the proof, then a window that begins anew
  BOOST_TEST(sim.run_until([&] { return moving.done(); }, 20s));
  for (const auto& violation : sim.violations()) BOOST_ERROR(violation);
}

BOOST_AUTO_TEST_CASE(who_may_not_move_is_told) {
  SimPair sim({.up = "delay 5ms", .down = "="});
  sim.connect();
  BOOST_TEST((sim.connection->migrate(kMobile).error() == MigrationError::not_connected));
  BOOST_REQUIRE(sim.run_until([&] { return sim.client.connected_count == 1; }, 2s));
  BOOST_TEST((sim.connection->migrate(kMobile).error() == MigrationError::no_connection_id));
  Connection* server = nullptr;
  sim.run_until([&] { return sim.server.connected_count == 1; }, 2s);
  server = *sim.server.connected.begin();
  BOOST_TEST((server->migrate(kMobile).error() == MigrationError::not_allowed));
  sim.run_for(100ms);
  BOOST_TEST(sim.connection->migrate(kMobile).has_value());
  sim.connection->close(0, "");
  BOOST_TEST((sim.connection->migrate(kMobile).error() == MigrationError::not_connected));
}

// A copy of a packet that an observer sent first, from elsewhere, leads the server away. It asks where the client was,
// and the client speaks up at once, before any timer of its own (RFC 9000 §9.3.3).
BOOST_AUTO_TEST_CASE(a_server_that_was_led_away_comes_back_within_a_round_trip) {
  SimPair sim({.up = "delay 50ms", .down = "="});
  sim.connect();
  BOOST_REQUIRE(sim.run_until([&] { return sim.server.connected_count == 1; }, 2s));
  sim.run_for(1s);
  const Connection& server = **sim.server.connected.begin();
  std::vector<std::uint8_t> copy;
  sim.filter = [&](Role sender, ByteView datagram) {
    if (sender != Role::client || !copy.empty()) return false;
    copy.assign(datagram.begin(), datagram.end());
    return true;
  };
  sim.client.open_and_send(*sim.connection, StreamType::unidirectional, 1);
  sim.run_until([&] { return !copy.empty(); }, sim.elapsed() + 10ms);
  sim.inject(Role::server, copy, kMobile);
  BOOST_TEST((server.remote_address() == kMobile));
  sim.run_for(110ms);
  BOOST_TEST((server.remote_address() == sim.client_address));
  for (const auto& violation : sim.violations()) BOOST_ERROR(violation);
}

// The client's NAT has just given it another address when the server ends the connection, and the old one is gone. It
// hears of the end at once, whether the server had heard from the new address before or not.
namespace {

struct EndOfAMovingClient {
  explicit EndOfAMovingClient(std::uint64_t seed) : sim(Moving::config_of("delay 25ms rate 50mbit limit 500", seed)) {
    sim.connect();
    BOOST_REQUIRE(sim.run_until([&] { return sim.server.connected_count == 1; }, 2s));
    sim.run_for(1s);
    sim.client.open_and_send(*sim.connection, StreamType::unidirectional, 50'000'000);
    sim.run_for(500ms);
    server = *sim.server.connected.begin();
  }
  void check() {
    const Duration closed_at = sim.elapsed();
    BOOST_TEST(sim.run_until([&] { return sim.client.closed.size() == 1; }, closed_at + 20s));
    BOOST_TEST((sim.elapsed() - closed_at < 200ms), "after " << (sim.elapsed() - closed_at) / 1ms << " ms");
    BOOST_REQUIRE(sim.client.closed.size() == 1u);
    BOOST_TEST(sim.client.closed.front().code == 9u);
    for (const auto& violation : sim.violations()) BOOST_ERROR(violation);
  }
  SimPair sim;
  Connection* server = nullptr;
};

}  // namespace

BOOST_AUTO_TEST_CASE(a_client_that_moved_as_the_server_closed_hears_of_it) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    EndOfAMovingClient end(seed);
    end.sim.client_address = kMobile;
    BOOST_REQUIRE(end.sim.run_until([&] { return end.server->remote_address() == kMobile; }, end.sim.elapsed() + 1s));
    end.server->close(9, "enough");  // before the new address is proven
    end.check();
  }
}

BOOST_AUTO_TEST_CASE(a_client_that_moves_from_a_closing_server_hears_of_it) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    EndOfAMovingClient end(seed);
    end.server->close(9, "enough");
    end.sim.client_address = kMobile;  // what is on its way to the old one is lost
    end.check();
  }
}

// A side that does not want it stays where it is.
BOOST_AUTO_TEST_CASE(where_it_is_forbidden_the_connection_stays) {
  for (const bool at_server : {false, true}) {
    SimConfig config{.up = "delay 5ms rate 20mbit", .down = "=", .seed = 2};
    (at_server ? config.server : config.client).transport.migration = false;
    config.client.transport.idle_timeout = config.server.transport.idle_timeout = 2s;
    SimPair sim(std::move(config));
    sim.connect();
    BOOST_REQUIRE(
        sim.run_until([&] { return sim.client.connected_count == 1 && sim.server.connected_count == 1; }, 2s));
    sim.client_address = SocketAddress::ipv4(10, 0, 0, 9, 40009);
    sim.client.open_and_send(*sim.connection, StreamType::unidirectional, 100'000);
    sim.run_for(20s);
    BOOST_TEST(sim.server.bytes_received == 0u);
    BOOST_TEST(sim.client.closed.size() == 1u);
  }
}

BOOST_AUTO_TEST_SUITE_END()
