// Which packet numbers have been opened: a bitmap below the largest one, and the only judge of duplicates
// (docs/protocol.md §3).
//
// It starts at 1,024 numbers and doubles up to 65,536 when a jump ahead or a late arrival spans more than half of it,
// so that a slow path costs 128 bytes and a fast reordering one is not taken for an attack. Only packets that verified
// are marked, so only the authenticated peer can make it grow, and to 8 KiB at most. What was below the bitmap once
// stays refused: nobody knows any more whether it was seen.
//
// mark() allocates only when it grows, at most six times in a connection's life. Belongs to one thread.
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

  // fresh is never said of a marked number.
  Verdict check(PacketNumber number) const;
  // The packet verified. REQUIRES: check(number) == fresh.
  void mark(PacketNumber number);

  // Largest marked number; nullopt before the first.
  std::optional<PacketNumber> largest() const { return largest_; }
  // Everything below is too_old.
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
