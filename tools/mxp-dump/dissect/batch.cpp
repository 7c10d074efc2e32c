#include "mxp-dump/dissect/batch.h"

#include <algorithm>
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

// Every place is looked at, which are 64 KiB of them in a coalesced datagram. x86-64 as compilers take it has neither
// an instruction that counts bits nor ones for 32 places at a time, though nearly all processors of ten years have
// them.
#if defined(__x86_64__)
#define MXP_COUNTS_BITS [[gnu::target("popcnt")]]
#define MXP_WIDE [[gnu::target("avx2")]]
#else
#define MXP_COUNTS_BITS
#define MXP_WIDE
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

// The greatest size such that the id stands at each of its multiples, with at most kMaxDamagedBits of its bits damaged.
// 0 if it stands only at the first place.
std::size_t common_distance(const Search& search) {
#if defined(__x86_64__)
  static const bool counts_bits = __builtin_cpu_supports("popcnt") != 0;
  if (!counts_bits) return distance_of(search);
#endif
  return distance_by_instruction(search);
}

constexpr std::size_t kPlaces = 64;  // that are looked at together

// Whether an id that begins with these two bytes may stand at one of the places from here on. A loop without a way out
// of its middle, which compilers turn into a few instructions for 16 or 32 places each.
[[gnu::always_inline]] inline bool may_begin(const std::uint8_t* places, std::uint8_t first, std::uint8_t second) {
  std::uint8_t any = 0;
  for (std::size_t i = 0; i < kPlaces; ++i)
    any |= static_cast<std::uint8_t>(static_cast<int>(places[i] == first) & static_cast<int>(places[i + 1] == second));
  return any != 0;
}

[[gnu::always_inline]] inline std::size_t exact_distance_of(const Search& search) {
  const std::uint8_t first = search.wanted.bytes()[0], second = search.wanted.bytes()[1];
  std::size_t distance = 0;
  for (std::size_t at = kMinShortPacket, end = search.end(); at < end;) {
    const std::size_t last = std::min(at + kPlaces, end);
    // The id of the last place ends within the payload, and so does the byte behind the places.
    if (last - at == kPlaces && !may_begin(search.payload.data() + at + 1, first, second)) {
      at = last;
      continue;
    }
    for (; at < last; ++at) {
      if (search.difference(at) == 0) distance = std::gcd(distance, at);
    }
  }
  return distance;
}

MXP_WIDE std::size_t exact_distance_by_instruction(const Search& search) { return exact_distance_of(search); }

// The same for undamaged ids, by way of their first two bytes. It costs a tenth.
std::size_t exact_distance(const Search& search) {
#if defined(__x86_64__)
  static const bool is_wide = __builtin_cpu_supports("avx2") != 0;
  if (!is_wide) return exact_distance_of(search);
#endif
  return exact_distance_by_instruction(search);
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
