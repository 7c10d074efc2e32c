// The pacer's guarantee, as its header states it, for random rates, times and sizes.
#include <rapidcheck.h>

#include <boost/test/unit_test.hpp>
#include <vector>

#include "reliability/pacer.h"

using namespace mxp;

BOOST_AUTO_TEST_SUITE(pacer_property)

BOOST_AUTO_TEST_CASE(bytes_in_any_interval_are_at_most_a_burst_plus_the_integral_of_the_rate) {
  BOOST_TEST(rc::check("inequality", [] {
    Pacer pacer(1200, true);
    Timestamp now(std::chrono::seconds(1));
    struct Point {
      long double earned;  // integral of the rate until here
      long double sent;    // before this point
      std::uint64_t burst;
    };
    std::vector<Point> points;
    long double earned = 0, sent = 0;
    const auto set_rate = [&] {
      pacer.set_rate(now, ByteRate::bytes_per_second(*rc::gen::elementOf(
                              std::vector<std::uint64_t>{1'000, 77'777, 1'250'000, 125'000'000, 1'250'000'000})));
    };
    set_rate();
    const auto steps = *rc::gen::inRange(1, 120);
    for (int i = 0; i < steps; ++i) {
      const auto wait =
          Duration(*rc::gen::elementOf(std::vector<std::int64_t>{0, 1, 999, 50'000, 1'000'000, 3'333'333, 40'000'000}));
      now += wait;
      earned +=
          static_cast<long double>(pacer.rate().bytes_per_second()) * static_cast<long double>(wait.count()) / 1e9L;
      if (*rc::gen::inRange(0, 5) == 0) set_rate();
      const std::uint64_t available = pacer.available(now);
      const std::uint64_t bytes = *rc::gen::inRange<std::uint64_t>(0, available + 1);
      points.push_back({earned, sent, pacer.burst()});
      pacer.on_sent(now, bytes);
      sent += static_cast<long double>(bytes);
      // Every interval that ends here.
      std::uint64_t burst = 0;
      for (auto begin = points.rbegin(); begin != points.rend(); ++begin) {
        burst = std::max(burst, begin->burst);
        RC_ASSERT(sent - begin->sent <= static_cast<long double>(burst) + (earned - begin->earned) + 1e-3L);
      }
    }
  }));
}

BOOST_AUTO_TEST_CASE(whoever_waits_until_ready_is_served) {
  BOOST_TEST(rc::check("no starvation", [] {
    Pacer pacer(1200, true);
    Timestamp now(std::chrono::seconds(1));
    pacer.set_rate(now, ByteRate::bytes_per_second(*rc::gen::inRange<std::uint64_t>(1, 2'000'000'000)));
    for (int i = 0; i < 20; ++i) {
      pacer.on_sent(now, *rc::gen::inRange<std::uint64_t>(0, pacer.available(now) + 1));
      const Timestamp ready = pacer.ready_at(now, pacer.quantum());
      RC_ASSERT(ready >= now);
      RC_ASSERT(ready <= now + pacer.rate().time_for(pacer.quantum()));
      RC_ASSERT(pacer.available(ready) >= pacer.quantum());
      if (ready > now) RC_ASSERT(pacer.available(ready - Duration(1)) < pacer.quantum());
      now = ready;
    }
  }));
}

BOOST_AUTO_TEST_SUITE_END()
