// Key updates while data flow (docs/protocol.md §3.1): whatever the link does to the order of packets, and whoever
// begins, every byte arrives, and nothing is dropped that was sealed.
#include <boost/test/unit_test.hpp>

#include "connection/access.h"
#include "support/sim_pair.h"

using namespace mxp;
using namespace mxp::test;

namespace {

struct Result {
  bool delivered = false;
  std::vector<std::string> violations;
  std::uint64_t client_updates = 0;
  std::uint64_t server_updates = 0;
  std::uint64_t failed_opens = 0;  // of both sides
  std::uint64_t trace = 0;
};

struct Case {
  std::string link;
  std::uint64_t client_packets = 50;  // under one key
  std::uint64_t server_packets = 50;
  std::uint64_t up_bytes = 8 << 20;
  std::uint64_t down_bytes = 0;
  std::uint64_t window = 1 << 20;  // that the server grants
};

Result run(const Case& test) {
  SimConfig config{.up = test.link, .down = "=", .seed = 11};
  config.client.transport.key_update.packets = test.client_packets;
  config.server.transport.key_update.packets = test.server_packets;
  config.server.transport.flow_control.connection_window = config.server.transport.flow_control.stream_window =
      test.window;
  SimPair sim(std::move(config));
  sim.server.reply_bytes = test.down_bytes;
  sim.client.connected_hook = [&](Connection& connection) {
    sim.client.open_and_send(connection, StreamType::bidirectional, test.up_bytes);
  };
  sim.connect();
  Result result;
  result.delivered = sim.run_until(
      [&] {
        return sim.server.bytes_received == test.up_bytes && sim.client.bytes_received == test.down_bytes &&
               sim.client.connected_count == 1 && sim.client.all_sent_acknowledged() &&
               sim.server.all_sent_acknowledged();
      },
      600s);
  for (SimApplication* side : {&sim.client, &sim.server}) {
    BOOST_REQUIRE(side->connected.size() == 1u);
    const ConnectionStats stats = (*side->connected.begin())->stats();
    (side == &sim.client ? result.client_updates : result.server_updates) = stats.key_updates;
    result.failed_opens += stats.dropped[static_cast<std::size_t>(DropReason::authentication_failed)];
  }
  result.violations = sim.violations();
  result.trace = sim.trace_hash();
  return result;
}

void is_whole(const Result& result) {
  BOOST_TEST(result.delivered);
  for (const std::string& violation : result.violations) BOOST_ERROR(violation);
  // Both directions turn together; the last update may not have been answered yet.
  BOOST_TEST(std::max(result.client_updates, result.server_updates) -
                 std::min(result.client_updates, result.server_updates) <=
             1u);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(key_updates)

BOOST_AUTO_TEST_CASE(a_long_transfer_updates_its_keys_many_times) {
  const Result result = run({.link = "delay 10ms rate 20mbit limit 40"});
  is_whole(result);
  BOOST_TEST(result.client_updates >= 8u);
  BOOST_TEST(result.failed_opens == 0u);
}

// Old keys outlive what is on the way: reordering alone makes no packet unreadable.
BOOST_AUTO_TEST_CASE(reordering_across_phases_costs_no_packet) {
  const Result result =
      run({.link = "delay 20ms 10ms reorder 10% rate 20mbit limit 40 order time", .down_bytes = 2 << 20});
  is_whole(result);
  BOOST_TEST(result.client_updates >= 8u);
  BOOST_TEST(result.failed_opens == 0u);
}

BOOST_AUTO_TEST_CASE(losses_and_duplicates_across_phases) {
  const Result result = run({.link = "delay 20ms 5ms loss 5% duplicate 5% reorder 5% rate 20mbit limit 100",
                             .up_bytes = 8 << 20,
                             .down_bytes = 8 << 20});
  is_whole(result);
  BOOST_TEST(result.client_updates >= 8u);
}

BOOST_AUTO_TEST_CASE(each_side_may_begin_alone) {
  const Result by_client =
      run({.link = "delay 10ms rate 20mbit limit 40", .server_packets = 1'000'000, .down_bytes = 8 << 20});
  is_whole(by_client);
  BOOST_TEST(by_client.server_updates >= 8u);
  const Result by_server =
      run({.link = "delay 10ms rate 20mbit limit 40", .client_packets = 1'000'000, .down_bytes = 8 << 20});
  is_whole(by_server);
  BOOST_TEST(by_server.client_updates >= 8u);
}

// The receiver of a bulk transfer sends acknowledgements only, which nobody acknowledges: they begin no update.
BOOST_AUTO_TEST_CASE(acknowledgements_alone_begin_no_update) {
  const Result result = run({.link = "delay 10ms rate 20mbit limit 40",
                             .client_packets = 1'000'000,
                             .server_packets = 100,
                             .window = 1 << 30});
  is_whole(result);
  BOOST_TEST(result.client_updates == 0u);
  BOOST_TEST(result.server_updates == 0u);
}

// Unless they wear the key out: then a PING now and then lets it change.
BOOST_AUTO_TEST_CASE(a_key_that_only_acknowledgements_wear_out_is_changed_all_the_same) {
  const Result result = run({.link = "mtu 1228 delay 10ms rate 20mbit limit 40",
                             .client_packets = 1'000'000,
                             .server_packets = 1,
                             .window = 1 << 30});
  is_whole(result);
  BOOST_TEST(result.server_updates >= 2u);
}

// ACK_FREQUENCY makes probe timeouts shorter than what the peer goes by when it judges how often keys are updated.
BOOST_AUTO_TEST_CASE(on_a_short_round_trip_updates_keep_the_distance_that_the_peer_expects) {
  const Result result =
      run({.link = "delay 500us rate 200mbit", .server_packets = std::uint64_t{1} << 40, .up_bytes = 64 << 20});
  is_whole(result);
  BOOST_TEST(result.client_updates >= 16u);  // twice what a peer takes at once
  BOOST_TEST(result.failed_opens == 0u);
}

BOOST_AUTO_TEST_CASE(both_sides_at_once) {
  const Result result =
      run({.link = "delay 30ms rate 20mbit limit 80", .client_packets = 1, .server_packets = 1, .down_bytes = 8 << 20});
  is_whole(result);
  BOOST_TEST(result.client_updates >= 8u);
  BOOST_TEST(result.failed_opens == 0u);
  BOOST_TEST(
      run({.link = "delay 30ms rate 20mbit limit 80", .client_packets = 1, .server_packets = 1, .down_bytes = 8 << 20})
          .trace == result.trace);
}

BOOST_AUTO_TEST_CASE(a_quiet_connection_updates_its_keys_by_time_and_forgets_the_old_ones) {
  SimConfig config{.up = "delay 10ms", .down = "="};
  config.client.transport.keepalive = 5s;
  SimPair sim(std::move(config));
  sim.connect();
  BOOST_REQUIRE(sim.run_until([&] { return !sim.client.connected.empty() && !sim.server.connected.empty(); }, 5s));
  Connection& client = **sim.client.connected.begin();
  Connection& server = **sim.server.connected.begin();
  sim.run_for(59s);
  BOOST_TEST(client.stats().key_updates == 0u);
  sim.run_for(200s);
  // Every 60 s, with the PING that is next.
  BOOST_TEST(client.stats().key_updates == 4u);
  BOOST_TEST(server.stats().key_updates == 4u);
  BOOST_TEST((client.state() == ConnectionState::established));
  for (Connection* side : {&client, &server}) {
    BOOST_TEST(!ConnectionAccess::parts(*side).keys->opener.holds_previous_keys());
    BOOST_TEST(ConnectionAccess::parts(*side).keys->opener.phase() == 4u);
  }
}

BOOST_AUTO_TEST_SUITE_END()
