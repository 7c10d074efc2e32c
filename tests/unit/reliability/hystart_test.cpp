// RFC 9406.
#include "reliability/hystart.h"

#include <boost/test/unit_test.hpp>

using namespace mxp;
using namespace std::chrono_literals;
using Verdict = HyStart::Verdict;

namespace {

struct HystartFixture {
  HyStart hystart;
  std::uint64_t acknowledged = 0;
  // One round of `samples` ACKs, each with this RTT; 100 packets under way.
  Verdict round(Duration rtt, unsigned samples = 10) {
    Verdict verdict = Verdict::grow;
    const std::uint64_t end = acknowledged + 100;
    for (unsigned i = 0; i < samples; ++i)
      verdict = hystart.on_ack(acknowledged + 100 * i / samples, end + 100 * i / samples, rtt);
    acknowledged = end;
    return verdict;
  }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(hystart, HystartFixture)

BOOST_AUTO_TEST_CASE(steady_round_trips_keep_slow_start_going) {
  for (int i = 0; i < 50; ++i) BOOST_TEST((round(40ms) == Verdict::grow));
}

BOOST_AUTO_TEST_CASE(rising_round_trip_slows_down_and_after_five_rounds_leaves) {
  round(40ms);
  round(40ms);
  BOOST_TEST((round(46ms) == Verdict::grow_conservatively));  // 40 ms / 8 = 5 ms
  Verdict verdict = Verdict::grow_conservatively;
  int rounds = 0;
  while (verdict == Verdict::grow_conservatively && rounds < 10) {
    verdict = hystart.on_ack(acknowledged + 99, acknowledged + 200, 46ms);
    acknowledged += 100;
    ++rounds;
  }
  BOOST_TEST((verdict == Verdict::leave));
  BOOST_TEST(rounds == 5);
}

BOOST_AUTO_TEST_CASE(false_alarm_resumes_slow_start) {
  round(40ms);
  round(40ms);
  BOOST_TEST((round(50ms) == Verdict::grow_conservatively));
  BOOST_TEST((round(40ms) == Verdict::grow));
}

BOOST_AUTO_TEST_CASE(threshold_is_at_least_four_milliseconds) {
  round(1ms);
  round(1ms);
  BOOST_TEST((round(4900us) == Verdict::grow));
  BOOST_TEST((round(9000us) == Verdict::grow_conservatively));
}

BOOST_AUTO_TEST_CASE(few_samples_decide_nothing) {
  round(40ms);
  round(40ms);
  BOOST_TEST((round(90ms, 7) == Verdict::grow));
}

BOOST_AUTO_TEST_SUITE_END()
