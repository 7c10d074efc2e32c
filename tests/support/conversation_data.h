// What messages, calls and datagrams of a conversation carry: bytes that follow from their names.
#pragma once

#include <cstdint>
#include <vector>

#include "support/pattern.h"

namespace mxp::test {

inline constexpr std::uint16_t kFailure = 0x8001;

// Repetitive data are what compression makes less of.
inline std::vector<std::uint8_t> message_data(std::uint64_t name, std::uint64_t size, bool repetitive) {
  std::vector<std::uint8_t> data(size, static_cast<std::uint8_t>(name * 7));
  if (!repetitive) fill_pattern(StreamId(name), Role::client, 0, data);
  return data;
}

// Begins with the name. REQUIRES: size >= 8.
inline std::vector<std::uint8_t> datagram_data(std::uint64_t name, std::uint64_t size) {
  std::vector<std::uint8_t> data = message_data(name, size, false);
  for (std::size_t i = 0; i != 8; ++i) data[i] = static_cast<std::uint8_t>(name >> (8 * i));
  return data;
}

}  // namespace mxp::test
