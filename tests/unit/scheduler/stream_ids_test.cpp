#include "scheduler/stream_ids.h"

#include <boost/test/unit_test.hpp>

namespace mxp {
namespace {

using State = RemoteStreamIds::State;

BOOST_AUTO_TEST_SUITE(stream_ids)

BOOST_AUTO_TEST_CASE(opening_one_stream_opens_all_lower_ones_as_one_range) {
  RemoteStreamIds ids(1'000'000);
  ids.touch(999'999);
  BOOST_TEST(ids.open_count() == 1'000'000u);
  BOOST_TEST(ids.untouched_ranges() == 1u);
  BOOST_TEST((ids.state_of(0) == State::untouched));
  BOOST_TEST((ids.state_of(999'999) == State::touched));
  BOOST_TEST((ids.state_of(1'000'000) == State::beyond_limit));
}

BOOST_AUTO_TEST_CASE(every_second_stream_costs_no_more_ranges_than_streams) {
  RemoteStreamIds ids(1024);
  for (std::uint64_t i = 1; i < 1024; i += 2) ids.touch(i);
  BOOST_TEST(ids.untouched_ranges() == 512u);
  for (std::uint64_t i = 0; i < 1024; i += 2) ids.touch(i);
  BOOST_TEST(ids.untouched_ranges() == 0u);
}

BOOST_AUTO_TEST_CASE(the_limit_follows_closed_streams_in_steps_of_half_the_allowance) {
  RemoteStreamIds ids(10);
  for (std::uint64_t i = 0; i < 10; ++i) ids.touch(i);
  for (int i = 0; i < 4; ++i) ids.on_closed();
  BOOST_TEST(!ids.raise_due());
  ids.on_closed();
  BOOST_TEST(ids.raise_due());
  BOOST_TEST(ids.raise() == 15u);
  BOOST_TEST(!ids.raise_due());
}

BOOST_AUTO_TEST_CASE(a_waiting_peer_gets_a_single_stream_at_once) {
  RemoteStreamIds ids(10);
  ids.touch(9);
  ids.on_peer_blocked(10);
  BOOST_TEST(!ids.raise_due());
  ids.on_closed();
  BOOST_TEST(ids.raise_due());
  BOOST_TEST(ids.raise() == 11u);
}

BOOST_AUTO_TEST_CASE(a_lost_limit_is_repeated_only_if_it_is_the_newest) {
  RemoteStreamIds ids(1);
  ids.touch(0);
  ids.on_closed();
  BOOST_TEST(ids.raise() == 2u);
  ids.on_raise_lost(1);
  BOOST_TEST(!ids.raise_due());
  ids.on_raise_lost(2);
  BOOST_TEST(ids.raise_due());
  BOOST_TEST(ids.raise() == 2u);
}

BOOST_AUTO_TEST_CASE(opening_fails_at_the_limit_and_says_once_that_it_may_go_on) {
  LocalStreamIds ids;
  BOOST_TEST(!ids.open().has_value());
  BOOST_TEST(ids.blocked_pending());
  BOOST_TEST(ids.raise(2));
  BOOST_TEST(!ids.blocked_pending());
  BOOST_TEST(ids.open().value() == 0u);
  BOOST_TEST(ids.open().value() == 1u);
  BOOST_TEST(!ids.raise(3));  // nobody has asked
  BOOST_TEST(!ids.raise(1));
  BOOST_TEST(ids.limit() == 3u);
}

BOOST_AUTO_TEST_CASE(being_blocked_is_said_once_for_each_limit) {
  LocalStreamIds ids;
  ids.raise(1);
  std::ignore = ids.open();
  std::ignore = ids.open();
  BOOST_TEST(ids.blocked_pending());
  ids.on_blocked_sent();
  std::ignore = ids.open();
  BOOST_TEST(!ids.blocked_pending());
  ids.on_blocked_lost(1);
  BOOST_TEST(ids.blocked_pending());
  ids.raise(2);
  ids.on_blocked_lost(1);
  BOOST_TEST(!ids.blocked_pending());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace mxp
