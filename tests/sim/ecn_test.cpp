// ECN from end to end (docs/protocol.md §6): links that mark, erase and drop, and what a transfer makes of them.
#include <boost/test/unit_test.hpp>
#include <string>

#include "support/ecn_text.h"
#include "support/sim_pair.h"

using namespace mxp;
using namespace mxp::test;

namespace {

constexpr Duration kLong = 10s;

// A bulk transfer from the client. Datagrams have 1200 bytes, so that no probe for a larger size is lost.
struct MarkedBulk {
  MarkedBulk(CongestionControl algorithm, const std::string& link, std::function<void(netem::LinkSpec&)> adjust,
             std::uint64_t bytes = std::uint64_t{1} << 40, bool ecn = true)
      : sim([&] {
          SimConfig config{.up = link, .down = "delay 20ms", .adjust = std::move(adjust), .seed = 5};
          config.client.transport.recovery.congestion_control = algorithm;
          config.client.transport.recovery.ecn = ecn;
          config.client.transport.max_udp_payload = kMinInitialSize;
          return config;
        }()) {
    sim.client.connected_hook = [this, bytes](Connection& connection) {
      sim.client.open_and_send(connection, StreamType::unidirectional, bytes);
    };
    sim.connect();
  }
  ~MarkedBulk() {
    for (const auto& violation : sim.violations()) BOOST_ERROR(violation);
  }
  ConnectionStats stats() { return (*sim.client.connected.begin())->stats(); }
  // Of what the link of 20 Mbit/s could carry, headers included.
  double share(Duration span) const {
    constexpr double kOverhead = 1228.0 / 1160.0;
    return static_cast<double>(sim.server.bytes_received) * 8 * kOverhead /
           (20e6 * std::chrono::duration<double>(span).count());
  }

  SimPair sim;
};

// A product of rate and round trip is 82 packets.
const std::string kLink = "rate 20mbit delay 20ms limit 170";

}  // namespace

BOOST_AUTO_TEST_SUITE(ecn_on_links)

BOOST_AUTO_TEST_CASE(a_queue_that_is_marked_stays_short_and_loses_nothing) {
  for (const auto algorithm : {CongestionControl::cubic, CongestionControl::newreno, CongestionControl::bbr}) {
    const auto mark = [](netem::LinkSpec& link) { link.ce_threshold = 10ms; };
    MarkedBulk bulk(algorithm, kLink, mark);
    bulk.sim.run_for(kLong);
    BOOST_TEST_CONTEXT("algorithm " << static_cast<int>(algorithm)) {
      const auto& delay = bulk.sim.link(Role::client).delay;
      BOOST_TEST_MESSAGE(bulk.share(kLong) << " of the link, " << bulk.stats().ecn_ce_reported << " CE, 95 % of delays "
                                           << delay.quantile(0.95) / 1us << " us");
      BOOST_TEST(bulk.stats().ecn == EcnState::capable);
      BOOST_TEST(bulk.stats().packets_lost == 0u);
      // NewReno halves a window that hardly exceeds the product.
      BOOST_TEST(bulk.share(kLong) >= (algorithm == CongestionControl::newreno ? 0.75 : 0.9));
      BOOST_TEST(bulk.stats().ecn_ce_reported > 0u);
      BOOST_TEST((delay.quantile(0.95) < 20ms + 20ms));
    }
  }
  // Without marks CUBIC fills the same queue and overflows it.
  MarkedBulk deaf(
      CongestionControl::cubic, kLink, [](netem::LinkSpec& link) { link.ce_threshold = 10ms; }, std::uint64_t{1} << 40,
      false);
  deaf.sim.run_for(kLong);
  BOOST_TEST(deaf.stats().ecn == EcnState::off);
  BOOST_TEST(deaf.stats().ecn_marked_sent == 0u);
  BOOST_TEST(deaf.stats().packets_lost > 0u);
}

