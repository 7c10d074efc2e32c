// The size of datagrams follows the path (RFC 8899, docs/protocol.md §6): found while data is sent, and lost again when
// the path shrinks (threat t45).
#include <boost/test/unit_test.hpp>
#include <string>

#include "connection/access.h"
#include "support/sanitized.h"
#include "support/sim_pair.h"

using namespace mxp;
using namespace mxp::test;

namespace {

// A bulk transfer from the client over a path of this MTU.
struct Bulk {
  explicit Bulk(const std::string& link, std::uint64_t bytes = 200 << 20)
      : sim({.up = link, .down = link, .seed = 8}), size(bytes) {
    sim.client.connected_hook = [this](Connection& connection) {
      sim.client.open_and_send(connection, StreamType::unidirectional, size);
    };
    sim.connect();
  }
  ConnectionStats stats() { return (*sim.client.connected.begin())->stats(); }

  SimPair sim;
  std::uint64_t size;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(path_mtu)

BOOST_AUTO_TEST_CASE(is_found_within_fifty_round_trips) {
  for (const std::size_t mtu : {1280u, 1400u, 1500u, 4352u, 9000u, 65535u}) {
    if (kSanitized && (mtu == 1400 || mtu == 4352)) continue;
    Bulk bulk("mtu " + std::to_string(mtu) + " delay 25ms rate 200mbit limit 2000");
    bulk.sim.run_for(2500ms);
    BOOST_TEST_CONTEXT("mtu " << mtu) {
      const std::size_t largest = mtu - 28;
      BOOST_TEST(bulk.stats().datagram_size <= largest);
      BOOST_TEST(bulk.stats().datagram_size + 16 >= largest);
      BOOST_TEST(bulk.stats().path_mtu_black_holes == 0u);
      for (const auto& violation : bulk.sim.violations()) BOOST_ERROR(violation);
    }
  }
}

BOOST_AUTO_TEST_CASE(is_found_on_a_path_that_loses) {
  for (const std::size_t mtu : {1500u, 9000u}) {
    Bulk bulk("mtu " + std::to_string(mtu) + " delay 25ms rate 200mbit limit 2000 loss 3%");
    bulk.sim.run_for(2s);
    BOOST_TEST(bulk.stats().datagram_size + 28 <= mtu);
    BOOST_TEST(bulk.stats().datagram_size + 28 + 16 >= mtu);
  }
}

BOOST_AUTO_TEST_CASE(each_change_of_size_is_traced) {
  Bulk bulk("mtu 1500 delay 25ms rate 50mbit limit 500");
  std::uint64_t size = kMinInitialSize;
  std::size_t falls = 0;
  bulk.sim.on_event = [&](Role role, const TraceEvent& event) {
    const auto* told = std::get_if<TraceDatagramSize>(&event);
    if (role != Role::client || told == nullptr) return;
    BOOST_TEST(told->size_bytes != size);
    if (told->size_bytes < size) ++falls;
    size = told->size_bytes;
  };
  bulk.sim.run_for(2s);
  BOOST_TEST(size == 1472u);
  BOOST_TEST(size == bulk.stats().datagram_size);
  for (const Role side : {Role::client, Role::server}) bulk.sim.set_mtu(side, 1280);
  bulk.sim.run_for(5s);
  BOOST_TEST(size == bulk.stats().datagram_size);
  BOOST_TEST(size <= 1252u);
  BOOST_TEST(falls >= 1u);
}

// Large packets vanish from one moment to the next: within three round trips data arrive again.
BOOST_AUTO_TEST_CASE(a_path_that_shrinks_recovers_within_three_round_trips) {
  for (const std::uint32_t after : {1280u, 1400u}) {
    Bulk bulk("mtu 1500 delay 25ms rate 50mbit limit 500");
    bulk.sim.run_for(2s);
    BOOST_REQUIRE(bulk.stats().datagram_size == 1472u);
    for (const Role side : {Role::client, Role::server}) bulk.sim.set_mtu(side, after);
    // What is on the wire arrives; nothing that is sent from here on does, until the size has fallen.
    const Duration shrunk = bulk.sim.elapsed();
    bulk.sim.run_for(35ms);
    const std::uint64_t before = bulk.sim.server.bytes_received;
    BOOST_TEST(bulk.sim.run_until([&] { return bulk.sim.server.bytes_received > before; }, shrunk + 1s));
    BOOST_TEST_MESSAGE("after " << (bulk.sim.elapsed() - shrunk) / 1ms << " ms");
    BOOST_TEST((bulk.sim.elapsed() - shrunk < 3 * 50ms + 25ms));
    BOOST_TEST(bulk.sim.run_until([&] { return bulk.sim.server.bytes_received > before + 200'000; }, shrunk + 1s));
    BOOST_TEST_MESSAGE("full speed after " << (bulk.sim.elapsed() - shrunk) / 1ms << " ms");
    BOOST_TEST(bulk.stats().path_mtu_black_holes == 1u);
    bulk.sim.run_for(3s);
    BOOST_TEST(bulk.stats().datagram_size + 28 <= after);
    BOOST_TEST(bulk.stats().datagram_size + 28 + 16 >= after);
  }
}

// Our own interface refuses a probe: it takes no room from that moment on, and was not lost.
BOOST_AUTO_TEST_CASE(a_probe_that_was_refused_is_waited_for_no_longer) {
  Bulk bulk("delay 25ms rate 50mbit limit 500");
  std::size_t refused = 0;
  bulk.sim.filter = [&](Role sender, ByteView datagram) {
    if (sender != Role::client || datagram.size() <= kMinInitialSize) return false;
    const PathControl& path = ConnectionAccess::parts(**bulk.sim.client.connected.begin()).path->control;
    const std::uint64_t before = path.bytes_in_flight();
    bulk.sim.client_endpoint->on_too_large(bulk.sim.now(), bulk.sim.server_address, datagram.size());
    BOOST_TEST(before - path.bytes_in_flight() == datagram.size());
    ++refused;
    return true;
  };
  std::size_t lost = 0;
  bulk.sim.on_event = [&](Role, const TraceEvent& event) { lost += std::holds_alternative<TracePacketLost>(event); };
  bulk.sim.run_for(1s);
  BOOST_TEST(refused >= 3u);
  BOOST_TEST(lost == 0u);
  BOOST_TEST(bulk.stats().datagram_size == kMinInitialSize);
  BOOST_TEST(bulk.sim.server.bytes_received > 2'000'000u);
}

// What is asked for beyond 1200 bytes is a choice of the sender's.
BOOST_AUTO_TEST_CASE(an_upper_bound_of_1200_bytes_asks_for_nothing) {
  SimConfig config{.up = "delay 5ms rate 100mbit", .down = "=", .seed = 3};
  config.client.transport.max_udp_payload = kMinInitialSize;
  SimPair sim(std::move(config));
  std::size_t largest = 0;
  sim.tap = [&](Role sender, ByteView datagram) {
    if (sender == Role::client) largest = std::max(largest, datagram.size());
  };
  sim.client.connected_hook = [&](Connection& connection) {
    sim.client.open_and_send(connection, StreamType::unidirectional, 4 << 20);
  };
  sim.connect();
  BOOST_TEST(sim.run_until([&] { return sim.server.bytes_received == 4u << 20; }, 10s));
  BOOST_TEST(largest == kMinInitialSize);
}

BOOST_AUTO_TEST_SUITE_END()
