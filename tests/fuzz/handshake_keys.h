// The fixed keys of the handshake target and of the seeds that are genuine for them.
#pragma once

#include <array>

#include "mxp/keys.h"

namespace mxp::fuzz {

inline PrivateKey fixed_key(std::uint8_t which) {
  std::array<std::uint8_t, PrivateKey::kSize> scalar;
  scalar.fill(which);
  return PrivateKey::from_bytes(scalar);
}
inline PrivateKey server_key() { return fixed_key(0x51); }
inline PrivateKey client_key() { return fixed_key(0xc1); }
inline PrivateKey server_ephemeral() { return fixed_key(0x5e); }
inline PrivateKey client_ephemeral() { return fixed_key(0xce); }
inline constexpr std::array<std::uint8_t, 18> kPrologue = {0xc0, 0x4d, 0x58, 0x50, 0x31};

}  // namespace mxp::fuzz
