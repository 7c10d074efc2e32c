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

}  // namespace mxp
