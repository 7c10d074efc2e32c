// Variable-length integers of RFC 9000 §16: two bits of length (1, 2, 4 or 8 bytes), then the value, big-endian.
#pragma once

#include <cstddef>
#include <cstdint>

#include "mxp/ids.h"
#include "mxp/require.h"

namespace mxp {

// How many bytes `value` takes in its shortest form. REQUIRES: value <= kMaxVarint.
constexpr std::size_t varint_size(std::uint64_t value) {
  MXP_REQUIRE(value <= kMaxVarint);
  if (value < (1u << 6)) return 1;
  if (value < (1u << 14)) return 2;
  if (value < (1u << 30)) return 4;
  return 8;
}

constexpr std::size_t varint_size_from_first_byte(std::uint8_t first) { return std::size_t{1} << (first >> 6); }

// `size` is what varint_size_from_first_byte(*in) says, and that many bytes are readable.
constexpr std::uint64_t decode_varint(const std::uint8_t* in, std::size_t size) {
  std::uint64_t value = in[0] & 0x3fu;
  for (std::size_t i = 1; i < size; ++i) value = value << 8 | in[i];
  return value;
}

// `size` is 1, 2, 4 or 8 and large enough for the value. A longer form than needed is legal.
constexpr void encode_varint(std::uint64_t value, std::size_t size, std::uint8_t* out) {
  const std::uint8_t length_bits = size == 1 ? 0x00 : size == 2 ? 0x40 : size == 4 ? 0x80 : 0xc0;
  for (std::size_t i = 0; i < size; ++i) out[i] = static_cast<std::uint8_t>(value >> (8 * (size - 1 - i)));
  out[0] = static_cast<std::uint8_t>(out[0] | length_bits);
}

}  // namespace mxp
