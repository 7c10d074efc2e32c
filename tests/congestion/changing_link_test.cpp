// Links that change while they are used.
#include <boost/test/unit_test.hpp>

#include "congestion/scenario.h"
#include "support/sanitized.h"

using namespace mxp;
using namespace mxp::testing;
using namespace std::chrono_literals;

namespace {

constexpr auto kBbr = CongestionControl::bbr;

// The rate of each millisecond, as opportunities of 1500 bytes.
template <typename RateOf>
std::vector<std::uint32_t> trace_of(std::uint32_t milliseconds, RateOf&& mbit_at) {
  std::vector<std::uint32_t> result;
  double due = 0;
  for (std::uint32_t ms = 1; ms <= milliseconds; ++ms)
    for (due += mbit_at(ms) / 12; due >= 1; --due) result.push_back(ms);
  return result;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(congestion_changing_link)

BOOST_AUTO_TEST_CASE(steps_of_the_rate_are_followed_down_and_up) {
  FlowLab lab({.up = "trace steps delay 25ms limit 763",
               .down = "delay 25ms",
               .opportunities_ms =
                   trace_of(30'000, [](std::uint32_t ms) { return ms > 10'000 && ms <= 20'000 ? 10.0 : 100.0; })});
  lab.add({.congestion_control = kBbr});
  lab.run(30s);
  BOOST_TEST(lab.rate_mbit(0, 3s, 10s) >= 90);
  BOOST_TEST(lab.rate_mbit(0, 14s, 20s) >= 8.5);
  BOOST_TEST(lab.rate_mbit(0, 26s, 30s) >= 60);
  // Three seconds after the step down the queue of what was under way is gone.
  const Duration queue = lab.queue_delay(99, 13s, 20s);
  BOOST_TEST((queue <= 300ms), "queue " << queue.count() / 1'000'000 << " ms");
}

BOOST_AUTO_TEST_CASE(an_outage_of_two_seconds_is_forgotten_soon_after_it) {
  for (std::uint64_t seed = 1; seed <= test::runs(3); ++seed) {
    FlowLab lab(Path{.loss_percent = 1, .more_up = "outage 2s every 10s"}.lab(seed));
    lab.add({.congestion_control = kBbr});
    lab.run(20s);
    BOOST_TEST_CONTEXT("seed " << seed) {
      BOOST_TEST(lab.share(0, 3s, 8s) >= 0.9);
      BOOST_TEST(lab.share(0, 8100ms, 9900ms) < 0.01);
      BOOST_TEST(lab.share(0, 12s, 18s) >= 0.8);
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()
