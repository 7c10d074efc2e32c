// RFC 9002 §5.
#include "reliability/rtt_estimator.h"

#include <boost/test/unit_test.hpp>

using namespace mxp;
using namespace std::chrono_literals;

BOOST_AUTO_TEST_SUITE(rtt_estimator)

BOOST_AUTO_TEST_CASE(initial_value_is_assumed_until_the_first_sample) {
  const RttEstimator rtt(333ms);
  BOOST_TEST(!rtt.has_sample());
  BOOST_TEST((rtt.smoothed() == 333ms));
  BOOST_TEST((rtt.variation() == 166500us));
}

BOOST_AUTO_TEST_CASE(first_sample_replaces_the_initial_value_and_ignores_the_delay) {
  RttEstimator rtt(333ms);
  BOOST_TEST(rtt.on_sample(Timestamp(5s), 100ms, 20ms));
  BOOST_TEST((rtt.smoothed() == 100ms));
  BOOST_TEST((rtt.variation() == 50ms));
  BOOST_TEST((rtt.min() == 100ms));
  BOOST_TEST((rtt.first_sample_at() == Timestamp(5s)));
}

BOOST_AUTO_TEST_CASE(later_samples_move_the_average_by_an_eighth) {
  RttEstimator rtt(333ms);
  rtt.on_sample(Timestamp(1s), 100ms, 0ms);
  rtt.on_sample(Timestamp(2s), 140ms, 0ms);
  BOOST_TEST((rtt.smoothed() == 105ms));     // 7/8 × 100 + 1/8 × 140
  BOOST_TEST((rtt.variation() == 47500us));  // 3/4 × 50 + 1/4 × |100 − 140|
  BOOST_TEST((rtt.latest() == 140ms));
  BOOST_TEST((rtt.first_sample_at() == Timestamp(1s)));
}

BOOST_AUTO_TEST_CASE(delay_is_subtracted_only_down_to_the_minimum) {
  RttEstimator rtt(333ms);
  rtt.on_sample(Timestamp(1s), 100ms, 0ms);
  rtt.on_sample(Timestamp(2s), 140ms, 20ms);
  BOOST_TEST((rtt.latest_adjusted() == 120ms));
  rtt.on_sample(Timestamp(3s), 140ms, 50ms);  // would be 90 ms, less than was ever seen
  BOOST_TEST((rtt.latest_adjusted() == 140ms));
  BOOST_TEST((rtt.min() == 100ms));
}

BOOST_AUTO_TEST_CASE(time_that_ran_backwards_gives_no_sample) {
  RttEstimator rtt(333ms);
  rtt.on_sample(Timestamp(1s), 100ms, 0ms);
  BOOST_TEST(!rtt.on_sample(Timestamp(1s), -1ns, 0ms));
  BOOST_TEST((rtt.smoothed() == 100ms));
  BOOST_TEST((rtt.latest() == 100ms));
  BOOST_TEST(rtt.on_sample(Timestamp(2s), 100ms, -5ms));  // a negative delay is none
  BOOST_TEST((rtt.smoothed() == 100ms));
}

BOOST_AUTO_TEST_CASE(minimum_is_looked_for_anew_after_persistent_congestion) {
  RttEstimator rtt(333ms);
  rtt.on_sample(Timestamp(1s), 10ms, 0ms);
  rtt.on_sample(Timestamp(2s), 80ms, 0ms);
  rtt.on_persistent_congestion();
  BOOST_TEST((rtt.min() == 80ms));
}

BOOST_AUTO_TEST_SUITE_END()
