#include "reliability/queue_watch.h"

#include <boost/test/unit_test.hpp>

using namespace mxp;
using namespace std::chrono_literals;

namespace {

struct WatchedQueue {
  void samples(Duration span, Duration round_trip) {
    for (const Timestamp end = now + span; now < end; now += 1ms) watch.on_sample(now, round_trip);
  }
  QueueWatch watch;
  Timestamp now{1h};
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(queue_watch, WatchedQueue)

BOOST_AUTO_TEST_CASE(a_queue_is_seen_within_half_a_round_trip_and_its_end_at_once) {
  samples(1s, 40ms);
  BOOST_CHECK(watch.delay() == 0ms);
  samples(9ms, 42ms);
  BOOST_CHECK(watch.delay() == 0ms);  // an empty one was seen a moment ago
  samples(12ms, 42ms);
  BOOST_CHECK(watch.delay() == 2ms);
  samples(1ms, 41ms);
  BOOST_CHECK(watch.delay() == 1ms);
  samples(1ms, 40ms);
  BOOST_CHECK(watch.delay() == 0ms);
}

BOOST_AUTO_TEST_CASE(single_samples_that_waited_are_no_queue) {
  samples(1s, 40ms);
  for (int i = 0; i < 100; ++i) {
    samples(2ms, 55ms);
    samples(1ms, 40ms);
    BOOST_CHECK(watch.delay() == 0ms);
  }
}

BOOST_AUTO_TEST_CASE(a_path_that_has_become_longer_is_believed_after_ten_to_twenty_seconds) {
  samples(1s, 40ms);
  samples(9s, 60ms);
  BOOST_CHECK(watch.delay() == 20ms);
  samples(12s, 60ms);
  BOOST_CHECK(watch.delay() == 0ms);
}

BOOST_AUTO_TEST_CASE(after_a_pause_nothing_old_counts) {
  samples(1s, 40ms);
  now += 21s;
  samples(1ms, 70ms);
  BOOST_CHECK(watch.delay() == 0ms);
}

BOOST_AUTO_TEST_SUITE_END()
