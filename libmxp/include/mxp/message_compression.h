// Payloads with the flag COMPRESSED (docs/protocol.md §1.2): one zstd frame (RFC 8878) that states the size of its
// content, in memory of the caller. A connection does this by itself where it is asked to (mxp/message_options.h,
// mxp/config.h); these are for a program that compresses or decompresses what no connection of its own does: a relay, a
// store of messages, messages on streams.
//
// Whoever compressed a payload may have meant harm: few bytes can stand for very many. So the bound comes first: what
// the frame declares is read from its header and refused above the caller's limit, before anybody allocates or decodes
// anything, and decoding then stops at the declared size. A frame that unpacks to another frame is decompressed once,
// as its flag says; what comes out is a payload and nothing else.
//
// The objects are contexts to be reused. Each takes its memory with its first message and never again: they are zstd's
// static contexts, which cannot allocate. Remains of the last payload stay in an object until the next one comes.
//
// Threads: an object belongs to one thread at a time; one of each serves any number of connections of that thread. The
// functions may be called from any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string_view>

#include "mxp/bytes.h"
#include "mxp/message.h"

struct ZSTD_CCtx_s;
struct ZSTD_DCtx_s;

#pragma GCC visibility push(default)
namespace mxp {

// Payloads below this size are not worth the attempt: the frame alone has 9 bytes and more. Our choice.
inline constexpr std::size_t kMinCompressedPayload = 32;

enum class CompressionError : std::uint8_t {
  not_a_frame,        // no zstd frame starts here, or its header is cut off or has its reserved bit set
  no_content_size,    // the frame does not say how much it holds
  content_too_large,  // it says that it holds more than the limit
  window_too_large,   // it wants a decoder to remember more than the limit
  dictionary,         // it needs a dictionary: there are none
  buffer_too_small,   // the caller's buffer is smaller than the content
  corrupt,            // the frame is cut off or damaged, or holds more or less than it says
  trailing_bytes,     // something follows the frame
};
std::string_view to_string(CompressionError error);

// The size of the content, from the frame's header alone: how much memory decompress() needs. `limit` is in bytes; what
// exceeds kMaxMessagePayload counts as kMaxMessagePayload. Errors: the first five.
std::expected<std::size_t, CompressionError> decompressed_size(ByteView compressed, std::size_t limit);

class MessageCompressor {
 public:
  MessageCompressor() = default;
  MessageCompressor(const MessageCompressor&) = delete;
  MessageCompressor& operator=(const MessageCompressor&) = delete;

  // Writes the compressed payload to `out` and returns its size, which is smaller than the payload's. nullopt if it
  // cannot be made so small or does not fit into `out`: the payload then goes as it is, without the flag, and `out`
  // holds nothing of use. As many bytes as the payload has are always enough room. `out` does not overlap `payload`.
  std::optional<std::size_t> compress(ByteView payload, MutableBytes out);

 private:
  std::unique_ptr<std::byte[]> memory_;  // 570 KiB from the first message on
  ZSTD_CCtx_s* context_ = nullptr;       // lies in it, with all that it works with
};

class MessageDecompressor {
 public:
  MessageDecompressor() = default;
  MessageDecompressor(const MessageDecompressor&) = delete;
  MessageDecompressor& operator=(const MessageDecompressor&) = delete;

  // Writes the content to `out` and returns its size: decompressed_size(compressed, limit). `out` has at least that
  // many bytes and does not overlap `compressed`; on an error it holds nothing of use. Errors: all.
  std::expected<std::size_t, CompressionError> decompress(ByteView compressed, std::size_t limit, MutableBytes out);

 private:
  std::unique_ptr<std::byte[]> memory_;  // 94 KiB from the first message on
  ZSTD_DCtx_s* context_ = nullptr;       // lies in it
};

}  // namespace mxp
#pragma GCC visibility pop
