// Which packet numbers have been opened: a bitmap below the largest one. It is the only judge of duplicates
// (docs/protocol.md §3).
//
// It starts at 1,024 numbers and doubles, up to 65,536, when a jump ahead or a late arrival spans more than half of it.
// So a slow path costs 128 bytes, and a fast path that reorders is not taken for an attack. Only packets that verified
// are marked, so only the authenticated peer can make it grow, and only to 8 KiB. A number that was once below the
// bitmap stays refused, since nobody knows any more whether it was seen.
//
// mark() allocates only when the bitmap grows, at most six times in a connection's life. A window belongs to one
// thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "mxp/ids.h"

namespace mxp {

class ReplayWindow {
 public:
  static constexpr std::size_t kInitialBits = 1024;
  static constexpr std::size_t kMaxBits = 65536;

  enum class Verdict : std::uint8_t { fresh, duplicate, too_old };

  ReplayWindow() : words_(kInitialBits / kWordBits) {}

  // A marked number is never fresh.
  Verdict check(PacketNumber number) const;
  // The packet with this number has verified. REQUIRES: check(number) == fresh.
  void mark(PacketNumber number);

  // Largest marked number; nullopt before the first.
  std::optional<PacketNumber> largest() const { return largest_; }
  // Every number below this one is too_old.
  PacketNumber lowest() const { return PacketNumber(lowest_); }
  std::size_t size_bits() const { return words_.size() * kWordBits; }

 private:
  static constexpr std::size_t kWordBits = 64;

  void grow_to_span(std::uint64_t span);
  void advance(std::uint64_t number);
  std::uint64_t& word(std::uint64_t number) { return words_[(number / kWordBits) & (words_.size() - 1)]; }
  const std::uint64_t& word(std::uint64_t number) const { return words_[(number / kWordBits) & (words_.size() - 1)]; }
  static std::uint64_t bit(std::uint64_t number) { return std::uint64_t{1} << (number % kWordBits); }

  std::vector<std::uint64_t> words_;  // a ring: number n is bit n mod size, a power of two
  std::optional<PacketNumber> largest_;
  std::uint64_t lowest_ = 0;
};

}  // namespace mxp
