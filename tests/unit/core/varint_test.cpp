#include "core/varint.h"

#include <boost/test/unit_test.hpp>

#include "core/cursor.h"
#include "support/hex.h"

using namespace mxp;
using mxp::test::hex;

BOOST_AUTO_TEST_SUITE(varint)

BOOST_AUTO_TEST_CASE(examples_of_rfc_9000_appendix_a_1) {
  struct Example {
    const char* bytes;
    std::uint64_t value;
  };
  for (const Example& example : {Example{"c2197c5eff14e88c", 151288809941952652u}, Example{"9d7f3e7d", 494878333u},
                                 Example{"7bbd", 15293u}, Example{"25", 37u}, Example{"4025", 37u}}) {
    const auto bytes = hex(example.bytes);
    Reader in(bytes);
    BOOST_TEST(in.varint().value() == example.value);
    BOOST_TEST(in.empty());
  }
}

BOOST_AUTO_TEST_CASE(sizes_change_exactly_at_the_powers_of_two) {
  BOOST_TEST(varint_size(0) == 1u);
  BOOST_TEST(varint_size(63) == 1u);
  BOOST_TEST(varint_size(64) == 2u);
  BOOST_TEST(varint_size(16383) == 2u);
  BOOST_TEST(varint_size(16384) == 4u);
  BOOST_TEST(varint_size((1u << 30) - 1) == 4u);
  BOOST_TEST(varint_size(1u << 30) == 8u);
  BOOST_TEST(varint_size(kMaxVarint) == 8u);
}

BOOST_AUTO_TEST_CASE(largest_value_is_all_ones) {
  std::array<std::uint8_t, 8> bytes;
  encode_varint(kMaxVarint, 8, bytes.data());
  BOOST_TEST(bytes == hex("ffffffffffffffff"), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(cut_off_value_is_not_read_and_nothing_is_consumed) {
  const auto bytes = hex("c2197c5eff14e88c");
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    Reader in(ByteView(bytes).first(size));
    BOOST_TEST(!in.varint());
    BOOST_TEST(in.remaining() == size);
  }
}

BOOST_AUTO_TEST_SUITE_END()
