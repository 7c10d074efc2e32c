// Which of its own addresses the relay may send from.
#include "mxp-netem/source_addresses.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>

#include "mxp-netem/relay_socket.h"

namespace mxp::tools {

BOOST_AUTO_TEST_SUITE(source_addresses_of_the_relay)

BOOST_AUTO_TEST_CASE(loopback_has_several_and_the_usual_one_comes_first) {
  const SocketAddress target = SocketAddress::ipv4(127, 0, 0, 1, 9000);
  const auto addresses = source_addresses(target);
  BOOST_REQUIRE(addresses.size() >= 8u);
  BOOST_TEST((addresses[0] == SocketAddress::ipv4(127, 0, 0, 1, 0)));
  for (const SocketAddress& address : addresses) {
    BOOST_TEST(std::count(addresses.begin(), addresses.end(), address) == 1);
    const auto socket = RelaySocket::connect(target, address);
    BOOST_REQUIRE(socket.has_value());
    BOOST_TEST((socket->local().ip == address.ip));
    BOOST_TEST(socket->local().port != 0);
  }
}

BOOST_AUTO_TEST_CASE(an_address_of_another_host_is_an_error_that_names_it) {
  const auto socket =
      RelaySocket::connect(SocketAddress::ipv4(127, 0, 0, 1, 9000), SocketAddress::ipv4(192, 0, 2, 1, 0));
  BOOST_REQUIRE(!socket.has_value());
  BOOST_TEST(socket.error().message.starts_with("cannot send from 192.0.2.1"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace mxp::tools
