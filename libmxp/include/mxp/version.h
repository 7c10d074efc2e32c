// The version of the library, and of the wire.
#pragma once

#include <cstdint>
#include <string_view>

namespace mxp {

inline constexpr std::string_view kLibraryVersion = "0.1.0";
// On the wire, little-endian: 4D 58 50 31, "MXP1" (docs/protocol.md §2).
inline constexpr std::uint32_t kWireVersion = 0x3150584D;

}  // namespace mxp
