#include "mxp/message_compression.h"

// For contexts in memory of our own, which zstd declares for static linking only: it may change them in a later
// version.
#define ZSTD_STATIC_LINKING_ONLY
#include <zstd.h>

#include <algorithm>

#include "core/cursor.h"
#include "mxp/require.h"

namespace mxp {
namespace {

// zstd's fastest ordinary level: a network of a gigabit takes payloads as fast as higher levels give them. Our choice.
constexpr int kLevel = 1;
// RFC 8878 §3.1.1.1.2: no window is smaller, however little the frame holds.
constexpr std::uint64_t kMinWindow = 1024;

struct FrameHeader {
  std::optional<std::uint64_t> content_size;
  std::uint64_t window_size = 0;
  std::uint32_t dictionary = 0;
};

// RFC 8878 §3.1.1.1. nullopt if it is none. It is read here because zstd's own reader of the window is not of its
// stable interface, and because the first look at hostile bytes should be as short as this.
std::optional<FrameHeader> read_frame_header(ByteView bytes) {
  Reader in(bytes);
  const auto magic = in.le<std::uint32_t>();
  const auto descriptor = in.u8();
  if (!magic || *magic != ZSTD_MAGICNUMBER || !descriptor || (*descriptor & 0x08) != 0) return std::nullopt;
  FrameHeader header;
  const bool single_segment = (*descriptor & 0x20) != 0;
  if (!single_segment) {
    const auto window = in.u8();
    if (!window) return std::nullopt;
    const std::uint64_t base = std::uint64_t{1} << (10 + (*window >> 3));
    header.window_size = base + base / 8 * (*window & 7);
  }
  constexpr std::size_t kDictionarySizes[] = {0, 1, 2, 4};
  const auto dictionary = in.bytes(kDictionarySizes[*descriptor & 3]);
  if (!dictionary) return std::nullopt;
  for (std::size_t i = 0; i < dictionary->size(); ++i)
    header.dictionary |= static_cast<std::uint32_t>((*dictionary)[i]) << (8 * i);
  switch (*descriptor >> 6) {
    case 0:
      if (!single_segment) return header;  // says nothing of its content
      header.content_size = in.u8();
      break;
    case 1:
      if (const auto size = in.le<std::uint16_t>()) header.content_size = *size + 256u;
      break;
    case 2: header.content_size = in.le<std::uint32_t>(); break;
    default: header.content_size = in.le<std::uint64_t>(); break;
  }
  if (!header.content_size) return std::nullopt;
  if (single_segment) header.window_size = *header.content_size;
  return header;
}

}  // namespace

std::string_view to_string(CompressionError error) {
  switch (error) {
    case CompressionError::not_a_frame: return "compressed payload is no zstd frame";
    case CompressionError::no_content_size: return "compressed payload does not say how large it is";
    case CompressionError::content_too_large: return "compressed payload holds more than is allowed";
    case CompressionError::window_too_large: return "compressed payload needs a larger window than is allowed";
    case CompressionError::dictionary: return "compressed payload needs a dictionary";
    case CompressionError::buffer_too_small: return "buffer is too small for the decompressed payload";
    case CompressionError::corrupt: return "compressed payload is damaged";
    case CompressionError::trailing_bytes: return "bytes follow the compressed payload";
  }
  return "unknown error";
}

std::expected<std::size_t, CompressionError> decompressed_size(ByteView compressed, std::size_t limit) {
  const std::uint64_t most = std::min<std::uint64_t>(limit, kMaxMessagePayload);
  const auto header = read_frame_header(compressed);
  if (!header) return std::unexpected(CompressionError::not_a_frame);
  if (header->dictionary != 0) return std::unexpected(CompressionError::dictionary);
  if (!header->content_size) return std::unexpected(CompressionError::no_content_size);
  if (*header->content_size > most) return std::unexpected(CompressionError::content_too_large);
  if (header->window_size > std::max(most, kMinWindow)) return std::unexpected(CompressionError::window_too_large);
  return static_cast<std::size_t>(*header->content_size);
}

std::optional<std::size_t> MessageCompressor::compress(ByteView payload, MutableBytes out) {
  if (payload.size() < kMinCompressedPayload) return std::nullopt;
  if (context_ == nullptr) {
    const std::size_t size = ZSTD_estimateCCtxSize(kLevel);  // enough for payloads of every size
    memory_ = std::make_unique<std::byte[]>(size);
    context_ = ZSTD_initStaticCCtx(memory_.get(), size);
    MXP_REQUIRE(context_ != nullptr);
  }
  const std::size_t room = std::min(out.size(), payload.size() - 1);
  const std::size_t size = ZSTD_compressCCtx(context_, out.data(), room, payload.data(), payload.size(), kLevel);
  if (ZSTD_isError(size) != 0) return std::nullopt;
  return size;
}

std::expected<std::size_t, CompressionError> MessageDecompressor::decompress(ByteView compressed, std::size_t limit,
                                                                             MutableBytes out) {
  const auto size = decompressed_size(compressed, limit);
  if (!size) return std::unexpected(size.error());
  if (out.size() < *size) return std::unexpected(CompressionError::buffer_too_small);
  // zstd would go on with the next frame by itself. Finding where this one ends reads its block headers only.
  const std::size_t frame = ZSTD_findFrameCompressedSize(compressed.data(), compressed.size());
  if (ZSTD_isError(frame) != 0) return std::unexpected(CompressionError::corrupt);
  if (frame != compressed.size()) return std::unexpected(CompressionError::trailing_bytes);
  if (context_ == nullptr) {
    const std::size_t memory = ZSTD_estimateDCtxSize();
    memory_ = std::make_unique<std::byte[]>(memory);
    context_ = ZSTD_initStaticDCtx(memory_.get(), memory);
    MXP_REQUIRE(context_ != nullptr);
  }
  // The room is the declared size, so a frame that holds more is an error and never a longer payload.
  const std::size_t written = ZSTD_decompressDCtx(context_, out.data(), *size, compressed.data(), compressed.size());
  if (ZSTD_isError(written) != 0 || written != *size) return std::unexpected(CompressionError::corrupt);
  return *size;
}

}  // namespace mxp
