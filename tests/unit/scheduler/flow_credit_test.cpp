#include "scheduler/flow_credit.h"

#include <boost/test/unit_test.hpp>

namespace mxp {
namespace {

using namespace std::chrono_literals;
constexpr Timestamp kStart{};

BOOST_AUTO_TEST_SUITE(flow_credit)

BOOST_AUTO_TEST_CASE(a_smaller_limit_is_stale) {
  SendCredit credit(100);
  BOOST_TEST(!credit.raise(99));
  BOOST_TEST(!credit.raise(100));
  BOOST_TEST(credit.limit() == 100u);
  BOOST_TEST(credit.raise(101));
  BOOST_TEST(credit.available() == 101u);
}

BOOST_AUTO_TEST_CASE(being_blocked_is_noted_once_for_each_limit) {
  SendCredit credit(0);
  BOOST_TEST(credit.note_blocked());  // a limit of zero is a limit like any other
  BOOST_TEST(!credit.note_blocked());
  credit.raise(10);
  credit.use(10);
  BOOST_TEST(credit.note_blocked());
  BOOST_TEST(!credit.note_blocked());
  BOOST_TEST(credit.still_blocked_at(10));
  BOOST_TEST(!credit.still_blocked_at(0));
  credit.raise(11);
  BOOST_TEST(!credit.still_blocked_at(10));
}

BOOST_AUTO_TEST_CASE(a_raise_is_due_when_half_of_the_window_was_consumed) {
  ReceiveWindow window(1000, 1000);
  window.consume(499, kStart, 10ms);
  BOOST_TEST(!window.raise_due());
  window.consume(1, kStart, 10ms);
  BOOST_TEST(window.raise_due());
  BOOST_TEST(window.raise() == 1500u);
  BOOST_TEST(!window.raise_due());
}

BOOST_AUTO_TEST_CASE(a_blocked_peer_gets_whatever_there_is) {
  ReceiveWindow window(1000, 1000);
  window.on_peer_blocked(1000);
  BOOST_TEST(!window.raise_due());  // nothing was consumed
  window.consume(1, kStart, 10ms);
  BOOST_TEST(window.raise_due());
  BOOST_TEST(window.raise() == 1001u);
  window.consume(1, kStart, 10ms);
  BOOST_TEST(!window.raise_due());  // it has not said that it is blocked again
  window.on_peer_blocked(1000);     // an old one, late
  BOOST_TEST(!window.raise_due());
}

BOOST_AUTO_TEST_CASE(telling_a_limit_again_grants_a_blocked_peer_nothing) {
  ReceiveWindow window(1000, 2000);
  window.on_peer_blocked(1000);
  BOOST_TEST(window.raise() == 1000u);  // the frame that told it may have been lost
  window.consume(1, kStart, 10ms);
  BOOST_TEST(window.raise_due());
}

BOOST_AUTO_TEST_CASE(window_is_widened_up_to_its_maximum) {
  ReceiveWindow window(1000, 2000);
  window.widen(900);
  BOOST_TEST(window.window() == 1000u);
  window.widen(5000);
  BOOST_TEST(window.window() == 2000u);
  BOOST_TEST(window.raise() == 2000u);
}

BOOST_AUTO_TEST_CASE(a_window_is_sixteen_times_what_is_consumed_in_a_round_trip_up_to_its_maximum) {
  ReceiveWindow window(1000, 4000);
  window.consume(50, kStart + 1h, 10ms);
  window.consume(50, kStart + 1h + 9ms, 10ms);
  BOOST_TEST(window.window() == 1000u);  // no round trip has passed
  window.consume(50, kStart + 1h + 10ms, 10ms);
  BOOST_TEST(window.window() == 16u * 150);
  BOOST_TEST(window.raise_due());  // although a seventh of the window was consumed
  BOOST_TEST(window.raise() == 150u + 16 * 150);
  window.consume(400, kStart + 1h + 30ms, 10ms);
  BOOST_TEST(window.window() == 16u * 200);  // the 400 took two round trips
  window.consume(1000, kStart + 1h + 40ms, 10ms);
  BOOST_TEST(window.window() == 4000u);
}

BOOST_AUTO_TEST_CASE(what_was_consumed_before_the_latest_round_trip_does_not_count) {
  ReceiveWindow window(1000, 4000);
  window.consume(1, kStart, 10ms);
  window.consume(60, kStart + 10ms, 10ms);
  window.consume(60, kStart + 20ms, 10ms);
  BOOST_TEST(window.window() == 1000u);  // 121 would be too much for it
}

BOOST_AUTO_TEST_CASE(a_window_grows_before_a_packet_that_is_lost_again_and_again_holds_it_back) {
  // A peer that doubles its rate in each round trip. Then nothing more is consumed: it can go on for three of them.
  ReceiveWindow window(1u << 20, 32u << 20);
  std::uint64_t in_round_trip = 14'000;
  std::uint64_t sent = 0;
  for (int i = 0; i <= 7; ++i, in_round_trip *= 2) {
    sent += in_round_trip;
    window.consume(in_round_trip, kStart + i * 50ms, 50ms);
    if (window.raise_due()) window.raise();
  }
  BOOST_TEST(window.limit() >= sent + (1 + 2 + 4) * in_round_trip);
}

BOOST_AUTO_TEST_CASE(slow_reading_or_an_unknown_round_trip_leaves_the_window) {
  ReceiveWindow window(1000, 4000);
  window.consume(500, kStart, 10ms);
  window.consume(500, kStart + 160ms, 10ms);
  BOOST_TEST(window.window() == 1000u);
  window.raise();
  window.consume(500, kStart + 170ms, 0ms);
  BOOST_TEST(window.window() == 1000u);
}

BOOST_AUTO_TEST_CASE(where_round_trips_are_short_five_milliseconds_are_measured) {
  ReceiveWindow window(1000, 1'000'000);
  window.consume(1000, kStart, 100us);
  window.consume(1000, kStart + 1ms, 100us);
  window.raise();
  BOOST_TEST(window.window() == 1000u);  // 16,000 if a round trip had been enough
  window.consume(48'000, kStart + 5ms, 100us);
  BOOST_TEST(window.window() == 16u * 1000);  // 50,000 in fifty round trips
}

BOOST_AUTO_TEST_CASE(limits_end_at_the_largest_varint) {
  ReceiveWindow window(kMaxVarint, kMaxVarint);
  window.consume(kMaxVarint / 2 + 5, kStart, 10ms);
  BOOST_TEST(!window.raise_due());
  BOOST_TEST(window.limit() == kMaxVarint);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace mxp
