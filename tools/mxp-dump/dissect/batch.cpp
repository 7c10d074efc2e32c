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
  std::uint64_t id;
  int damaged_bits;

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
    if (std::popcount(search.difference(at)) > search.damaged_bits) [[likely]]
      continue;
    distance = std::gcd(distance, at);
  }
  return distance;
}

MXP_COUNTS_BITS std::size_t distance_by_instruction(const Search& search) { return distance_of(search); }

// The greatest size such that the id stands at each of its multiples, with at most so many bits damaged. 0 if it stands
// only at the first place.
std::size_t common_distance(const Search& search) {
#if defined(__x86_64__)
  static const bool counts_bits = __builtin_cpu_supports("popcnt") != 0;
  if (!counts_bits) return distance_of(search);
#endif
  return distance_by_instruction(search);
}

// The same for undamaged ids, by way of their first byte. It costs a tenth.
std::size_t exact_distance(const Search& search) {
  const int first = static_cast<int>(search.id & 0xff);
  std::size_t distance = 0;
  for (std::size_t at = kMinShortPacket, end = search.end(); at < end; ++at) {
    const void* found = std::memchr(search.payload.data() + at + 1, first, end - at);
    if (found == nullptr) break;
    at = static_cast<std::size_t>(static_cast<const std::uint8_t*>(found) - search.payload.data()) - 1;
    if (search.difference(at) == 0) distance = std::gcd(distance, at);
  }
  return distance;
}

// Whether the payload is a batch of this size in which no id is damaged, as nearly all batches are.
bool is_whole_batch(const Search& search, std::size_t size) {
  if (size < kMinShortPacket || size >= search.end()) return false;
  for (std::size_t at = size; at < search.end(); at += size) {
    if (search.difference(at) != 0) return false;
  }
  return exact_distance(search) == size;
}

}  // namespace

int different_bits(ConnectionId a, ConnectionId b) {
  return std::popcount(load(a.bytes().data()) ^ load(b.bytes().data()));
}

std::optional<std::size_t> batch_segment_size(ByteView payload, ConnectionId id, std::size_t usual) {
  const std::uint64_t wanted = load(id.bytes().data());
  if (is_whole_batch({payload, wanted, 0}, usual)) return usual;
  // A capture that holds packets one by one is not searched for damaged batches: that would cost more than all else.
  const bool one_by_one = usual == 0 && payload.size() <= kEthernetPayload;
  for (const int damaged_bits : {one_by_one ? 0 : kMaxDamagedBits, 0}) {
    const Search search{payload, wanted, damaged_bits};
    const std::size_t distance = damaged_bits == 0 ? exact_distance(search) : common_distance(search);
    if (distance == 0) return std::nullopt;
    if (usual != 0 && distance % usual == 0) return usual;
    if (distance >= kMinShortPacket) return distance;
  }
  return std::nullopt;
}

}  // namespace mxp::dump
