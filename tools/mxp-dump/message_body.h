// The message in a MESSAGE or COMPACT_MESSAGE frame, for whoever shows frames.
#pragma once

#include <fmt/format.h>

#include <expected>
#include <string>

#include "core/frames.h"
#include "message/compact.h"
#include "mxp/message.h"

namespace mxp::dump {

inline std::expected<Message, MessageError> decode_body(const MessageFrame& frame) {
  return frame.form == MessageFrame::Form::compact ? decode_compact(frame.body) : decode_message(frame.body);
}

// "Call", or "0x81" for an application's type.
inline std::string message_word(MessageType type) {
  const std::string_view word = to_string(type);
  return word.empty() ? fmt::format("{:#04x}", static_cast<unsigned>(type)) : std::string(word);
}

}  // namespace mxp::dump
