// The types and classes of messages as they are typed and shown (docs/protocol.md §1).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "mxp/message.h"

namespace mxp::tools {

// "Event", or 0x80 to 0xEF for the types of applications; nothing for all else.
std::optional<MessageType> message_type_of(std::string_view text);
std::string name_of(MessageType type);

// critical, control, streaming, background.
std::optional<MessageClass> message_class_of(std::string_view text);
std::string_view name_of(MessageClass traffic_class);

}  // namespace mxp::tools
