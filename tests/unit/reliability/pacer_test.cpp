#include "reliability/pacer.h"

#include <boost/test/unit_test.hpp>

using namespace mxp;
using namespace std::chrono_literals;

BOOST_AUTO_TEST_SUITE(pacer)

BOOST_AUTO_TEST_CASE(no_limit_when_off_or_before_a_rate_is_known) {
  Pacer off(1200, false);
  off.set_rate(Timestamp(1s), ByteRate::bytes_per_second(1000));
  off.on_sent(Timestamp(1s), 1'000'000);
  BOOST_TEST(off.available(Timestamp(1s)) == Pacer::kUnlimited);
  const Pacer unknown(1200, true);
  BOOST_TEST(unknown.available(Timestamp(1s)) == Pacer::kUnlimited);
}

BOOST_AUTO_TEST_CASE(initial_window_goes_out_in_one_burst_then_the_rate_holds) {
  Pacer pacer(1200, true);
  const Timestamp start(1s);
  pacer.set_rate(start, ByteRate::bytes_per_second(1'200'000));  // 1200 bytes a millisecond
  BOOST_TEST(pacer.available(start) == 12'000u);
  pacer.on_sent(start, 12'000);
  BOOST_TEST(pacer.available(start) == 0u);
  BOOST_TEST((pacer.ready_at(start, 1200) == start + 1ms));
  BOOST_TEST(pacer.available(start + 1ms) == 1200u);
  BOOST_TEST(pacer.available(start + 1ms - 1ns) == 1199u);
  BOOST_TEST(pacer.available(start + 1h) == 12'000u);  // idle time saves up one burst
}

BOOST_AUTO_TEST_CASE(fast_senders_get_bursts_for_segmentation_offload) {
  Pacer pacer(1200, true);
  pacer.set_rate(Timestamp(1s), ByteRate::bits_per_second(1'000'000'000));
  BOOST_TEST(pacer.quantum() == 65'536u);  // 1 ms is 125,000 bytes
  BOOST_TEST(pacer.burst() == 250'000u);   // 2 ms
  pacer.set_rate(Timestamp(1s), ByteRate::bits_per_second(100'000'000));
  BOOST_TEST(pacer.quantum() == 12'500u);
  pacer.set_rate(Timestamp(1s), ByteRate::bits_per_second(1'000'000));
  BOOST_TEST(pacer.quantum() == 1200u);
  BOOST_TEST(pacer.burst() == 12'000u);
}

BOOST_AUTO_TEST_CASE(probes_are_debts_paid_first) {
  Pacer pacer(1200, true);
  const Timestamp start(1s);
  pacer.set_rate(start, ByteRate::bytes_per_second(1'200'000));
  pacer.on_sent(start, 12'000 + 2400);
  BOOST_TEST(pacer.available(start + 2ms) == 0u);
  BOOST_TEST((pacer.ready_at(start, 1200) == start + 3ms));
}

BOOST_AUTO_TEST_CASE(asking_often_does_not_lose_fractions_of_bytes) {
  Pacer pacer(1200, true);
  Timestamp now(1s);
  pacer.set_rate(now, ByteRate::bytes_per_second(1000));  // one byte a millisecond
  pacer.on_sent(now, 12'000);
  for (int i = 0; i < 100'000; ++i) {
    now += 10us;
    pacer.on_sent(now, 0);
  }
  BOOST_TEST(pacer.available(now) == 1000u);
}

BOOST_AUTO_TEST_CASE(time_that_runs_backwards_gives_no_credit_and_no_harm) {
  Pacer pacer(1200, true);
  const Timestamp start(10s);
  pacer.set_rate(start, ByteRate::bytes_per_second(1'200'000));
  pacer.on_sent(start, 12'000);
  BOOST_TEST(pacer.available(start - 5s) == 0u);
  pacer.on_sent(start - 5s, 1200);
  BOOST_TEST((pacer.ready_at(start - 5s, 1200) == start + 2ms));
  BOOST_TEST(pacer.available(start + 2ms) == 1200u);
}

BOOST_AUTO_TEST_CASE(any_clock_origin_will_do) {
  Pacer pacer(1200, true);
  pacer.set_rate(Timestamp::min(), ByteRate::bytes_per_second(1'200'000));
  const Timestamp start(-100s);
  BOOST_TEST(pacer.available(start) == 12'000u);
  pacer.on_sent(start, 12'000);
  BOOST_TEST(pacer.available(start + 1ms) == 1200u);
}

BOOST_AUTO_TEST_SUITE_END()
