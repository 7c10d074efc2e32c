#include <boost/test/unit_test.hpp>

#include "support/sim_pair.h"

using namespace mxp;
using namespace mxp::test;

BOOST_AUTO_TEST_SUITE(handshake)

BOOST_AUTO_TEST_CASE(takes_one_round_trip) {
  SimPair sim({});
  sim.connect();
  BOOST_TEST(sim.run_until([&] { return sim.client.connected_count == 1 && sim.server.connected_count == 1; }, 1s));
  BOOST_TEST(sim.violations().empty());
}

BOOST_AUTO_TEST_SUITE_END()
