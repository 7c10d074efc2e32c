// Threats t01 to t03: a peer that acknowledges what it cannot have, or keeps us busy with what it has.
#include <boost/test/unit_test.hpp>

#include "unit/reliability/sender.h"

using namespace mxp;
using namespace mxp::testing;
using namespace std::chrono_literals;

BOOST_AUTO_TEST_SUITE(recovery_hostile_ack)

BOOST_AUTO_TEST_CASE(acknowledging_what_was_never_sent_is_an_offence_and_changes_nothing) {
  struct Case {
    const char* name;
    std::vector<AckRange> ranges;
  };
  const Case cases[] = {
      {"the next number", {one(20)}},
      {"up to the next number", {range(0, 20)}},
      {"the largest possible", {one(kMaxVarint)}},
      {"everything", {range(0, kMaxVarint)}},
      {"the hole", {one(10)}},
      {"across the hole", {range(8, 12)}},
      {"the hole in a lower range", {range(14, 16), range(0, 10)}},
      {"the beginning of the hole, late in the frame", {range(18, 19), range(15, 16), one(10), range(0, 3)}},
  };
  for (const Case& it : cases) {
    BOOST_TEST_CONTEXT(it.name) {
      Sender sender;
      sender.path.seed_rtt(at(0s), 100ms);
      sender.send_many(at(1s), 10);
      sender.next = 11;  // 10 is skipped on purpose
      sender.send_many(at(1s), 9);
      const auto window = sender.recovery.path().congestion_window();
      const auto deadline = sender.recovery.deadline();
      const auto outcome = sender.recovery.on_ack(at(1010ms), AckOf(it.ranges));
      BOOST_TEST_REQUIRE(!outcome.has_value());
      BOOST_TEST((outcome.error().code == TransportErrorCode::protocol_violation));
      BOOST_TEST(outcome.error().frame_type == frame_type::kAck);
      BOOST_TEST(sender.recovery.path().congestion_window() == window);
      BOOST_TEST(sender.recovery.path().bytes_in_flight() == 19u * 1200);
      BOOST_TEST((sender.recovery.path().rtt().smoothed() == 100ms));
      BOOST_TEST((sender.recovery.deadline() == deadline));
      BOOST_TEST(!sender.recovery.largest_acknowledged().has_value());
      BOOST_TEST(sender.ack(at(1100ms), {range(11, 19), range(0, 9)}).acknowledged.size() == 19u);
    }
  }
}

BOOST_AUTO_TEST_CASE(hole_is_an_offence_even_after_everything_around_it_was_settled) {
  Sender sender;
  sender.send_many(at(1s), 5);
  sender.next = 6;
  sender.send_many(at(1s), 5);
  sender.ack(at(1100ms), {range(6, 10), range(0, 4)});
  sender.send_many(at(2s), 5);
  BOOST_TEST(!sender.recovery.on_ack(at(2100ms), AckOf({range(0, 15)})).has_value());
  BOOST_TEST(sender.recovery.on_ack(at(2100ms), AckOf({range(6, 15)})).has_value());
}

BOOST_AUTO_TEST_CASE(nothing_is_sound_before_the_first_packet) {
  Sender sender;
  BOOST_TEST(!sender.recovery.on_ack(at(1s), AckOf({one(0)})).has_value());
}

BOOST_AUTO_TEST_CASE(repeated_ack_settles_nothing_twice) {
  Sender sender;
  sender.send_many(at(1s), 10);
  sender.ack(at(1100ms), {range(0, 9)});
  const auto window = sender.recovery.path().congestion_window();
  for (int i = 0; i < 100; ++i) {
    const auto settled = sender.ack(at(1100ms), {range(0, 9)});
    BOOST_TEST(settled.acknowledged.empty());
    BOOST_TEST(!settled.rtt_sample.has_value());
  }
  BOOST_TEST(sender.recovery.path().congestion_window() == window);
  BOOST_TEST(sender.recovery.path().bytes_in_flight() == 0u);
}

BOOST_AUTO_TEST_CASE(acknowledging_every_second_packet_stays_in_proportion) {
  RecoveryConfig config;
  config.congestion_control = CongestionControl::none;
  Sender sender(config);
  std::uint64_t settled = 0;
  for (int round = 0; round < 500; ++round) {
    const Timestamp now = at(1s + round * 1ms);
    sender.send_many(now, 200);
    std::vector<AckRange> ranges;
    for (std::uint64_t i = 0; i <= kMaxAckRanges; ++i) ranges.push_back(one(sender.next - 1 - 2 * i));
    const auto outcome = sender.ack(now, AckOf(ranges));
    settled += outcome.acknowledged.size() + outcome.lost.size();
  }
  BOOST_TEST(settled > 500u * 190);                                         // nothing piles up …
  BOOST_TEST(sender.recovery.path().bytes_in_flight() <= 10u * kDatagram);  // … in flight either
}

BOOST_AUTO_TEST_SUITE_END()
