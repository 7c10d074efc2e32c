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

// What is left when a link loses every second packet of a large window.
BOOST_AUTO_TEST_CASE(any_number_of_gaps_lies_between_whole_packets) {
  Reassembler reassembler;
  constexpr std::uint64_t kEach = Reassembler::kBytesForSpan;
  for (std::uint64_t i = 0; i < 3000; ++i)
    BOOST_TEST_REQUIRE(reassembler.insert((2 * i + 1) * kEach, pattern_bytes(0, kEach), 8));
  BOOST_TEST(reassembler.span_count() == 3000u);
  BOOST_TEST(!reassembler.insert(6001 * kEach, bytes_of("x"), 8));  // the mean falls below it
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
  BOOST_TEST(reassembler.memory() < 2 * kKeptBytes);
  // And it goes on from there.
  BOOST_REQUIRE(reassembler.insert(kWindow, ByteView(data).first(5), 1024));
  BOOST_TEST(reassembler.front().size() == 5u);
}

BOOST_AUTO_TEST_CASE(a_byte_behind_a_gap_pins_no_more_than_it_spans) {  // threat t07
  constexpr std::size_t kWindow = 1 << 20;
  const std::vector<std::uint8_t> data = pattern_bytes(0, kWindow);
  Reassembler reassembler;
  BOOST_REQUIRE(reassembler.insert(kWindow - 1, ByteView(data).last(1), 8));
  BOOST_REQUIRE(reassembler.insert(0, ByteView(data).first(kWindow - 2), 8));
  BOOST_TEST(reassembler.capacity() == kWindow);
  for (std::uint64_t taken = 0; taken < kWindow - 2; taken += 1000) {
    reassembler.advance(taken);
    BOOST_TEST_REQUIRE(reassembler.capacity() <= std::max<std::size_t>(4 * (kWindow - taken), kKeptBytes));
    BOOST_TEST_REQUIRE(reassembler.front()[0] == pattern_byte(taken));
  }
  reassembler.advance(kWindow - 2);
  BOOST_TEST(reassembler.memory() < 2 * kKeptBytes);
  BOOST_REQUIRE(reassembler.insert(kWindow - 2, ByteView(data).subspan(kWindow - 2, 1), 8));
  BOOST_REQUIRE(reassembler.front().size() == 2u);
  BOOST_TEST(reassembler.front()[1] == pattern_byte(kWindow - 1));
}

BOOST_AUTO_TEST_CASE(gaps_that_were_filled_leave_no_room_for_gaps) {  // threat t07
  Reassembler reassembler;
  for (std::uint64_t i = 0; i < 1000; ++i) BOOST_TEST_REQUIRE(reassembler.insert(2 * i + 1, bytes_of("x"), 1024));
  BOOST_TEST(reassembler.memory() > 16 * 1000u);
  BOOST_REQUIRE(reassembler.insert(0, pattern_bytes(0, 1998), 1024));
  reassembler.advance(1998);
  BOOST_TEST(!reassembler.empty());
  BOOST_TEST(reassembler.memory() < 2 * kKeptBytes);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace mxp::test
