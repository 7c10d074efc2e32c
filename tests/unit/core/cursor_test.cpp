#include "core/cursor.h"

#include <boost/test/unit_test.hpp>

#include "support/hex.h"

using namespace mxp;
using mxp::test::hex;

BOOST_AUTO_TEST_SUITE(cursor)

BOOST_AUTO_TEST_CASE(fixed_width_integers_are_little_endian) {
  const auto bytes = hex("01 0302 07060504 0f0e0d0c0b0a0908");
  Reader in(bytes);
  BOOST_TEST(in.u8().value() == 0x01);
  BOOST_TEST(in.le<std::uint16_t>().value() == 0x0203);
  BOOST_TEST(in.le<std::uint32_t>().value() == 0x04050607u);
  BOOST_TEST(in.le<std::uint64_t>().value() == 0x08090a0b0c0d0e0fu);
  BOOST_TEST(in.empty());

  std::array<std::uint8_t, 15> again;
  Writer out(again);
  BOOST_TEST((out.u8(0x01) && out.le(std::uint16_t{0x0203}) && out.le(std::uint32_t{0x04050607}) &&
              out.le(std::uint64_t{0x08090a0b0c0d0e0f})));
  BOOST_TEST(again == bytes, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(reads_that_do_not_fit_consume_nothing) {
  const auto bytes = hex("0102 03");
  Reader in(bytes);
  BOOST_TEST(!in.le<std::uint32_t>());
  BOOST_TEST(!in.bytes(4));
  BOOST_TEST(!in.bytes(~std::uint64_t{0}));
  BOOST_TEST(in.remaining() == 3u);
  BOOST_TEST(in.bytes(3).value().size() == 3u);
  BOOST_TEST(!in.u8());
}

BOOST_AUTO_TEST_CASE(writes_that_do_not_fit_write_nothing) {
  std::array<std::uint8_t, 3> bytes{9, 9, 9};
  Writer out(bytes);
  BOOST_TEST(!out.le(std::uint32_t{1}));
  BOOST_TEST(!out.varint(1u << 20));
  BOOST_TEST(!out.bytes(hex("01020304")));
  BOOST_TEST(!out.fill(0, 4));
  BOOST_TEST(out.written() == 0u);
  BOOST_TEST(bytes == hex("090909"), boost::test_tools::per_element());
  BOOST_TEST(out.fill(7, 3));
  BOOST_TEST(!out.u8(1));
  BOOST_TEST(bytes == hex("070707"), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(runs_are_skipped_up_to_the_first_other_byte) {
  const auto bytes = hex("000000 01 00");
  Reader in(bytes);
  BOOST_TEST(in.skip_run(0) == 3u);
  BOOST_TEST(in.skip_run(0) == 0u);
  BOOST_TEST(in.remaining() == 2u);
}

BOOST_AUTO_TEST_SUITE_END()
