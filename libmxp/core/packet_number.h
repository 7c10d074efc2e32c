// Truncation and recovery of packet numbers: RFC 9000 §17.1, appendix A.2 and A.3.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "mxp/ids.h"

namespace mxp {

// How many bytes (1..4) a peer needs to recover `number` if it may know no number above `largest_acknowledged`
// (nullopt: it may know none).
constexpr std::size_t packet_number_size(PacketNumber number, std::optional<PacketNumber> largest_acknowledged) {
  const std::uint64_t unacknowledged =
      largest_acknowledged ? number.value() - largest_acknowledged->value() : number.value() + 1;
  if (unacknowledged < (1u << 7)) return 1;
  if (unacknowledged < (1u << 15)) return 2;
  if (unacknowledged < (1u << 23)) return 3;
  return 4;
}

// `expected` is the largest number opened so far plus one, or 0 if none was; `size` says how many bytes (1..4) were on
// the wire.
constexpr PacketNumber expand_packet_number(std::uint64_t expected, std::uint64_t truncated, std::size_t size) {
  const std::uint64_t window = std::uint64_t{1} << (8 * size);
  const std::uint64_t half = window / 2;
  const std::uint64_t candidate = (expected & ~(window - 1)) | truncated;
  if (candidate + half <= expected && candidate < (std::uint64_t{1} << 62) - window)
    return PacketNumber(candidate + window);
  if (candidate > expected + half && candidate >= window) return PacketNumber(candidate - window);
  return PacketNumber(candidate);
}

}  // namespace mxp
