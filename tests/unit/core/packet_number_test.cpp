#include "core/packet_number.h"

#include <boost/test/unit_test.hpp>

using namespace mxp;

BOOST_AUTO_TEST_SUITE(packet_number)

// RFC 9000 A.2.
BOOST_AUTO_TEST_CASE(truncation_examples_of_the_rfc) {
  BOOST_TEST(packet_number_size(PacketNumber(0xac5c02), PacketNumber(0xabe8b3)) == 2u);
  BOOST_TEST(packet_number_size(PacketNumber(0xace8fe), PacketNumber(0xabe8b3)) == 3u);
}

// RFC 9000 A.3: largest 0xa82f30ea is open, 0x9b32 arrives in two bytes.
BOOST_AUTO_TEST_CASE(recovery_example_of_the_rfc) {
  BOOST_TEST(expand_packet_number(0xa82f30ea + 1, 0x9b32, 2).value() == 0xa82f9b32u);
}

BOOST_AUTO_TEST_CASE(first_packet_takes_one_byte) {
  BOOST_TEST(packet_number_size(PacketNumber(0), std::nullopt) == 1u);
  BOOST_TEST(packet_number_size(PacketNumber(126), std::nullopt) == 1u);
  BOOST_TEST(packet_number_size(PacketNumber(127), std::nullopt) == 2u);
}

BOOST_AUTO_TEST_CASE(number_just_behind_the_window_is_still_recovered) {
  BOOST_TEST(expand_packet_number(0x200, 0xff, 1).value() == 0x1ffu);  // reordered, one behind
  BOOST_TEST(expand_packet_number(0x1ff, 0x00, 1).value() == 0x200u);  // one ahead, over the edge
}

BOOST_AUTO_TEST_CASE(expansion_stays_inside_the_number_space) {
  BOOST_TEST(expand_packet_number(0, 0xff, 1).value() == 0xffu);  // never below 0
  BOOST_TEST(expand_packet_number(kMaxVarint, 0x00, 1).value() ==
             (kMaxVarint & ~std::uint64_t{0xff}));  // never above 2^62 - 1
}

BOOST_AUTO_TEST_SUITE_END()
