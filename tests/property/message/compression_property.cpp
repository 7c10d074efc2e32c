// Payloads of every size and kind, through contexts that have seen other ones.
#include <rapidcheck.h>

#include <boost/test/unit_test.hpp>

#include "mxp/message_compression.h"

using namespace mxp;

namespace compression_property {
namespace {

using Bytes = std::vector<std::uint8_t>;

// Runs of one byte and runs of noise, by turns.
Bytes some_payload() {
  Bytes payload;
  const int pieces = *rc::gen::inRange(0, 8);
  for (int i = 0; i < pieces; ++i) {
    const auto size = *rc::gen::weightedOneOf<std::size_t>(
        {{8, rc::gen::inRange<std::size_t>(0, 2000)}, {1, rc::gen::inRange<std::size_t>(0, 300'000)}});
    std::uint64_t state = *rc::gen::arbitrary<std::uint64_t>();
    const bool is_noise = *rc::gen::arbitrary<bool>();
    for (std::size_t k = 0; k < size; ++k) {
      if (is_noise) state = state * 6364136223846793005u + 1442695040888963407u;
      payload.push_back(static_cast<std::uint8_t>(state >> 56));
    }
  }
  return payload;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(compression_properties)

BOOST_AUTO_TEST_CASE(compressed_payload_is_smaller_and_comes_back) {
  MessageCompressor compressor;
  MessageDecompressor decompressor;
  BOOST_TEST(rc::check([&] {
    const Bytes payload = some_payload();
    Bytes packed(payload.size()), again(payload.size());
    const auto size = compressor.compress(payload, packed);
    RC_CLASSIFY(size.has_value(), "compressed");
    if (!size) return;
    RC_ASSERT(*size < payload.size());
    packed.resize(*size);
    RC_ASSERT(decompressor.decompress(packed, payload.size(), again).value() == payload.size());
    RC_ASSERT(again == payload);
    RC_ASSERT(decompressed_size(packed, payload.size() - 1).error() == CompressionError::content_too_large);
  }));
}

// Damage is found, or it gives other bytes of the declared size: it never writes more than that.
BOOST_AUTO_TEST_CASE(damaged_frame_writes_no_more_than_it_declares) {
  MessageCompressor compressor;
  MessageDecompressor decompressor;
  BOOST_TEST(rc::check([&] {
    Bytes payload = some_payload();
    payload.resize(payload.size() + 100);  // the end shrinks in any case
    Bytes packed(payload.size());
    const auto size = compressor.compress(payload, packed);
    RC_PRE(size.has_value());
    packed.resize(*size);
    packed[*rc::gen::inRange<std::size_t>(0, packed.size())] ^= static_cast<std::uint8_t>(1 << *rc::gen::inRange(0, 8));
    const auto declared = decompressed_size(packed, payload.size());
    Bytes out(payload.size() + 64, 0xee);
    const auto result = decompressor.decompress(packed, payload.size(), out);
    RC_ASSERT(!result || (declared && *result == *declared));
    const auto behind = out.begin() + static_cast<std::ptrdiff_t>(declared.value_or(0));
    RC_ASSERT(std::all_of(behind, out.end(), [](std::uint8_t byte) { return byte == 0xee; }));
  }));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace compression_property
