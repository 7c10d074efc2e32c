// What the tests of this room write bytes with.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/secret.h"
#include "mxp/bytes.h"
#include "mxp/keys.h"
#include "support/hex.h"

namespace mxp::test {

using Bytes = std::vector<std::uint8_t>;

template <std::size_t N>
std::array<std::uint8_t, N> hex_array(std::string_view text) {
  const Bytes bytes = hex(text);
  std::array<std::uint8_t, N> result{};
  for (std::size_t i = 0; i < N && i < bytes.size(); ++i) result[i] = bytes[i];
  return result;
}

template <std::size_t N = 32>
SecretArray<N> hex_secret(std::string_view text) {
  return SecretArray<N>(std::span<const std::uint8_t, N>(hex_array<N>(text)));
}

inline PrivateKey private_key(std::string_view text) { return PrivateKey::from_bytes(hex_array<32>(text)); }
inline PublicKey public_key(std::string_view text) { return PublicKey(hex_array<32>(text)); }

inline std::string to_hex(ByteView bytes) {
  static constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (const std::uint8_t byte : bytes) {
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

inline Bytes text_bytes(std::string_view text) { return Bytes(text.begin(), text.end()); }

// `count` bytes, each `value`.
inline Bytes repeated(std::uint8_t value, std::size_t count) { return Bytes(count, value); }

// first, first + 1, …
inline Bytes counting(std::uint8_t first, std::size_t count) {
  Bytes bytes(count);
  for (std::size_t i = 0; i < count; ++i) bytes[i] = static_cast<std::uint8_t>(first + i);
  return bytes;
}

inline constexpr Suite kSuites[] = {Suite::chacha20_poly1305, Suite::aes_256_gcm};

}  // namespace mxp::test
