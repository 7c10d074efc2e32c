// Whole transfers end in the time that they took when the bounds were set, and a little more. The table in
// docs/benchmarks.md has the figures.
#include "congestion/completion.h"

#include <boost/test/unit_test.hpp>

#include "support/sanitized.h"

using namespace mxp;
using namespace mxp::testing;
using namespace std::chrono_literals;

BOOST_AUTO_TEST_CASE(whole_transfers_end_in_time) {
  for (const Completion& scenario : completions()) {
    if (test::kSanitized && scenario.bytes > 4'000'000) continue;
    for (const CongestionControl algorithm : {CongestionControl::bbr, CongestionControl::cubic}) {
      const auto bound = scenario.ours.of(algorithm);
      if (!bound) continue;
      const auto took = time_to_complete(scenario, algorithm, 1);
      BOOST_TEST_CONTEXT(scenario.name << (algorithm == CongestionControl::bbr ? ", BBR" : ", CUBIC")) {
        BOOST_TEST_REQUIRE(took.has_value());
        BOOST_TEST((*took <= *bound), *took / 1ms << " ms");
      }
    }
  }
}

// The queue overflows while start-up finds the rate, and with loss the last packets are sent two or three times.
BOOST_AUTO_TEST_CASE(twenty_megabytes_from_cold_take_little_more_than_the_link_needs_for_them,
                     *boost::unit_test::enable_if<!test::kSanitized>()) {
  struct Row {
    double loss_percent, mbit;
  };
  for (const Row& row : {Row{0, 80}, Row{1, 77.5}, Row{5, 73}}) {
    const auto rates = rates_from_cold(row.loss_percent, row.loss_percent > 0 ? 15 : 3);
    BOOST_TEST_CONTEXT("loss " << row.loss_percent << " %") {
      BOOST_TEST(rates.front() > 0);
      BOOST_TEST(rates[rates.size() / 2] >= row.mbit);
    }
  }
}
