#include <zstd.h>

#include <boost/test/unit_test.hpp>

#include "mxp/message_compression.h"
#include "support/allocation_counter.h"
#include "support/hex.h"

using namespace mxp;
using mxp::test::hex;

namespace compression_test {

using Bytes = std::vector<std::uint8_t>;

namespace {

constexpr std::size_t kMiB = std::size_t{1} << 20;
constexpr std::size_t kNoLimit = ~std::size_t{0};

Bytes compressed(ByteView payload) {
  MessageCompressor compressor;
  Bytes out(payload.size());
  const auto size = compressor.compress(payload, out);
  BOOST_REQUIRE(size.has_value());
  out.resize(*size);
  return out;
}

// Bytes that do not shrink: a linear congruential generator is enough to have no pattern for zstd.
Bytes noise(std::size_t size) {
  Bytes bytes(size);
  std::uint64_t state = 1;
  for (std::uint8_t& byte : bytes) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    byte = static_cast<std::uint8_t>(state >> 56);
  }
  return bytes;
}

void refused(ByteView frame, std::size_t limit, CompressionError error) {
  MessageDecompressor decompressor;
  Bytes out(decompressed_size(frame, limit).value_or(0));
  const auto result = decompressor.decompress(frame, limit, out);
  BOOST_REQUIRE(!result.has_value());
  BOOST_TEST(to_string(result.error()) == to_string(error));
}

// A block of RFC 8878 §3.1.1.2: 3 bytes of header, little-endian: last (1 bit), type (2 bits), size (21 bits).
enum class Block : std::uint8_t { raw = 0, rle = 1 };
void append_block(Bytes& frame, Block type, std::uint32_t size, bool last, ByteView content) {
  const std::uint32_t header = (last ? 1u : 0u) | static_cast<std::uint32_t>(type) << 1 | size << 3;
  for (int i = 0; i < 3; ++i) frame.push_back(static_cast<std::uint8_t>(header >> (8 * i)));
  frame.insert(frame.end(), content.begin(), content.end());
}
// The largest blocks of zeros that the format has, 4 bytes for 128 KiB.
void append_zeros(Bytes& frame, int blocks) {
  for (int i = 0; i < blocks; ++i) append_block(frame, Block::rle, 128 * 1024, i == blocks - 1, hex("00"));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(message_compression)

BOOST_AUTO_TEST_CASE(payload_comes_back_and_was_smaller) {
  MessageCompressor compressor;
  MessageDecompressor decompressor;
  for (const std::size_t size : {std::size_t{32}, std::size_t{300}, std::size_t{70'000}, kMiB, 16 * kMiB}) {
    Bytes payload(size);
    for (std::size_t i = 0; i < size; ++i) payload[i] = static_cast<std::uint8_t>(i / 32 % 7);
    Bytes packed(size), again(size);
    const auto packed_size = compressor.compress(payload, packed);
    BOOST_REQUIRE(packed_size.has_value());
    BOOST_TEST(*packed_size < size);
    packed.resize(*packed_size);
    BOOST_TEST(decompressed_size(packed, kNoLimit).value() == size);
    BOOST_TEST(decompressor.decompress(packed, size, again).value() == size);
    BOOST_TEST((again == payload));
  }
}

// What others make of it: the frame is ordinary zstd, and states its size.
BOOST_AUTO_TEST_CASE(compressed_payload_is_one_ordinary_frame) {
  const Bytes payload(1000, 'a');
  const Bytes packed = compressed(payload);
  BOOST_TEST(ZSTD_getFrameContentSize(packed.data(), packed.size()) == payload.size());
  Bytes again(payload.size());
  BOOST_TEST(ZSTD_decompress(again.data(), again.size(), packed.data(), packed.size()) == payload.size());
  BOOST_TEST((again == payload));
}

BOOST_AUTO_TEST_CASE(payload_that_does_not_shrink_is_sent_as_it_is) {
  MessageCompressor compressor;
  Bytes out(2 * kMiB);
  BOOST_TEST(!compressor.compress({}, out).has_value());
  BOOST_TEST(!compressor.compress(Bytes(kMinCompressedPayload - 1), out).has_value());
  for (const std::size_t size : {std::size_t{32}, std::size_t{1000}, kMiB})
    BOOST_TEST(!compressor.compress(noise(size), out).has_value(), size);
  BOOST_TEST(compressor.compress(Bytes(1000), out).has_value());  // and the context goes on
}

BOOST_AUTO_TEST_CASE(what_does_not_fit_into_the_room_is_sent_as_it_is) {
  Bytes payload = noise(500);
  payload.resize(1000);
  const Bytes packed = compressed(payload);
  Bytes out(packed.size() - 1);
  BOOST_TEST(!MessageCompressor().compress(payload, out).has_value());
  BOOST_TEST(!MessageCompressor().compress(payload, {}).has_value());
}

BOOST_AUTO_TEST_CASE(nothing_is_allocated_after_the_first_message) {
  MessageCompressor compressor;
  MessageDecompressor decompressor;
  const Bytes large(4 * kMiB, 7), small(100, 7);
  Bytes packed(large.size()), again(large.size());
  std::uint64_t before = 0;
  // zstd gives up memory that was far too large for 128 messages in a row, and takes it again; a context that is static
  // neither gives nor takes. A failure to compress would mean that it wanted to.
  for (int i = 0; i < 600; ++i) {
    const Bytes& payload = i % 300 == 299 ? large : small;
    const auto size = compressor.compress(payload, packed);
    BOOST_REQUIRE(size.has_value());
    BOOST_REQUIRE(decompressor.decompress(ByteView(packed).first(*size), kNoLimit, again).value() == payload.size());
    if (i == 0) before = test::allocations();
  }
  const std::uint64_t after = test::allocations();
  BOOST_TEST(after == before);
}

BOOST_AUTO_TEST_CASE(content_beyond_the_limit_is_refused_by_its_header) {
  const Bytes packed = compressed(Bytes(1000, 'a'));
  BOOST_TEST(decompressed_size(packed, 1000).value() == 1000u);
  BOOST_TEST((decompressed_size(packed, 999).error() == CompressionError::content_too_large));
  refused(packed, 999, CompressionError::content_too_large);
  refused(packed, 0, CompressionError::content_too_large);
  // The header is enough: neither the content nor memory for it is asked for.
  for (const char* header : {"28b52ffd a0 01000001", "28b52ffd e0 ffffffffffffffff", "28b52ffd e0 0000000001000000"})
    BOOST_TEST((decompressed_size(hex(header), kNoLimit).error() == CompressionError::content_too_large));
  BOOST_TEST(decompressed_size(hex("28b52ffd a0 00000001"), kNoLimit).value() == kMaxMessagePayload);
}

// Five bytes of header and four for each 128 KiB: the content that is declared is one byte, what follows is 16 MiB.
BOOST_AUTO_TEST_CASE(bomb_that_declares_little_and_holds_much_stops_at_what_it_declared) {
  Bytes bomb = hex("28b52ffd 20 01");
  append_zeros(bomb, 128);
  MessageDecompressor decompressor;
  Bytes out(64, 0xee);
  const auto result = decompressor.decompress(bomb, kNoLimit, out);
  BOOST_REQUIRE(!result.has_value());
  BOOST_TEST((result.error() == CompressionError::corrupt));
  BOOST_TEST(std::count(out.begin() + 1, out.end(), 0xee) == 63);
}

BOOST_AUTO_TEST_CASE(bomb_that_declares_what_it_holds_is_refused_before_anything_is_written) {
  Bytes bomb = hex("28b52ffd a0 00000002");  // 32 MiB
  append_zeros(bomb, 256);
  refused(bomb, kNoLimit, CompressionError::content_too_large);
  Bytes honest = hex("28b52ffd a0 00000001");  // 16 MiB, with a caller who wants no more than one
  append_zeros(honest, 128);
  refused(honest, kMiB, CompressionError::content_too_large);
  Bytes out(kMaxMessagePayload);
  BOOST_TEST(MessageDecompressor().decompress(honest, kNoLimit, out).value() == kMaxMessagePayload);
}

// 16 MiB in a frame in a frame: what comes out is the inner frame, and nobody looks into it.
BOOST_AUTO_TEST_CASE(nested_bomb_is_opened_once) {
  Bytes inner = hex("28b52ffd a0 00000001");
  append_zeros(inner, 128);
  const Bytes outer = compressed(inner);
  BOOST_TEST(outer.size() < 64u);
  Bytes out(inner.size());
  BOOST_TEST(MessageDecompressor().decompress(outer, 1000, out).value() == inner.size());
  BOOST_TEST((out == inner));
}

BOOST_AUTO_TEST_CASE(bomb_of_many_frames_is_refused_at_the_second) {
  const Bytes one = compressed(Bytes(1000, 'a'));
  Bytes many;
  for (int i = 0; i < 1000; ++i) many.insert(many.end(), one.begin(), one.end());
  refused(many, kNoLimit, CompressionError::trailing_bytes);
  Bytes with_tail = one;
  with_tail.push_back(0);
  refused(with_tail, kNoLimit, CompressionError::trailing_bytes);
  // A skippable frame, before and behind.
  const Bytes skippable = hex("502a4d18 02000000 abcd");
  refused(skippable, kNoLimit, CompressionError::not_a_frame);
  with_tail = one;
  with_tail.insert(with_tail.end(), skippable.begin(), skippable.end());
  refused(with_tail, kNoLimit, CompressionError::trailing_bytes);
}

// Blocks that hold nothing: the walk over them is bounded by the payload that carries them.
BOOST_AUTO_TEST_CASE(frame_of_empty_blocks_ends) {
  Bytes frame = hex("28b52ffd 20 00");
  for (int i = 0; i < 100'000; ++i) append_block(frame, Block::raw, 0, i == 99'999, {});
  Bytes out;
  const auto result = MessageDecompressor().decompress(frame, kNoLimit, out);
  BOOST_TEST((result.has_value() && *result == 0u));
}

BOOST_AUTO_TEST_CASE(frame_that_does_not_tell_its_size_is_refused) {
  Bytes frame = hex("28b52ffd 00 58");
  append_block(frame, Block::raw, 2, true, hex("abcd"));
  Bytes out(2);
  BOOST_REQUIRE(ZSTD_decompress(out.data(), out.size(), frame.data(), frame.size()) == 2u);  // it is a good one
  refused(frame, kNoLimit, CompressionError::no_content_size);
}

BOOST_AUTO_TEST_CASE(window_beyond_the_limit_is_refused) {
  const auto frame = [](const char* window) {
    Bytes bytes = hex(std::string("28b52ffd 40") + window + "0000");
    append_block(bytes, Block::rle, 256, true, hex("61"));
    return bytes;
  };
  Bytes out(256);
  BOOST_TEST(MessageDecompressor().decompress(frame("70"), kNoLimit, out).value() == 256u);  // 16 MiB
  refused(frame("71"), kNoLimit, CompressionError::window_too_large);                        // an eighth more
  refused(frame("ff"), kNoLimit, CompressionError::window_too_large);                        // 3.75 TiB
  BOOST_TEST(MessageDecompressor().decompress(frame("50"), kMiB, out).value() == 256u);
  refused(frame("51"), kMiB, CompressionError::window_too_large);
  // Eighths of it count: 512 KiB and seven eighths of that.
  BOOST_TEST(MessageDecompressor().decompress(frame("4f"), 983'040, out).value() == 256u);
  refused(frame("4f"), 983'039, CompressionError::window_too_large);
  // The smallest window that there is serves the smallest limits.
  BOOST_TEST(MessageDecompressor().decompress(frame("00"), 256, out).value() == 256u);
  refused(frame("01"), 256, CompressionError::window_too_large);
}

BOOST_AUTO_TEST_CASE(dictionaries_are_refused) {
  for (const char* header : {"28b52ffd 21 07 02", "28b52ffd 22 0700 02", "28b52ffd 23 00000007 02"}) {
    Bytes frame = hex(header);
    append_block(frame, Block::raw, 2, true, hex("abcd"));
    refused(frame, kNoLimit, CompressionError::dictionary);
  }
  Bytes none = hex("28b52ffd 23 00000000 02");  // RFC 8878 §3.1.1.1.3: 0 means none
  append_block(none, Block::raw, 2, true, hex("abcd"));
  Bytes out(2);
  BOOST_TEST(MessageDecompressor().decompress(none, kNoLimit, out).value() == 2u);
}

BOOST_AUTO_TEST_CASE(what_is_no_frame_is_refused) {
  refused({}, kNoLimit, CompressionError::not_a_frame);
  refused(hex("68656c6c6f20776f726c64"), kNoLimit, CompressionError::not_a_frame);
  refused(hex("27b52ffd 20 02 150000 6161"), kNoLimit, CompressionError::not_a_frame);  // zstd before 0.8
  refused(hex("28b52ffd 28 02 110000 6161"), kNoLimit, CompressionError::not_a_frame);  // the reserved bit
}

BOOST_AUTO_TEST_CASE(frame_cut_off_anywhere_is_refused) {
  for (const Bytes& frame : {compressed(Bytes(1000, 'a')), compressed(Bytes(100'000, 'a'))}) {
    Bytes out(100'000);
    MessageDecompressor decompressor;
    for (std::size_t size = 0; size < frame.size(); ++size) {
      const auto result = decompressor.decompress(ByteView(frame).first(size), kNoLimit, out);
      BOOST_REQUIRE(!result.has_value());
      BOOST_TEST((result.error() == CompressionError::not_a_frame || result.error() == CompressionError::corrupt));
    }
    BOOST_TEST(decompressor.decompress(frame, kNoLimit, out).has_value());
  }
}

BOOST_AUTO_TEST_CASE(frame_that_holds_less_than_it_declares_is_refused) {
  Bytes frame = hex("28b52ffd 20 03");
  append_block(frame, Block::raw, 2, true, hex("abcd"));
  refused(frame, kNoLimit, CompressionError::corrupt);
}

BOOST_AUTO_TEST_CASE(buffer_smaller_than_the_content_is_an_error) {
  const Bytes packed = compressed(Bytes(1000, 'a'));
  Bytes out(999);
  const auto result = MessageDecompressor().decompress(packed, kNoLimit, out);
  BOOST_REQUIRE(!result.has_value());
  BOOST_TEST((result.error() == CompressionError::buffer_too_small));
}

BOOST_AUTO_TEST_CASE(every_compression_error_has_words_of_its_own) {
  std::set<std::string_view> words;
  for (int i = 0; i <= static_cast<int>(CompressionError::trailing_bytes); ++i)
    words.insert(to_string(static_cast<CompressionError>(i)));
  BOOST_TEST(words.size() == static_cast<std::size_t>(CompressionError::trailing_bytes) + 1);
  BOOST_TEST(!words.contains("unknown error"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace compression_test
