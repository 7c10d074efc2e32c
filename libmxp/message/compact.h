// Compaction (docs/protocol.md §1.1): the form of a message between peers that have agreed on it. The 40 bytes of
// header and checksum become 3 to 18:
//
//     type (1) ‖ what (1) ‖ message id (1, 2, 4 or 8) ‖ [trace id (1, 2, 4 or 8)] ‖ payload
//
// Magic and reserved field are constants, the length is what the carrying frame says, and the AEAD of the packet
// protects the message better than its checksum did. The message itself is what it was: decode_compact and then
// encode_message give the bytes that the sender's encode_message would have made.
//
// Pure functions over memory of the caller; nothing is allocated, and any thread may call them.
#pragma once

#include <cstddef>
#include <expected>

#include "mxp/bytes.h"
#include "mxp/message.h"

namespace mxp {

// Bytes that a compacted message has at most and at least beside its payload.
inline constexpr std::size_t kMaxCompactOverhead = 18;
inline constexpr std::size_t kMinCompactOverhead = 3;

// Bytes that the compacted message takes: payload and 3 to 18 more.
std::size_t compact_size(const Message& message);
// Writes the message to `out` and returns the bytes used, which are compact_size(message). Errors: unknown_type,
// unknown_flag, payload_too_large, buffer_too_small; nothing is written then.
std::expected<std::size_t, MessageError> encode_compact(const Message& message, MutableBytes out);
// `bytes` is exactly one compacted message: where they end, the payload ends, so nothing can trail. The payload of the
// result is a view into `bytes`. Ids longer than they need be are taken. Errors: truncated, unknown_type,
// reserved_not_zero (bit 7, or a form for a trace id that is not there), payload_too_large. Each flag that four bits
// can name is known, so unknown_flag does not occur.
std::expected<Message, MessageError> decode_compact(ByteView bytes);

}  // namespace mxp
