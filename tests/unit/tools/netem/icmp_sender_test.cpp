// The ICMP message that tells a client of a dead target: what its system looks at to find the socket it is about.
#include "mxp-netem/icmp_sender.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <vector>

#include "mxp-netem/raw_ip.h"

namespace mxp::tools {
namespace {

const SocketAddress kClient = *SocketAddress::parse("192.0.2.1:4242");
const SocketAddress kReached = *SocketAddress::parse("192.0.2.2:7000");
const SocketAddress kClient6 = *SocketAddress::parse("[2001:db8::1]:4242");
const SocketAddress kReached6 = *SocketAddress::parse("[2001:db8::2]:7000");

std::vector<std::uint8_t> about(const SocketAddress& client, const SocketAddress& reached, std::size_t payload_bytes) {
  std::vector<std::uint8_t> message;
  append_port_unreachable(message, client, reached, std::vector<std::uint8_t>(payload_bytes, 0x5a));
  return message;
}

BOOST_AUTO_TEST_SUITE(icmp_sender)

BOOST_AUTO_TEST_CASE(ipv4_message_is_port_unreachable_and_quotes_the_clients_datagram) {
  const auto message = about(kClient, kReached, 100);
  BOOST_REQUIRE(message.size() == 8u + 20 + 8 + 100);
  BOOST_TEST(message[0] == 3);  // destination unreachable
  BOOST_TEST(message[1] == 3);  // port
  BOOST_TEST(fold_checksum(add_to_checksum(0, message)) == 0);
  std::vector<std::uint8_t> quoted;
  append_raw_ip(quoted, kClient, kReached, Ecn::not_ect, std::vector<std::uint8_t>(100, 0x5a));
  BOOST_TEST(std::equal(quoted.begin(), quoted.end(), message.begin() + 8));
}

BOOST_AUTO_TEST_CASE(ipv6_message_leaves_the_checksum_to_the_kernel) {
  const auto message = about(kClient6, kReached6, 100);
  BOOST_REQUIRE(message.size() == 8u + 40 + 8 + 100);
  BOOST_TEST(message[0] == 1);  // destination unreachable
  BOOST_TEST(message[1] == 4);  // port
  BOOST_TEST(message[2] == 0);
  BOOST_TEST(message[3] == 0);
  BOOST_TEST((message[8] >> 4) == 6);
}

BOOST_AUTO_TEST_CASE(a_large_datagram_is_quoted_as_far_as_every_network_takes_it) {
  const auto message = about(kClient, kReached, 2000);
  BOOST_TEST(message.size() == 576u - 20);  // RFC 1812 §4.3.2.3
  BOOST_TEST(fold_checksum(add_to_checksum(0, message)) == 0);
  BOOST_TEST(about(kClient6, kReached6, 2000).size() == 1280u - 40);  // RFC 4443 §2.4
}

BOOST_AUTO_TEST_CASE(a_datagram_without_payload_is_quoted_too) {
  BOOST_TEST(about(kClient, kReached, 0).size() == 36u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace mxp::tools
