// The bits of Message::flags that say in which form a payload stands (docs/protocol.md §1.2).
#pragma once

#include <cstdint>

#include "mxp/message.h"

namespace mxp {

inline constexpr auto kCompressed = static_cast<std::uint8_t>(MessageFlag::compressed);
inline constexpr auto kEncrypted = static_cast<std::uint8_t>(MessageFlag::encrypted);

}  // namespace mxp
