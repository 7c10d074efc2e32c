// Copies between plain memory and a ring that is addressed by absolute offset. The size of the ring is a power of two.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "mxp/bytes.h"
#include "mxp/require.h"

namespace mxp {

// REQUIRES: capacity is a power of two and data.size() <= capacity.
inline void copy_into_ring(std::uint8_t* ring, std::size_t capacity, std::uint64_t offset, ByteView data) {
  if (data.empty()) return;
  MXP_REQUIRE((capacity & (capacity - 1)) == 0 && data.size() <= capacity);
  const std::size_t at = static_cast<std::size_t>(offset) & (capacity - 1);
  const std::size_t first = std::min(data.size(), capacity - at);
  std::memcpy(ring + at, data.data(), first);
  if (first < data.size()) std::memcpy(ring, data.data() + first, data.size() - first);
}

// The bytes from `offset` on that lie in one piece, at most `length` of them.
inline ByteView ring_piece(const std::uint8_t* ring, std::size_t capacity, std::uint64_t offset, std::uint64_t length) {
  if (length == 0) return {};
  const std::size_t at = static_cast<std::size_t>(offset) & (capacity - 1);
  return {ring + at, static_cast<std::size_t>(std::min<std::uint64_t>(length, capacity - at))};
}

}  // namespace mxp
