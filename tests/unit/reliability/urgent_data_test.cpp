// A connection that carries urgent data beside bulk: the flow keeps the queue of the path short for them.
#include <algorithm>
#include <boost/test/unit_test.hpp>

#include "unit/reliability/pipe.h"

using namespace mxp;
using namespace mxp::testing;
using namespace std::chrono_literals;

namespace {

struct UrgentPipe : Pipe {
  // The longest queue within that time, in which urgent data are sent now and then, or never.
  enum class Urgent : std::uint8_t { never, often };
  Duration longest_queue(Duration span, Urgent urgent) {
    Duration longest{};
    for (const Timestamp end = now() + span; now() < end; run(1ms)) {
      if (urgent == Urgent::often) bbr.on_urgent_data(now());
      longest = std::max(longest, queue());
    }
    return longest;
  }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(urgent_data, UrgentPipe)

BOOST_AUTO_TEST_CASE(start_up_makes_a_short_queue_only) {
  for (const std::uint64_t mbit : {5, 20, 100, 400})
    for (const std::uint32_t each : {0, 100}) {
      UrgentPipe pipe;
      pipe.rate = ByteRate::bits_per_second(mbit * 1'000'000);
      pipe.lose_every = each;
      pipe.bbr.on_urgent_data(pipe.now());
      pipe.run(50ms);  // the first window comes before there is a round trip
      // Eight packets make a train of more than 5 ms at the smallest of these rates.
      BOOST_CHECK(pipe.longest_queue(3s, Urgent::often) < (mbit == 5 ? 16ms : 7ms));
      BOOST_TEST(pipe.bbr.model().max_rate().bits_per_second() > mbit * 900'000);
      BOOST_TEST(pipe.bbr.model().max_rate().bits_per_second() < mbit * 1'040'000);
      BOOST_CHECK(pipe.bbr.state() != Bbr::State::startup);
    }
}

// On a path that takes less than the first window in a round trip, the search would begin with too much, and the ordinary
// start-up takes over as soon as that shows.
BOOST_AUTO_TEST_CASE(start_up_on_a_slow_path_is_no_worse_than_an_ordinary_one) {
  for (const std::uint64_t kbit : {250, 1000, 2000, 5000, 10'000})
    for (const Duration round_trip_of_path : {20ms, 50ms}) {
      const auto queue_after = [&](Urgent urgent) {
        UrgentPipe pipe;
        pipe.rate = ByteRate::bits_per_second(kbit * 1000);
        pipe.round_trip = round_trip_of_path;
        pipe.bbr.on_handshake_round_trip();
        const Duration longest = pipe.longest_queue(12s, urgent);
        BOOST_CHECK(pipe.bbr.state() != Bbr::State::startup);
        return longest;
      };
      BOOST_TEST_CONTEXT(kbit << " kbit/s, round trip " << round_trip_of_path / 1ms << " ms")
      BOOST_CHECK(queue_after(Urgent::often) <= queue_after(Urgent::never) + 5ms);
    }
}

BOOST_AUTO_TEST_CASE(a_pause_while_start_up_searches_does_not_slow_down_what_follows) {
  rate = ByteRate::bits_per_second(100'000'000);
  bbr.on_urgent_data(now());
  run(120ms);
  sending = false;
  longest_queue(5s, Urgent::often);
  sending = true;
  const std::uint64_t before = delivered();
  BOOST_CHECK(longest_queue(1s, Urgent::often) < 7ms);
  BOOST_TEST(delivered() - before > rate.bytes_in(1s) / 2);
}

BOOST_AUTO_TEST_CASE(start_up_becomes_an_ordinary_one_when_others_fill_the_queue) {
  rate = ByteRate::bits_per_second(100'000'000);
  bbr.on_urgent_data(now());
  run(150ms);
  BOOST_TEST(!!(bbr.state() == Bbr::State::startup));
  round_trip += 15ms;  // what others keep
  BOOST_CHECK(longest_queue(1s, Urgent::often) > 15ms);
}

BOOST_AUTO_TEST_CASE(bursts_of_the_application_do_not_end_start_up) {
  rate = ByteRate::bits_per_second(100'000'000);
  for (int burst = 0; burst < 60; ++burst) {
    sending = true;
    longest_queue(17ms, Urgent::often);
    sending = false;
    longest_queue(183ms, Urgent::often);
  }
  BOOST_CHECK(bbr.state() == Bbr::State::startup);
  sending = true;
  const std::uint64_t before = delivered();
  BOOST_CHECK(longest_queue(1s, Urgent::often) < 8ms);
  BOOST_TEST(delivered() - before > rate.bytes_in(1s) * 7 / 10);
}

// What the path loses by itself is made up for once.
BOOST_AUTO_TEST_CASE(start_up_on_a_path_that_loses_much_makes_a_short_queue_too) {
  for (const std::uint32_t each : {10, 20}) {
    UrgentPipe pipe;
    pipe.rate = ByteRate::bits_per_second(100'000'000);
    pipe.lose_every = each;
    pipe.bbr.on_urgent_data(pipe.now());
    BOOST_CHECK(pipe.longest_queue(3s, Urgent::often) < 8ms);
    BOOST_TEST(pipe.bbr.model().max_rate().bits_per_second() > 80'000'000u);
  }
}

BOOST_AUTO_TEST_CASE(start_up_on_a_path_with_a_short_queue_does_not_take_its_loss_for_the_links_own) {
  for (const std::uint64_t bytes : {12'500, 30'000, 60'000}) {
    UrgentPipe pipe;
    pipe.rate = ByteRate::bits_per_second(100'000'000);
    pipe.queue_bytes = bytes;
    pipe.longest_queue(5s, Urgent::often);
    BOOST_TEST(pipe.bbr.own_loss() < 0.03);
    BOOST_TEST(pipe.lost_packets() < pipe.sent_packets() / 20);
    BOOST_TEST(pipe.delivered() > pipe.rate.bytes_in(5s) / 2);
  }
}

BOOST_AUTO_TEST_CASE(start_up_waits_for_an_application_that_sends_little) {
  application = ByteRate::bits_per_second(2'000'000);
  longest_queue(5s, Urgent::often);
  BOOST_CHECK(bbr.state() == Bbr::State::startup);
  application = {};
  BOOST_CHECK(longest_queue(2s, Urgent::often) < 7ms);
  BOOST_CHECK(bbr.state() != Bbr::State::startup);
  BOOST_TEST(bbr.model().max_rate().bits_per_second() > 18'000'000u);
}

BOOST_AUTO_TEST_CASE(start_up_is_an_ordinary_one_where_no_data_are_urgent_or_the_path_is_short) {
  BOOST_CHECK(longest_queue(3s, Urgent::never) > 25ms);
  UrgentPipe near;
  near.round_trip = 8ms;
  BOOST_CHECK(near.longest_queue(1s, Urgent::often) > 7ms);
}

BOOST_AUTO_TEST_CASE(bulk_that_probe_for_more_make_a_short_queue_only) {
  run(2s);
  const std::uint64_t before = delivered();
  BOOST_CHECK(longest_queue(15s, Urgent::often) < 4ms);
  BOOST_TEST(delivered() - before > rate.bytes_in(15s) * 94 / 100);
  // A quarter of a minute later nobody is urgent any more.
  run(12s);
  BOOST_CHECK(longest_queue(20s, Urgent::never) > 8ms);
}

BOOST_AUTO_TEST_CASE(one_probe_in_eight_is_an_ordinary_one) {
  run(2s);
  int long_ones = 0, all = 0;
  for (; all != 600; ++all) long_ones += longest_queue(100ms, Urgent::often) > 5ms ? 1 : 0;
  BOOST_TEST(long_ones >= 2);
  BOOST_TEST(long_ones <= 12);
}

BOOST_AUTO_TEST_CASE(a_faster_path_is_found_all_the_same) {
  BOOST_CHECK(longest_queue(3s, Urgent::often) > 0ms);
  rate = ByteRate::bits_per_second(200'000'000);
  longest_queue(10s, Urgent::often);
  BOOST_TEST(bbr.model().max_rate().bits_per_second() > 180'000'000u);
}

BOOST_AUTO_TEST_CASE(a_path_whose_queue_is_seen_to_be_empty_is_not_stopped_to_look_for_its_round_trip) {
  longest_queue(60s, Urgent::often);
  BOOST_TEST(std::ranges::none_of(changes(), [](const Change& it) { return it.state == Bbr::State::probe_rtt; }));
  // One that takes longer now is.
  round_trip += 10ms;
  longest_queue(20s, Urgent::often);
  BOOST_TEST(std::ranges::any_of(changes(), [](const Change& it) { return it.state == Bbr::State::probe_rtt; }));
}

BOOST_AUTO_TEST_SUITE_END()
