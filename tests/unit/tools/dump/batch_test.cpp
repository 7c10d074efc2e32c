// The sizes of packets in a coalesced datagram, whatever the size of the batch before was.
#include "mxp-dump/dissect/batch.h"

#include <rapidcheck/boost_test.h>

#include <boost/test/unit_test.hpp>
#include <random>

#include "core/packet_header.h"

namespace mxp::dump::test {
namespace {

constexpr std::array<std::uint8_t, 8> kIdBytes{0x51, 0x52, 0x53, 0x54, 0x55, 0x56, 0x57, 0x58};
const ConnectionId kId(kIdBytes);

// Packets of `size` bytes, the last of `last`.
std::vector<std::uint8_t> batch_of(std::size_t packets, std::size_t size, std::size_t last, std::uint32_t seed) {
  std::mt19937 random(seed);
  std::vector<std::uint8_t> payload((packets - 1) * size + last);
  for (auto& byte : payload) byte = static_cast<std::uint8_t>(random());
  for (std::size_t at = 0; at + kShortHeaderSize <= payload.size(); at += size)
    std::copy(kIdBytes.begin(), kIdBytes.end(), payload.begin() + static_cast<std::ptrdiff_t>(at) + 1);
  return payload;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(batches)

RC_BOOST_PROP(the_size_is_found_whatever_was_usual, (std::uint32_t seed)) {
  const auto packets = *rc::gen::inRange<std::size_t>(2, 12);
  const auto size = *rc::gen::inRange<std::size_t>(kMinShortPacket, 1500);
  const auto last = *rc::gen::inRange<std::size_t>(kMinShortPacket, size + 1);
  const auto payload = batch_of(packets, size, last, seed);
  for (const std::size_t usual : {std::size_t{0}, size, 2 * size, 3 * size, size + 1, std::size_t{1472}}) {
    if (usual != size && usual != 0 && size % usual == 0) continue;  // a divisor is taken at its word
    RC_ASSERT(batch_segment_size(payload, kId, usual) == size);
  }
}

BOOST_AUTO_TEST_CASE(one_packet_is_no_batch) {
  for (const std::size_t usual : {0, 100, 1472}) {
    BOOST_TEST(!batch_segment_size(batch_of(1, 1472, 1472, 1), kId, usual));
    BOOST_TEST(!batch_segment_size(batch_of(1, 60, 60, 2), kId, usual));
    BOOST_TEST(!batch_segment_size({}, kId, usual));
  }
}

// In each batch the id of one packet has five wrong bits: found in a large datagram at once, in one that fits into a
// frame of Ethernet after a batch was seen.
BOOST_AUTO_TEST_CASE(damaged_ids_are_found) {
  auto large = batch_of(4, 1472, 1472, 3);
  large[1472 + 3] ^= 0x1f;
  BOOST_TEST(batch_segment_size(large, kId, 0).value_or(0) == 1472u);
  large[1] ^= 0xff;
  BOOST_TEST(batch_segment_size(large, kId, 0).value_or(0) == 1472u);

  auto small = batch_of(2, 300, 300, 4);
  BOOST_TEST(batch_segment_size(small, kId, 0).value_or(0) == 300u);
  small[300 + 3] ^= 0x1f;
  BOOST_TEST(!batch_segment_size(small, kId, 0));
  BOOST_TEST(batch_segment_size(small, kId, 1472).value_or(0) == 300u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace mxp::dump::test
