// Named scenarios over one link each; bounds are in virtual time and therefore the same on every machine.
#include <boost/test/unit_test.hpp>

#include "support/sanitized.h"
#include "support/sim_pair.h"

using namespace mxp;
using namespace mxp::test;

namespace {

// What every transfer ends with: all intact, nothing left over, the violations named.
void check_clean(const SimPair& sim) {
  for (const std::string& text : sim.violations()) BOOST_ERROR(text);
}

struct Transfer {
  bool done = false;
  Duration duration{};
};

Transfer client_sends(SimPair& sim, std::uint64_t bytes, Duration limit) {
  sim.client.connected_hook = [&, bytes](Connection& connection) {
    sim.client.open_and_send(connection, StreamType::unidirectional, bytes);
  };
  sim.connect();
  Transfer transfer;
  transfer.done = sim.run_until(
      [&] {
        return sim.server.bytes_received == bytes && sim.client.all_sent_acknowledged() && !sim.client.outgoing.empty();
      },
      limit);
  transfer.duration = sim.elapsed();
  return transfer;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(transfer)

BOOST_AUTO_TEST_CASE(a_megabyte_over_a_clean_link) {
  SimPair sim({.up = "delay 15ms rate 10mbit", .down = "="});
  const Transfer transfer = client_sends(sim, 1'000'000, 10s);
  check_clean(sim);
  BOOST_TEST(transfer.done);
  // 800 ms on the wire, a round trip for the handshake, slow start from ten packets.
  BOOST_TEST((transfer.duration < 1300ms));
}

BOOST_AUTO_TEST_CASE(a_path_that_takes_no_datagram_for_a_while_delivers_everything_afterwards) {
  SimPair sim({.up = "delay 15ms rate 10mbit", .down = "=", .adjust = [](netem::LinkSpec& link) { link.mtu = 1500; }});
  sim.client.connected_hook = [&](Connection& connection) {
    sim.client.open_and_send(connection, StreamType::unidirectional, 1'000'000);
  };
  sim.connect();
  BOOST_REQUIRE(sim.run_until([&] { return sim.server.bytes_received > 300'000; }, 5s));
  sim.set_mtu(Role::client, 1000);  // below the least that a path of this protocol must carry
  sim.run_for(100ms);               // what was on the way arrives
  const std::uint64_t before = sim.server.bytes_received;
  sim.run_for(1s);
  BOOST_TEST(sim.server.bytes_received == before);
  BOOST_TEST(sim.link(Role::client).lost_too_big > 0u);
  sim.set_mtu(Role::client, 1500);
  BOOST_TEST(sim.run_until([&] { return sim.server.bytes_received == 1'000'000; }, 20s));
  check_clean(sim);
}

BOOST_AUTO_TEST_CASE(a_megabyte_over_a_link_that_does_everything_wrong) {
  SimPair sim({.up = "delay 20ms 2ms loss 1% reorder 2% duplicate 1% corrupt 0.1% rate 20mbit", .down = "="});
  const Transfer transfer = client_sends(sim, 1'000'000, 60s);
  check_clean(sim);
  BOOST_TEST(transfer.done);
  BOOST_TEST(sim.connection->stats().packets_lost > 0u);
}

// Hundreds of packets overtake one while the window grows. Its number is recovered all the same, and the flow fills the
// link that scripts/demo.sh shows.
BOOST_AUTO_TEST_CASE(a_number_that_hundreds_of_packets_overtook_is_recovered,
                     *boost::unit_test::enable_if<!kSanitized>()) {
  const std::string link = "delay 20ms 2ms loss 1% reorder 2% duplicate 1% rate 200mbit";
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    SimPair sim({.up = link, .down = "=", .seed = seed});
    const Transfer transfer = client_sends(sim, 40'000'000, 10s);
    check_clean(sim);
    BOOST_TEST_CONTEXT("seed " << seed) {
      BOOST_TEST(transfer.done);
      BOOST_TEST((transfer.duration < 6s));  // 53 Mbit/s; half of it is start-up, which varies
      BOOST_TEST_REQUIRE(sim.server.connected.size() == 1u);
      const ConnectionStats server = (*sim.server.connected.begin())->stats();
      const auto failed = static_cast<std::size_t>(DropReason::authentication_failed);
      BOOST_TEST(server.dropped[failed] == 0u);
      BOOST_TEST(sim.connection->stats().dropped[failed] == 0u);
    }
  }
}

BOOST_AUTO_TEST_CASE(a_thousand_streams_both_ways) {
  SimPair sim({.up = "delay 5ms rate 100mbit loss 0.5%", .down = "="});
  sim.server.reply_bytes = 3000;
  sim.client.connected_hook = [&](Connection& connection) {
    for (int i = 0; i < 1000; ++i) sim.client.open_and_send(connection, StreamType::bidirectional, 2000);
  };
  sim.connect();
  const bool done = sim.run_until(
      [&] {
        return sim.client.bytes_received == 3'000'000 && sim.server.bytes_received == 2'000'000 &&
               sim.client.all_sent_acknowledged() && sim.server.all_sent_acknowledged();
      },
      60s);
  check_clean(sim);
  BOOST_TEST(done);
}

BOOST_AUTO_TEST_CASE(more_streams_than_the_limit_wait_for_credit) {
  SimConfig config;
  config.up = "delay 5ms rate 100mbit";
  config.down = "=";
  config.server.transport.flow_control.max_streams_unidirectional = 10;
  SimPair sim(std::move(config));
  sim.client.connected_hook = [&](Connection& connection) {
    for (int i = 0; i < 300; ++i) sim.client.open_and_send(connection, StreamType::unidirectional, 500);
  };
  sim.connect();
  const bool done =
      sim.run_until([&] { return sim.server.bytes_received == 150'000 && sim.client.all_sent_acknowledged(); }, 30s);
  check_clean(sim);
  BOOST_TEST(done);
}

BOOST_AUTO_TEST_CASE(a_long_fat_path_fills_its_windows) {
  SimPair sim({.up = "delay 100ms rate 200mbit limit 10000", .down = "="});
  const Transfer transfer = client_sends(sim, 50'000'000, 60s);
  check_clean(sim);
  BOOST_TEST(transfer.done);
  // Two seconds on the wire; slow start and the growth of the windows may cost as much again.
  BOOST_TEST((transfer.duration < 6s));
}

struct Held {
  std::size_t most = 0;  // bytes of the client's memory
  Transfer transfer;
};

// The application writes all that is taken.
Held client_sends_in_haste(const std::string& link, std::uint64_t bytes, CongestionControl congestion_control) {
  SimConfig config{.up = link, .down = "delay 25ms"};
  config.client.transport.recovery.congestion_control = congestion_control;
  SimPair sim(std::move(config));
  Held held;
  sim.on_event = [&](Role role, const TraceEvent&) {
    if (role == Role::client) held.most = std::max(held.most, sim.client_endpoint->stats().memory_in_use);
  };
  held.transfer = client_sends(sim, bytes, 60s);
  check_clean(sim);
  BOOST_TEST(held.transfer.done);
  return held;
}

BOOST_AUTO_TEST_CASE(a_connection_on_a_thin_path_takes_little_from_a_hasty_writer) {
  for (const auto algorithm : {CongestionControl::bbr, CongestionControl::cubic}) {
    const Held held = client_sends_in_haste("delay 25ms rate 1mbit limit 20", 4'000'000, algorithm);
    BOOST_TEST(held.most < 560'000u);  // a ring of 512 KiB; 4.2 MB if all were taken
    BOOST_TEST((held.transfer.duration < 35s));
  }
}

BOOST_AUTO_TEST_CASE(a_connection_on_a_fat_path_takes_enough_to_fill_it, *boost::unit_test::enable_if<!kSanitized>()) {
  for (const auto algorithm : {CongestionControl::bbr, CongestionControl::cubic}) {
    const Held held = client_sends_in_haste("delay 25ms rate 400mbit limit 4000", 100'000'000, algorithm);
    BOOST_TEST((held.transfer.duration < 2700ms));  // as long as with 8 MiB from the start; 2 s on the wire
  }
  // What losses hold back does not count against what may be written.
  const Held lossy =
      client_sends_in_haste("delay 25ms rate 100mbit limit 500 loss 5%", 20'000'000, CongestionControl::bbr);
  BOOST_TEST((lossy.transfer.duration < 2750ms));
}

BOOST_AUTO_TEST_CASE(an_idle_connection_goes_silent_and_times_out) {
  SimPair sim({.up = "delay 10ms", .down = "="});
  const Transfer transfer = client_sends(sim, 1000, 5s);
  BOOST_TEST(transfer.done);
  sim.run_for(2s);
  const std::uint64_t before = sim.datagrams(Role::client) + sim.datagrams(Role::server);
  sim.run_for(25s);
  BOOST_TEST(sim.datagrams(Role::client) + sim.datagrams(Role::server) == before);
  sim.run_for(10s);
  check_clean(sim);
  BOOST_REQUIRE(sim.client.closed.size() == 1);
  BOOST_TEST((sim.client.closed[0].by == CloseInfo::By::timeout));
  BOOST_TEST((sim.client.closed[0].transport_code() == TransportErrorCode::idle_timeout));
  BOOST_TEST(sim.client_endpoint->connection_count() == 0u);
  BOOST_TEST(sim.server_endpoint->connection_count() == 0u);
}

BOOST_AUTO_TEST_CASE(keepalive_holds_an_idle_connection) {
  SimConfig config;
  config.up = "delay 10ms";
  config.down = "=";
  config.client.transport.keepalive = 10s;
  SimPair sim(std::move(config));
  sim.connect();
  sim.run_for(120s);
  check_clean(sim);
  BOOST_TEST(sim.client.closed.empty());
  BOOST_TEST(sim.server.closed.empty());
}

BOOST_AUTO_TEST_CASE(a_peer_that_never_reads_holds_the_sender_at_its_window) {
  SimConfig config;
  config.up = "delay 5ms rate 100mbit";
  config.down = "=";
  config.server.transport.idle_timeout = 0s;
  config.client.transport.idle_timeout = 0s;
  SimPair sim(std::move(config));
  sim.server.take_hook = [](StreamId, ByteView) { return std::size_t{0}; };
  sim.client.connected_hook = [&](Connection& connection) {
    sim.client.open_and_send(connection, StreamType::unidirectional, 64 << 20);
  };
  sim.connect();
  sim.run_for(3600s);  // threat t34: an hour
  check_clean(sim);
  BOOST_TEST(sim.connection->stats().stream_bytes_sent <= (1u << 20));
  BOOST_TEST(sim.datagrams(Role::client) < 2000u);
}

BOOST_AUTO_TEST_CASE(same_seed_same_trace_other_seed_another) {
  const auto trace = [](std::uint64_t seed) {
    SimPair sim({.up = "delay 20ms 5ms loss 3% reorder 5% duplicate 1% rate 20mbit", .down = "=", .seed = seed});
    BOOST_TEST(client_sends(sim, 300'000, 60s).done);
    check_clean(sim);
    return sim.trace_hash();
  };
  const std::uint64_t first = trace(5);
  BOOST_TEST(first == trace(5));
  BOOST_TEST(first != trace(6));
}

// ACKs alone fill a return path that is hundreds of times thinner, unless the sender asks for fewer.
BOOST_AUTO_TEST_CASE(a_thin_return_path_carries_a_fast_transfer, *boost::unit_test::enable_if<!kSanitized>()) {
  for (const char* back : {"rate 1mbit", "rate 250kbit"}) {
    for (const auto algorithm : {CongestionControl::bbr, CongestionControl::cubic}) {
      SimConfig config{.up = "rate 100mbit delay 25ms limit 800", .down = std::string(back) + " delay 25ms limit 100"};
      config.client.transport.recovery.congestion_control = algorithm;
      SimPair sim(config);
      sim.client.connected_hook = [&](Connection& connection) {
        sim.client.open_and_send(connection, StreamType::unidirectional, std::uint64_t{1} << 40);
      };
      sim.connect();
      sim.run_for(3s);
      const std::uint64_t before = sim.server.bytes_received;
      sim.run_for(5s);
      check_clean(sim);
      const double share = static_cast<double>(sim.server.bytes_received - before) * 8 / (100e6 * 5);
      BOOST_TEST_MESSAGE(back << ", algorithm " << static_cast<int>(algorithm) << ": " << share);
      BOOST_TEST(share >= (back == std::string("rate 1mbit") ? 0.9 : 0.65),
                 back << ", algorithm " << static_cast<int>(algorithm));
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()
