// The parts together, in virtual time: is the link used, and is reordering told from loss?
#include "unit/reliability/bulk_flow.h"

#include <boost/test/unit_test.hpp>

using namespace mxp;
using namespace mxp::testing;
using namespace std::chrono_literals;

namespace {

double use_of(const BulkFlow& flow, ByteRate rate, Duration span) {
  return static_cast<double>(flow.received_bytes()) / static_cast<double>(rate.bytes_in(span));
}

constexpr auto k20Mbit = ByteRate::bits_per_second(20'000'000);

}  // namespace

BOOST_AUTO_TEST_SUITE(bulk_flow)

BOOST_AUTO_TEST_CASE(link_with_a_fair_queue_is_used_well) {
  BulkFlow flow({.rate = k20Mbit, .round_trip = 40ms, .queue_bytes = 100'000});  // one bandwidth-delay product
  flow.run(10s);
  BOOST_TEST(use_of(flow, k20Mbit, 10s) > 0.93);
  BOOST_TEST(flow.sender().packets_spuriously_lost == 0u);
  BOOST_TEST(flow.sender().persistent_congestion_count == 0u);
}

BOOST_AUTO_TEST_CASE(fast_link_is_fed_in_batches) {
  const auto rate = ByteRate::bits_per_second(200'000'000);
  BulkFlow flow({.rate = rate, .round_trip = 20ms, .queue_bytes = 500'000});
  flow.run(2s);
  BOOST_TEST(use_of(flow, rate, 2s) > 0.85);
  BOOST_TEST(static_cast<double>(flow.packets()) / static_cast<double>(flow.wake_ups()) > 5.0);
}

BOOST_AUTO_TEST_CASE(reordering_is_not_taken_for_loss_for_long) {
  // One packet in fifty is overtaken by about ten others; nothing is lost until the queue is full.
  BulkFlow flow({.rate = k20Mbit, .round_trip = 40ms, .queue_bytes = 200'000, .delay_every = 50, .extra = 5ms});
  flow.run(10s);
  BOOST_TEST(use_of(flow, k20Mbit, 10s) > 0.9);
  BOOST_TEST(flow.sender().packets_spuriously_lost < 20u);  // of about four hundred late ones
}

BOOST_AUTO_TEST_CASE(lossy_link_keeps_flowing) {
  BulkFlow flow({.rate = k20Mbit, .round_trip = 20ms, .queue_bytes = 100'000, .lose_every = 100});
  flow.run(10s);
  BOOST_TEST(use_of(flow, k20Mbit, 10s) > 0.15);  // what a loss-based algorithm gets at 1 %
  BOOST_TEST(flow.sender().probe_timeouts <= 2u);
  BOOST_TEST(flow.recovery().path().congestion_window() >= 2 * kDatagram);
}

BOOST_AUTO_TEST_CASE(tiny_queue_does_not_break_it) {
  BulkFlow flow({.rate = k20Mbit, .round_trip = 40ms, .queue_bytes = 15'000});
  flow.run(10s);
  BOOST_TEST(use_of(flow, k20Mbit, 10s) > 0.6);
}

BOOST_AUTO_TEST_SUITE_END()
