// May I send, how much, and if not, why not and until when?
#include <boost/test/unit_test.hpp>

#include "unit/reliability/sender.h"

using namespace mxp;
using namespace mxp::testing;
using namespace std::chrono_literals;

BOOST_AUTO_TEST_SUITE(recovery_permit)

BOOST_AUTO_TEST_CASE(window_limits_what_is_in_flight) {
  Sender sender;
  BOOST_TEST(sender.recovery.permit(at(1s)).bytes == 12'000u);
  sender.send_many(at(1s), 9);
  BOOST_TEST(!sender.recovery.permit(at(1s)).blocked());
  sender.send(at(1s));
  const SendPermit permit = sender.recovery.permit(at(1s));
  BOOST_TEST(permit.blocked());
  BOOST_TEST((permit.reason == BlockedBy::congestion));
  BOOST_TEST((permit.retry_at == kNever));
}

BOOST_AUTO_TEST_CASE(pacer_spreads_what_the_window_allows) {
  Sender sender({.congestion_control = CongestionControl::cubic});
  sender.path.seed_rtt(at(0s), 100ms);
  sender.send_many(at(1s), 10);
  sender.ack(at(1100ms), {range(0, 9)});  // the window is 24,000, the rate 480,000 a second
  sender.send_many(at(1100ms), 10);       // one burst
  const SendPermit permit = sender.recovery.permit(at(1100ms));
  BOOST_TEST_REQUIRE(permit.blocked());
  BOOST_TEST((permit.reason == BlockedBy::pacing));
  BOOST_TEST((permit.retry_at == at(1100ms) + 2500us));  // 1200 bytes
  BOOST_TEST(sender.recovery.permit(permit.retry_at).bytes == 1200u);
}

BOOST_AUTO_TEST_CASE(probe_goes_beyond_the_window_and_the_pacer) {
  Sender sender(RecoveryConfig{});
  sender.send_many(at(1s), 10);
  BOOST_TEST(sender.recovery.permit(at(1s)).blocked());
  const Timestamp due = sender.recovery.deadline();
  sender.deadline(due);
  for (int i = 0; i < 2; ++i) {
    const SendPermit permit = sender.recovery.permit(due);
    BOOST_TEST(permit.probe);
    BOOST_TEST(!permit.blocked());
    BOOST_TEST(permit.bytes == kDatagram);
    sender.send(due, kDatagram, true, true);
  }
  BOOST_TEST(!sender.recovery.permit(due).probe);
  BOOST_TEST((sender.recovery.permit(due).reason == BlockedBy::congestion));
}

BOOST_AUTO_TEST_CASE(application_without_data_does_not_grow_the_window) {
  Sender sender;
  Timestamp now = at(1s);
  for (int i = 0; i < 100; ++i) {
    sender.send_many(now, 7);  // more than half of the window, but not all
    sender.recovery.on_application_limited();
    now += 50ms;
    sender.ack(now, {range(sender.next - 7, sender.next - 1)});
  }
  BOOST_TEST(sender.recovery.path().congestion_window() == 12'000u);
}

BOOST_AUTO_TEST_CASE(window_that_is_mostly_empty_does_not_grow_even_if_nobody_says_so) {
  Sender sender;
  Timestamp now = at(1s);
  for (int i = 0; i < 100; ++i) {
    sender.send_many(now, 4);
    now += 50ms;
    sender.ack(now, {range(sender.next - 4, sender.next - 1)});
  }
  BOOST_TEST(sender.recovery.path().congestion_window() == 12'000u);
}

BOOST_AUTO_TEST_CASE(full_window_grows_although_the_application_ran_dry_now_and_then) {
  Sender sender;
  sender.send_many(at(1s), 10);
  sender.recovery.on_application_limited();  // there was no room anyway
  sender.ack(at(1050ms), {range(0, 9)});
  BOOST_TEST(sender.recovery.path().congestion_window() > 12'000u);
}

BOOST_AUTO_TEST_CASE(burst_of_losses_cuts_once) {
  Sender sender;
  Timestamp now = at(1s);
  for (int i = 0; i < 5; ++i) {  // some growth first
    const auto count = static_cast<unsigned>(sender.recovery.path().congestion_window() / kDatagram);
    const auto first = sender.next;
    sender.send_many(now, count);
    now += 50ms;
    sender.ack(now, {range(first, sender.next - 1)});
  }
  const auto window = sender.recovery.path().congestion_window();
  const auto first = sender.next;
  sender.send_many(now, 40);
  now += 50ms;
  for (std::uint64_t acked = 1; acked < 40; acked += 2)
    sender.ack(now, {one(first + acked)});  // half of the flight is lost
  BOOST_TEST(sender.packets_lost >= 15u);
  // The ACK before the first loss still grew it by one packet.
  BOOST_TEST(
      static_cast<double>(sender.recovery.path().congestion_window()) == 0.7 * static_cast<double>(window + kDatagram),
      boost::test_tools::tolerance(0.001));
}

BOOST_AUTO_TEST_CASE(numbers_too_far_apart_block_instead_of_growing_the_memory) {
  RecoveryConfig config;
  config.congestion_control = CongestionControl::none;
  Sender sender(config);
  while (!sender.recovery.permit(at(1s)).blocked()) sender.send(at(1s), 64);
  BOOST_TEST(sender.next == SentPackets::kMaxSpan / 2);
  BOOST_TEST((sender.recovery.permit(at(1s)).reason == BlockedBy::congestion));
}

BOOST_AUTO_TEST_SUITE_END()
