// The headers that a capture of the relay puts in front of a datagram.
#include "mxp-netem/raw_ip.h"

#include <boost/test/unit_test.hpp>

namespace mxp::tools::test {

namespace {

const SocketAddress kFrom = SocketAddress::ipv4(10, 0, 0, 1, 40000);
const SocketAddress kTo = SocketAddress::ipv4(10, 0, 0, 2, 9000);

std::vector<std::uint8_t> packet_of(std::size_t payload_size) {
  std::vector<std::uint8_t> packet;
  append_raw_ip(packet, kFrom, kTo, Ecn::not_ect, std::vector<std::uint8_t>(payload_size, 0x5a));
  return packet;
}

unsigned u16_at(const std::vector<std::uint8_t>& packet, std::size_t at) { return packet[at] << 8 | packet[at + 1]; }

}  // namespace

BOOST_AUTO_TEST_SUITE(raw_ip)

BOOST_AUTO_TEST_CASE(lengths_say_what_follows_up_to_the_longest_of_ipv4) {
  for (const unsigned size : {0u, 1u, 1200u, 65507u}) {
    const auto packet = packet_of(size);
    BOOST_TEST(packet.size() == size + 28);
    BOOST_TEST(u16_at(packet, 2) == size + 28);
    BOOST_TEST(u16_at(packet, 24) == size + 8);
  }
}

BOOST_AUTO_TEST_CASE(a_datagram_too_long_for_ipv4_leaves_the_length_to_its_reader) {
  for (const unsigned size : {65508u, 65527u}) {
    const auto packet = packet_of(size);
    BOOST_TEST(packet.size() == size + 28);
    BOOST_TEST(u16_at(packet, 2) == 0u);
    BOOST_TEST(u16_at(packet, 24) == size + 8);
    BOOST_TEST(fold_checksum(add_to_checksum(0, ByteView(packet).first(20))) == 0);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace mxp::tools::test
