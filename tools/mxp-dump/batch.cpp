#include "mxp-dump/batch.h"

#include <bit>
#include <cstring>
#include <numeric>

#include "core/packet_header.h"

namespace mxp::dump {
namespace {

std::uint64_t load(const std::uint8_t* bytes) {
  std::uint64_t value = 0;
  std::memcpy(&value, bytes, sizeof value);
  return value;
}

// The greatest size such that `id` stands at each of its multiples, with at most this many bits damaged. 0 if it stands
// only at the first place.
std::size_t common_distance(ByteView payload, std::uint64_t id, int damaged_bits) {
  std::size_t distance = 0;
  for (std::size_t at = kMinShortPacket; at + kShortHeaderSize <= payload.size(); ++at) {
    if (std::popcount(load(payload.data() + at + 1) ^ id) > damaged_bits) continue;
    distance = std::gcd(distance, at);
  }
  return distance;
}

}  // namespace

int different_bits(ConnectionId a, ConnectionId b) {
  return std::popcount(load(a.bytes().data()) ^ load(b.bytes().data()));
}

std::optional<std::size_t> batch_segment_size(ByteView payload, ConnectionId id, std::size_t usual) {
  const std::uint64_t wanted = load(id.bytes().data());
  for (const int damaged_bits : {kMaxDamagedBits, 0}) {
    const std::size_t distance = common_distance(payload, wanted, damaged_bits);
    if (distance == 0) return std::nullopt;
    if (usual != 0 && distance % usual == 0) return usual;
    if (distance >= kMinShortPacket) return distance;
  }
  return std::nullopt;
}

}  // namespace mxp::dump
