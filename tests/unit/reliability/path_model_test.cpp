// What BBR believes of the path, from samples with a known answer.
#include "reliability/path_model.h"

#include <boost/test/unit_test.hpp>

using namespace mxp;
using namespace std::chrono_literals;

namespace path_model_test {
namespace {

Timestamp at(Duration since_start) { return Timestamp(since_start); }
ByteRate megabytes(std::uint64_t value) { return ByteRate::bytes_per_second(value * 1'000'000); }

constexpr std::uint64_t kMany = PathModel::kPacketsForRtt;
constexpr std::uint64_t kFew = PathModel::kPacketsForRtt - 1;
constexpr std::uint64_t kWide = std::uint64_t{1} << 40;  // a window that limits nothing

struct ModelFixture {
  PathModel model;
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(path_model, ModelFixture)

BOOST_AUTO_TEST_CASE(the_largest_of_two_periods_is_kept) {
  MaxOfTwoPeriods<int> largest;
  largest.update(10);
  largest.update(7);
  BOOST_TEST(largest.best() == 10);
  largest.advance();
  largest.update(5);
  BOOST_TEST(largest.best() == 10);
  largest.advance();
  BOOST_TEST(largest.best() == 5);
  largest.advance();
  BOOST_TEST(largest.best() == 0);
}

BOOST_AUTO_TEST_CASE(rate_is_the_largest_of_two_cycles) {
  model.on_rate(megabytes(10), false);
  model.on_rate(megabytes(4), false);
  BOOST_TEST((model.max_rate() == megabytes(10)));
  model.advance_cycle();
  model.on_rate(megabytes(6), false);
  BOOST_TEST((model.max_rate() == megabytes(10)));
  model.advance_cycle();
  BOOST_TEST((model.max_rate() == megabytes(6)));
}

BOOST_AUTO_TEST_CASE(a_rate_that_is_forgotten_leaves_that_of_the_latest_round) {
  model.on_rate(megabytes(10), false);
  model.advance_cycle();
  model.on_rate(megabytes(9), false);
  model.on_delivery(megabytes(2), 20'000);
  model.forget_rate();
  BOOST_TEST((model.max_rate() == megabytes(2)));
  model.advance_cycle();
  BOOST_TEST((model.max_rate() == megabytes(2)));
}

BOOST_AUTO_TEST_CASE(a_sample_that_the_application_limited_counts_only_upwards) {
  model.on_rate(megabytes(10), false);
  model.advance_cycle();
  model.on_rate(megabytes(1), true);
  model.advance_cycle();
  BOOST_TEST(model.max_rate().is_zero());  // it was not taken for the new cycle's
  model.on_rate(megabytes(2), false);
  model.on_rate(megabytes(3), true);
  BOOST_TEST((model.max_rate() == megabytes(3)));
}

BOOST_AUTO_TEST_CASE(rate_that_is_used_keeps_the_bound) {
  model.on_rate(megabytes(10), false);
  BOOST_TEST((model.rate() == megabytes(10)));
  model.bounds.rate = 7'000'000;
  BOOST_TEST((model.rate() == megabytes(7)));
  BOOST_TEST((model.max_rate() == megabytes(10)));
}

BOOST_AUTO_TEST_CASE(round_trip_is_the_shortest_mean) {
  BOOST_TEST((model.min_rtt() == 0ms));
  model.on_rtt(at(1s), 50ms, kMany);
  model.on_rtt(at(2s), 70ms, kMany);
  BOOST_TEST((model.min_rtt() == 50ms));
  model.on_rtt(at(3s), 40ms, kMany);
  BOOST_TEST((model.min_rtt() == 40ms));
}

BOOST_AUTO_TEST_CASE(a_mean_of_few_packets_holds_until_there_is_a_better_one) {
  model.on_rtt(at(1s), 30ms, kFew);
  BOOST_TEST((model.min_rtt() == 30ms));
  model.on_rtt(at(2s), 50ms, kMany);
  BOOST_TEST((model.min_rtt() == 50ms));  // though it is longer
  model.on_rtt(at(3s), 20ms, kFew);
  BOOST_TEST((model.min_rtt() == 50ms));
}

BOOST_AUTO_TEST_CASE(shortest_round_trip_is_missed_after_five_seconds_without_a_sight_of_it) {
  BOOST_TEST(!model.misses_min_rtt(at(1h)));  // nothing is known that could be missed
  model.on_rtt(at(1s), 50ms, kMany);
  BOOST_TEST(!model.misses_min_rtt(at(6s)));
  BOOST_TEST(model.misses_min_rtt(at(6001ms)));
  model.on_probe_rtt_done(at(6100ms));
  BOOST_TEST(!model.misses_min_rtt(at(11s)));
}

BOOST_AUTO_TEST_CASE(long_round_trips_are_missed_and_given_up_later) {
  model.on_rtt(at(0s), 2s, kMany);
  BOOST_TEST(!model.misses_min_rtt(at(50s)));
  BOOST_TEST(model.misses_min_rtt(at(50'001ms)));
  for (int i = 1; i <= 50; ++i) {
    model.on_rtt(at(i * 2s), 3s, kMany);
    BOOST_TEST((model.min_rtt() == 2s));
  }
  model.on_rtt(at(101s), 3s, kMany);
  BOOST_TEST((model.min_rtt() == 3s));
}

BOOST_AUTO_TEST_CASE(nearly_as_short_counts_as_a_sight) {
  model.on_rtt(at(1s), 48ms, kMany);
  model.on_rtt(at(5s), 51ms, kMany);  // a sixteenth more
  BOOST_TEST(!model.misses_min_rtt(at(9s)));
  BOOST_TEST((model.min_rtt() == 48ms));
  model.on_rtt(at(9s), 52ms, kMany);  // more than that
  BOOST_TEST(model.misses_min_rtt(at(10001ms)));
}

BOOST_AUTO_TEST_CASE(a_path_that_became_longer_is_believed_after_ten_seconds) {
  model.on_rtt(at(0s), 50ms, kMany);
  for (int i = 1; i <= 10; ++i) {
    model.on_rtt(at(i * 1s), 80ms, kMany);
    BOOST_TEST((model.min_rtt() == 50ms));
  }
  model.on_rtt(at(10001ms), 80ms, kMany);
  BOOST_TEST((model.min_rtt() == 80ms));
}

BOOST_AUTO_TEST_CASE(a_sight_of_the_shortest_keeps_it_for_ten_seconds_more) {
  model.on_rtt(at(0s), 50ms, kMany);
  for (int i = 1; i <= 30; ++i) model.on_rtt(at(i * 1s), i % 4 == 0 ? 51ms : 80ms, kMany);
  BOOST_TEST((model.min_rtt() == 50ms));
}

BOOST_AUTO_TEST_CASE(nearly_as_short_keeps_the_shortest) {
  model.on_rtt(at(0s), 50ms, kMany);
  for (int i = 1; i <= 6; ++i) model.on_rtt(at(i * 1s), 80ms, kMany);
  for (int i = 7; i <= 30; ++i) model.on_rtt(at(i * 1s), 52ms, kMany);
  BOOST_TEST((model.min_rtt() == 50ms));
}

BOOST_AUTO_TEST_CASE(steady_acks_have_nothing_extra_but_themselves) {
  model.on_rate(megabytes(1), false);
  for (int i = 0; i < 50; ++i) model.on_acknowledged(at(1s + i * 1ms), 1000, kWide, false, false);
  BOOST_TEST(model.extra_acked() == 1000u);
}

BOOST_AUTO_TEST_CASE(bunches_of_acks_are_measured) {
  model.on_rate(megabytes(1), false);
  // Every 10 ms all of 10 ms, in five ACKs at once.
  for (int i = 0; i < 50; ++i) model.on_acknowledged(at(1s + (i / 5) * 10ms), 2000, kWide, false, false);
  BOOST_TEST(model.extra_acked() == 10'000u);
}

BOOST_AUTO_TEST_CASE(no_more_than_the_window_is_extra) {
  model.on_rate(megabytes(1), false);
  model.on_acknowledged(at(1s), 50'000, 30'000, false, false);
  BOOST_TEST(model.extra_acked() == 30'000u);
}

BOOST_AUTO_TEST_CASE(bunches_are_forgotten_after_ten_rounds_and_in_startup_after_two) {
  for (const bool startup : {false, true}) {
    PathModel fresh;
    fresh.on_rate(megabytes(1), false);
    fresh.on_acknowledged(at(1s), 20'000, kWide, false, startup);
    const int rounds = startup ? 2 : 10;
    for (int round = 1; round <= rounds; ++round) {
      BOOST_TEST(fresh.extra_acked() == 20'000u);
      fresh.on_acknowledged(at(1s + round * 100ms), 1000, kWide, true, startup);
    }
    BOOST_TEST(fresh.extra_acked() == 1000u);
  }
}

BOOST_AUTO_TEST_CASE(a_bunch_does_not_reach_over_a_pause) {
  model.on_rate(megabytes(1), false);
  model.on_acknowledged(at(1s), 50'000, kWide, false, false);
  model.on_idle_restart(at(1001ms));
  model.on_acknowledged(at(1002ms), 10'000, kWide, false, false);
  BOOST_TEST(model.extra_acked() == 50'000u);  // not 58,000
}

BOOST_AUTO_TEST_CASE(trouble_cuts_to_seven_tenths_and_again) {
  model.on_rate(megabytes(10), false);
  model.cut(100'000);
  BOOST_TEST(model.bounds.rate == 7'000'000u);
  BOOST_TEST(model.bounds.inflight == 70'000u);
  model.cut(100'000);  // of the bound, not of the window
  BOOST_TEST(model.bounds.rate == 4'900'000u);
  BOOST_TEST(model.bounds.inflight == 49'000u);
  BOOST_TEST(model.bounds.inflight_limit == PathModel::kUnbounded);
  model.lift_short_term();
  BOOST_TEST(model.bounds.rate == PathModel::kUnbounded);
  BOOST_TEST(model.bounds.inflight == PathModel::kUnbounded);
}

BOOST_AUTO_TEST_CASE(trouble_never_cuts_below_what_the_round_delivered) {
  model.on_rate(megabytes(10), false);
  model.on_delivery(megabytes(9), 90'000);
  model.on_delivery(megabytes(8), 95'000);  // the larger of each counts
  model.cut(100'000);
  BOOST_TEST(model.bounds.rate == 9'000'000u);
  BOOST_TEST(model.bounds.inflight == 95'000u);
  model.begin_round(megabytes(2), 20'000);
  BOOST_TEST(model.latest_delivered() == 20'000u);
  model.cut(100'000);
  BOOST_TEST(model.bounds.rate == 6'300'000u);
  BOOST_TEST(model.bounds.inflight == 66'500u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace path_model_test
