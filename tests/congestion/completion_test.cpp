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
#ifdef MXP_SANITIZED
    if (scenario.bytes > 10'000'000) continue;
#endif
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
