#include "scheduler/reassembler.h"

#include <boost/test/unit_test.hpp>

#include "unit/scheduler/streams_fixture.h"

namespace mxp::test {
namespace {

BOOST_AUTO_TEST_SUITE(reassembler)

BOOST_AUTO_TEST_CASE(bytes_beyond_a_gap_wait_for_it) {
  Reassembler reassembler;
  BOOST_TEST(reassembler.insert(3, bytes_of("def"), 8));
  BOOST_TEST(reassembler.front().empty());
  BOOST_TEST(reassembler.insert(0, bytes_of("abc"), 8));
  const ByteView front = reassembler.front();
  BOOST_TEST(std::string(front.begin(), front.end()) == "abcdef");
  reassembler.advance(6);
  BOOST_TEST(reassembler.empty());
}

BOOST_AUTO_TEST_CASE(what_is_below_the_begin_is_ignored) {
  Reassembler reassembler;
  reassembler.advance(10);
  BOOST_TEST(reassembler.insert(0, pattern_bytes(0, 10), 8));
  BOOST_TEST(reassembler.empty());
  BOOST_TEST(reassembler.insert(5, pattern_bytes(5, 10), 8));
  BOOST_TEST(reassembler.buffered() == 5u);
  BOOST_TEST(reassembler.front()[0] == pattern_byte(10));
}

BOOST_AUTO_TEST_CASE(gaps_beyond_the_limit_are_refused) {  // threat t07
  Reassembler reassembler;
  for (std::uint64_t i = 0; i < 8; ++i) BOOST_TEST(reassembler.insert(2 * i + 1, bytes_of("x"), 8));
  BOOST_TEST(reassembler.insert(0, bytes_of("x"), 8));  // the front is not beyond a gap
  BOOST_TEST(reassembler.insert(17, bytes_of("x"), 8));
  BOOST_TEST(!reassembler.insert(19, bytes_of("x"), 8));
}

BOOST_AUTO_TEST_CASE(contiguous_single_bytes_are_one_span) {  // threat t07: must not trip
  Reassembler reassembler;
  for (std::uint64_t i = 1; i < 5000; ++i) BOOST_TEST_REQUIRE(reassembler.insert(i, bytes_of("x"), 1));
  BOOST_TEST(reassembler.span_count() == 1u);
}

BOOST_AUTO_TEST_CASE(the_ring_is_at_most_twice_what_it_spans) {
  Reassembler reassembler;
  reassembler.advance(1'000'000);
  BOOST_TEST(reassembler.insert(1'099'999, bytes_of("x"), 8));
  BOOST_TEST(reassembler.capacity() < 200'000u);
  reassembler.discard();
  BOOST_TEST(reassembler.capacity() == 0u);
  BOOST_TEST(reassembler.begin() == 1'000'000u);
}

BOOST_AUTO_TEST_CASE(what_was_delivered_gives_its_memory_back) {
  // Else a peer could make every stream keep a window that its credit has long forgotten (threat t07).
  constexpr std::size_t kWindow = 1 << 20;
  Reassembler reassembler;
  const std::vector<std::uint8_t> data(kWindow - 1, 7);
  BOOST_REQUIRE(reassembler.insert(1, data, 1024));
  BOOST_REQUIRE(reassembler.insert(0, ByteView(data).first(1), 1024));
  BOOST_TEST(reassembler.capacity() >= kWindow);
  reassembler.advance(kWindow);
  BOOST_TEST(reassembler.capacity() <= 64u * 1024);
  // And it goes on from there.
  BOOST_REQUIRE(reassembler.insert(kWindow, ByteView(data).first(5), 1024));
  BOOST_TEST(reassembler.front().size() == 5u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace mxp::test
