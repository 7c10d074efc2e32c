// The body of a MESSAGE or COMPACT_MESSAGE frame: a message in one of its two forms (docs/protocol.md §1, §1.1). Pure
// functions over memory of the caller.
#pragma once

#include <cstddef>
#include <expected>

#include "core/frames.h"
#include "message/compact.h"
#include "mxp/message.h"

namespace mxp {

inline std::size_t body_size(MessageFrame::Form form, const Message& message) {
  return form == MessageFrame::Form::compact ? compact_size(message) : encoded_size(message);
}
// Errors as encode_message and encode_compact.
inline std::expected<std::size_t, MessageError> encode_body(MessageFrame::Form form, const Message& message,
                                                            MutableBytes out) {
  return form == MessageFrame::Form::compact ? encode_compact(message, out) : encode_message(message, out);
}
// Errors as decode_message and decode_compact. The payload of the result is a view into `body`.
inline std::expected<Message, MessageError> decode_body(MessageFrame::Form form, ByteView body) {
  return form == MessageFrame::Form::compact ? decode_compact(body) : decode_message(body);
}
// What comes before the payload: all of it in the full form, at most so much in the compacted one.
constexpr std::size_t header_size(MessageFrame::Form form) {
  return form == MessageFrame::Form::compact ? kMaxCompactOverhead : kMessageHeaderSize;
}
// The size of the payload of a body that has `size` bytes and begins with `start`. Errors: what can be told from there.
// REQUIRES: `start` has header_size(form) bytes, or all of them if the body has fewer.
inline std::expected<std::uint64_t, MessageError> payload_size(MessageFrame::Form form, ByteView start,
                                                               std::uint64_t size) {
  if (form == MessageFrame::Form::compact) {
    const auto message = decode_compact(start);
    if (!message) return std::unexpected(message.error());
    return size - (start.size() - message->payload.size());
  }
  const auto whole = message_size(start);
  if (!whole) return std::unexpected(whole.error());
  if (!*whole || **whole > size) return std::unexpected(MessageError::truncated);
  if (**whole < size) return std::unexpected(MessageError::trailing_bytes);
  return size - kMessageOverhead;
}

}  // namespace mxp