BOOST_AUTO_TEST_CASE(a_link_that_erases_marks_is_used_without) {
  MarkedBulk bulk(
      CongestionControl::cubic, kLink, [](netem::LinkSpec& link) { link.marks = netem::Marks::strip; }, 4 << 20);
  BOOST_TEST(bulk.sim.run_until([&] { return bulk.sim.server.bytes_received == 4u << 20; }, 10s));
  BOOST_TEST(bulk.stats().ecn == EcnState::failed);
  BOOST_TEST(bulk.stats().ecn_marked_sent <= 20u);
}

BOOST_AUTO_TEST_CASE(a_path_that_drops_what_is_marked_falls_back) {
  // From the beginning, and from one moment to the next.
  for (const Duration begins : {Duration(0ms), Duration(1s)}) {
    MarkedBulk bulk(CongestionControl::bbr, kLink, [](netem::LinkSpec&) {}, 8 << 20);
    bulk.sim.filter = [&](Role, ByteView) { return bulk.sim.elapsed() >= begins && bulk.sim.mark != Ecn::not_ect; };
    bulk.sim.run_for(begins);
    if (begins > 0ms) BOOST_TEST(bulk.stats().ecn == EcnState::capable);
    BOOST_TEST(bulk.sim.run_until([&] { return bulk.sim.server.bytes_received == 8u << 20; }, 20s));
    BOOST_TEST_MESSAGE("after " << bulk.sim.elapsed() / 1ms << " ms");
    BOOST_TEST(bulk.stats().ecn == EcnState::failed);
  }
}

BOOST_AUTO_TEST_CASE(each_change_of_state_is_traced) {
  using enum EcnState;
  struct Case {
    netem::Marks marks;
    bool ecn;
    std::vector<EcnState> told;
  };
  for (const Case& one :
       {Case{netem::Marks::keep, true, {testing, waiting, capable}},
        Case{netem::Marks::strip, true, {testing, waiting, failed}}, Case{netem::Marks::keep, false, {}}}) {
    MarkedBulk bulk(
        CongestionControl::bbr, kLink, [&](netem::LinkSpec& link) { link.marks = one.marks; }, 1 << 20, one.ecn);
    std::vector<EcnState> told;
    bulk.sim.on_event = [&](Role role, const TraceEvent& event) {
      const auto* ecn = std::get_if<TraceEcn>(&event);
      if (role == Role::client && ecn != nullptr) told.push_back(ecn->state);
    };
    BOOST_TEST(bulk.sim.run_until([&] { return bulk.sim.server.bytes_received == 1u << 20; }, 10s));
    BOOST_TEST(told == one.told, boost::test_tools::per_element());
  }
}

// What asks for no acknowledgement is not marked: nobody would hear of it if it were dropped for that. Nor are the
// messages of the handshake.
BOOST_AUTO_TEST_CASE(only_what_must_be_acknowledged_is_marked) {
  MarkedBulk bulk(CongestionControl::cubic, kLink, [](netem::LinkSpec&) {}, 2 << 20);
  std::uint64_t marked[2] = {0, 0};
  std::uint64_t long_headers_marked = 0;
  bulk.sim.tap = [&](Role sender, ByteView datagram) {
    if (bulk.sim.mark == Ecn::not_ect) return;
    ++marked[sender == Role::server ? 1 : 0];
    if ((datagram.front() & 0x80) != 0) ++long_headers_marked;
  };
  BOOST_TEST(bulk.sim.run_until([&] { return bulk.sim.server.bytes_received == 2u << 20; }, 10s));
  BOOST_TEST(long_headers_marked == 0u);
  BOOST_TEST(marked[0] == bulk.stats().ecn_marked_sent);
  BOOST_TEST(marked[0] > 1000u);
  BOOST_TEST(bulk.sim.datagrams(Role::server) > 100u);
  BOOST_TEST(marked[1] <= 20u);  // flow-control credit
}

BOOST_AUTO_TEST_SUITE_END()
