// RFC 9002 §6.2.
#include "reliability/probe_timer.h"

#include <boost/test/unit_test.hpp>

using namespace mxp;
using namespace std::chrono_literals;

BOOST_AUTO_TEST_SUITE(probe_timer)

BOOST_AUTO_TEST_CASE(period_is_smoothed_plus_four_variations_plus_delay) {
  RttEstimator rtt(333ms);
  rtt.on_sample(Timestamp(1s), 100ms, 0ms);
  BOOST_TEST((ProbeTimer::period(rtt, 25ms) == 100ms + 4 * 50ms + 25ms));
  for (int i = 0; i < 100; ++i) rtt.on_sample(Timestamp(1s), 100ms, 0ms);
  BOOST_TEST((ProbeTimer::period(rtt, 25ms) == 100ms + kTimerGranularity + 25ms));
}

BOOST_AUTO_TEST_CASE(timeouts_double_until_an_acknowledgement) {
  RttEstimator rtt(100ms);
  const Duration period = ProbeTimer::period(rtt, 25ms);
  ProbeTimer timer;
  const Timestamp sent(10s);
  for (int round = 0; round < 6; ++round) {
    BOOST_TEST((timer.deadline(sent, rtt, 25ms) == sent + period * (1 << round)));
    timer.on_fired(sent);
  }
  timer.on_acknowledged();
  BOOST_TEST(timer.count() == 0u);
  BOOST_TEST((timer.deadline(sent, rtt, 25ms) == sent + period));
}

BOOST_AUTO_TEST_CASE(late_wake_up_fires_one_timeout_not_many) {
  RttEstimator rtt(100ms);
  ProbeTimer timer;
  const Timestamp sent(10s), woken(24h);
  timer.on_fired(woken);
  BOOST_TEST((timer.deadline(sent, rtt, 25ms) == woken + 2 * ProbeTimer::period(rtt, 25ms)));
}

BOOST_AUTO_TEST_CASE(backoff_never_overflows) {
  RttEstimator rtt(10s);
  ProbeTimer timer;
  for (int i = 0; i < 1000; ++i) timer.on_fired(Timestamp(1s));
  BOOST_TEST((timer.deadline(Timestamp(1s), rtt, 25ms) > Timestamp(1s)));
}

BOOST_AUTO_TEST_SUITE_END()
