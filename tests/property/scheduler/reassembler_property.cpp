// The reassembler against a vector of bytes with a flag for each.
#include <rapidcheck.h>

#include <boost/test/unit_test.hpp>
#include <vector>

#include "scheduler/reassembler.h"
#include "unit/scheduler/streams_fixture.h"

namespace mxp::test {
namespace {

constexpr std::size_t kSize = 600;

BOOST_AUTO_TEST_SUITE(reassembler_property)

BOOST_AUTO_TEST_CASE(random_fragments_and_partial_takes_match_a_naive_model) {
  BOOST_TEST(rc::check("reassembler matches its model", [](std::uint16_t base_seed) {
    // A base that is not zero, so that the ring wraps at odd places.
    const std::uint64_t base = base_seed;
    const std::size_t max_spans = *rc::gen::inRange<std::size_t>(0, 20);
    Reassembler reassembler;
    reassembler.advance(base);
    std::vector<bool> present(kSize);
    std::size_t begin = 0;
    const auto steps = *rc::gen::container<std::vector<std::pair<std::size_t, std::size_t>>>(
        rc::gen::pair(rc::gen::inRange<std::size_t>(0, kSize), rc::gen::inRange<std::size_t>(0, 90)));
    for (const auto& [offset, size] : steps) {
      const std::size_t length = std::min(size, kSize - offset);
      const bool accepted = reassembler.insert(base + offset, pattern_bytes(base + offset, length), max_spans);
      for (std::size_t i = std::max(offset, begin); i < offset + length; ++i) present[i] = true;

      std::size_t spans = 0;
      for (std::size_t i = begin + 1; i < kSize; ++i) spans += present[i] && !present[i - 1];
      RC_ASSERT(reassembler.span_count() == spans);
      RC_ASSERT(accepted == (spans <= max_spans || length == 0 || offset + length <= begin));
      if (!accepted) return;

      std::size_t run = 0;
      while (begin + run < kSize && present[begin + run]) ++run;
      std::size_t take = run == 0 ? 0 : *rc::gen::inRange<std::size_t>(0, run + 1);
      RC_ASSERT(reassembler.front().empty() == (run == 0));
      while (take != 0) {
        const ByteView front = reassembler.front();
        RC_ASSERT(!front.empty());
        RC_ASSERT(front.size() <= kSize - begin);
        const std::size_t count = std::min(take, front.size());
        for (std::size_t i = 0; i < count; ++i) RC_ASSERT(front[i] == pattern_byte(base + begin + i));
        for (std::size_t i = 0; i < count; ++i) present[begin + i] = false;
        begin += count;
        take -= count;
        reassembler.advance(base + begin);
      }
      RC_ASSERT(reassembler.buffered() == static_cast<std::uint64_t>(std::count(present.begin(), present.end(), true)));
      RC_ASSERT(reassembler.capacity() <= std::max<std::size_t>(2 * kSize, 2048));
    }
  }));
}

BOOST_AUTO_TEST_CASE(memory_follows_what_is_spanned) {
  BOOST_TEST(rc::check("the ring is smaller than four times its span", [] {
    constexpr std::size_t kLargest = 200'000;
    static const std::vector<std::uint8_t> bytes = pattern_bytes(0, kLargest);
    Reassembler reassembler;
    std::uint64_t highest = 0;
    const int steps = *rc::gen::inRange(0, 60);
    for (int i = 0; i < steps; ++i) {
      const auto offset = *rc::gen::inRange<std::size_t>(0, kLargest);
      // Now and then all that is missing but for a few bytes at the end, which then pin what they can.
      const auto length = *rc::gen::oneOf(rc::gen::inRange<std::size_t>(1, 40), rc::gen::just(kLargest));
      const std::size_t begin = length == kLargest ? static_cast<std::size_t>(reassembler.begin()) : offset;
      const std::size_t end = length == kLargest ? std::max(begin, offset) : std::min(offset + length, kLargest);
      RC_ASSERT(reassembler.insert(begin, ByteView(bytes).subspan(begin, end - begin), 64));
      highest = std::max<std::uint64_t>(highest, end);
      if (*rc::gen::arbitrary<bool>()) {
        for (ByteView front = reassembler.front(); !front.empty(); front = reassembler.front()) {
          RC_ASSERT(std::ranges::equal(front, ByteView(bytes).subspan(reassembler.begin(), front.size())));
          reassembler.advance(reassembler.begin() + front.size());
        }
      }
      const std::uint64_t span = highest - reassembler.begin();
      RC_ASSERT(reassembler.capacity() <= std::max<std::uint64_t>(4 * span, kKeptBytes));
    }
  }));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace mxp::test
