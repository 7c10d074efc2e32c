// The 32 bytes in front of a payload (docs/protocol.md §1), for those who need them apart from the message.
#pragma once

#include "core/cursor.h"
#include "mxp/message.h"

namespace mxp {

// REQUIRES: kMessageHeaderSize bytes of space.
void write_message_header(Writer& out, const Message& message);

}  // namespace mxp
