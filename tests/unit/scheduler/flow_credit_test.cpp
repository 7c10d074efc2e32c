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
  window.consume(499, kStart);
  BOOST_TEST(!window.raise_due());
  window.consume(1, kStart);
  BOOST_TEST(window.raise_due());
  BOOST_TEST(window.raise(kStart + 1s, 10ms) == 1500u);
  BOOST_TEST(!window.raise_due());
}

BOOST_AUTO_TEST_CASE(a_blocked_peer_gets_whatever_there_is) {
  ReceiveWindow window(1000, 1000);
  window.on_peer_blocked(1000);
  BOOST_TEST(!window.raise_due());  // nothing was consumed
  window.consume(1, kStart);
  BOOST_TEST(window.raise_due());
  BOOST_TEST(window.raise(kStart, 10ms) == 1001u);
  window.consume(1, kStart);
  BOOST_TEST(!window.raise_due());  // it has not said that it is blocked again
  window.on_peer_blocked(1000);     // an old one, late
  BOOST_TEST(!window.raise_due());
}

BOOST_AUTO_TEST_CASE(fast_reading_doubles_the_window_up_to_its_maximum) {
  ReceiveWindow window(1000, 3000);
  Timestamp now = kStart + 1h;
  window.consume(500, now);
  window.raise(now += 19ms, 10ms);
  BOOST_TEST(window.window() == 2000u);
  BOOST_TEST(window.limit() == 2500u);
  window.consume(1000, now);
  window.raise(now += 19ms, 10ms);
  BOOST_TEST(window.window() == 3000u);
}

BOOST_AUTO_TEST_CASE(slow_reading_or_an_unknown_round_trip_leaves_the_window) {
  ReceiveWindow window(1000, 4000);
  window.consume(500, kStart);
  window.raise(kStart + 20ms, 10ms);
  BOOST_TEST(window.window() == 1000u);
  window.consume(500, kStart + 20ms);
  window.raise(kStart + 20ms, 0ms);
  BOOST_TEST(window.window() == 1000u);
}

BOOST_AUTO_TEST_CASE(limits_end_at_the_largest_varint) {
  ReceiveWindow window(kMaxVarint, kMaxVarint);
  window.consume(kMaxVarint / 2 + 5, kStart);
  BOOST_TEST(!window.raise_due());
  BOOST_TEST(window.limit() == kMaxVarint);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace mxp
