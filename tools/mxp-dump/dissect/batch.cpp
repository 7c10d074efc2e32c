#include "mxp-dump/dissect/batch.h"

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

constexpr std::size_t kEthernetPayload = 1500;

struct Search {
  ByteView payload;
  ConnectionId wanted;
  std::uint64_t id = load(wanted.bytes().data());

  std::size_t end() const { return payload.size() < kShortHeaderSize ? 0 : payload.size() - kShortHeaderSize + 1; }
  std::uint64_t difference(std::size_t at) const { return load(payload.data() + at + 1) ^ id; }
};

// Every place is looked at, which are 64 KiB of them in a coalesced datagram. x86-64 as compilers take it has no
// instruction that counts bits, though every processor of the last fifteen years has.
#if defined(__x86_64__)
#define MXP_COUNTS_BITS [[gnu::target("popcnt")]]
#else
#define MXP_COUNTS_BITS
#endif

[[gnu::always_inline]] inline std::size_t distance_of(const Search& search) {
  std::size_t distance = 0;
  for (std::size_t at = kMinShortPacket, end = search.end(); at < end; ++at) {
    if (std::popcount(search.difference(at)) > kMaxDamagedBits) [[likely]]
      continue;
    distance = std::gcd(distance, at);
  }
  return distance;
}

MXP_COUNTS_BITS std::size_t distance_by_instruction(const Search& search) { return distance_of(search); }

// The greatest size such that the id stands at each of its multiples, with at most kMaxDamagedBits of its bits damaged. 0
// if it stands only at the first place.
std::size_t common_distance(const Search& search) {
#if defined(__x86_64__)
  static const bool counts_bits = __builtin_cpu_supports("popcnt") != 0;
  if (!counts_bits) return distance_of(search);
#endif
  return distance_by_instruction(search);
}

// The same for undamaged ids, by way of their first byte. It costs a tenth.
std::size_t exact_distance(const Search& search) {
  const int first = search.wanted.bytes().front();
  std::size_t distance = 0;
  for (std::size_t at = kMinShortPacket, end = search.end(); at < end; ++at) {
    const void* found = std::memchr(search.payload.data() + at + 1, first, end - at);
    if (found == nullptr) break;
    at = static_cast<std::size_t>(static_cast<const std::uint8_t*>(found) - search.payload.data()) - 1;
    if (search.difference(at) == 0) distance = std::gcd(distance, at);
  }
  return distance;
}

// Whether an undamaged id stands at each multiple of this size.
bool is_whole_batch(const Search& search, std::size_t size) {
  for (std::size_t at = size; at < search.end(); at += size) {
    if (search.difference(at) != 0) return false;
  }
  return true;
}

std::optional<std::size_t> size_of(std::size_t distance, std::size_t usual) {
  if (usual != 0 && distance != 0 && distance % usual == 0) return usual;
  if (distance >= kMinShortPacket) return distance;
  return std::nullopt;
}

}  // namespace

int different_bits(ConnectionId a, ConnectionId b) {
  return std::popcount(load(a.bytes().data()) ^ load(b.bytes().data()));
}

std::optional<std::size_t> batch_segment_size(ByteView payload, ConnectionId id, std::size_t usual) {
  const Search search{payload, id};
  const std::size_t exact = exact_distance(search);
  // Nearly all batches are like the one before, and no id in them is damaged.
  if (exact != 0 && exact == usual && is_whole_batch(search, usual)) return usual;
  // A capture that holds packets one by one is not searched for damaged batches: that would cost more than all else.
  if (usual != 0 || payload.size() > kEthernetPayload) {
    const std::size_t distance = common_distance(search);
    if (distance == 0) return std::nullopt;
    if (const auto size = size_of(distance, usual)) return size;
  }
  return size_of(exact, usual);
}

}  // namespace mxp::dump
