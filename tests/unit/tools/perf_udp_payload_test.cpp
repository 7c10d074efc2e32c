// What --mtu of mxp-perf means for the datagrams of a connection.
#include <boost/test/unit_test.hpp>

#include "mxp-perf/options.h"

using namespace mxp;
using namespace mxp::perf;

BOOST_AUTO_TEST_CASE(no_mtu_makes_datagrams_smaller_than_a_connection_builds) {
  const auto payload = [](std::size_t mtu, AddressFamily family) { return Options{.mtu = mtu}.udp_payload(family); };
  BOOST_TEST(payload(1500, AddressFamily::ipv4) == 1472u);
  BOOST_TEST(payload(1500, AddressFamily::ipv6) == 1452u);
  BOOST_TEST(payload(kLeastMtu, AddressFamily::ipv4) == 1200u);
  BOOST_TEST(payload(kLeastMtu, AddressFamily::ipv6) == 1200u);
}
