// A broken precondition stops the process in every build, and says which one and where.
#include "mxp/require.h"

#include <boost/test/unit_test.hpp>
#include <csignal>

#include "support/death.h"

namespace mxp::test {

BOOST_AUTO_TEST_SUITE(require)

BOOST_AUTO_TEST_CASE(a_broken_precondition_stops_the_process_and_names_itself) {
  const Death death = death_of([] { MXP_REQUIRE(1 + 1 == 3); });
  BOOST_TEST(death.signal == SIGABRT);
  BOOST_TEST(death.said.starts_with("mxp: precondition broken: 1 + 1 == 3 (require_test.cpp:"));
}

BOOST_AUTO_TEST_CASE(a_kept_one_costs_nothing_else) {
  int evaluated = 0;
  MXP_REQUIRE(++evaluated == 1);
  BOOST_TEST(evaluated == 1);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace mxp::test
