// Payloads with a layout, written into memory of the caller: nothing is allocated.
#pragma once

#include <cstddef>

#include "core/cursor.h"
#include "mxp/message.h"

namespace mxp {

// Bytes of the layouts beside `data` and `text`.
inline constexpr std::size_t kCallPayloadOverhead = 16 + 4;
inline constexpr std::size_t kErrorPayloadOverhead = 2;

// False if there is no room, or if a text is none that a payload may have; `out` may hold a part of the payload then.
bool write_payload(Writer& out, const CallPayload& payload);
bool write_payload(Writer& out, const ErrorPayload& payload);

}  // namespace mxp
