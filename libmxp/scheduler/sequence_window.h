// Which messages of the peer are settled, so that each is taken exactly once: everything below base(), and above it one
// bit for each sequence of the window (docs/protocol.md §5.2). The bitmap grows with what is really under way, and
// never beyond the window that was announced: at most 128 KiB (threat t65).
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <optional>
#include <vector>

#include "core/work.h"
#include "mxp/require.h"

namespace mxp {

class SequenceWindow {
 public:
  // `window`: sequences from base() up to, and without, base() + window may be settled.
  explicit SequenceWindow(std::uint64_t window) : window_(window) {}

  // The lowest sequence that is not settled.
  std::uint64_t base() const { return base_; }
  std::uint64_t window() const { return window_; }

  bool is_settled(std::uint64_t sequence) const {
    if (sequence < base_) return true;
    return sequence - base_ < capacity() && (word_of(sequence) >> (sequence % 64) & 1) != 0;
  }
  bool is_within(std::uint64_t sequence) const { return sequence < base_ || sequence - base_ < window_; }
  // Settles [first, first + count). Returns how many of them were not settled before; nothing if one of them lies
  // beyond the window. REQUIRES: count != 0, and first + count does not overflow.
  std::optional<std::uint64_t> settle(std::uint64_t first, std::uint64_t count = 1) {
    const std::uint64_t end = first + count;
    if (end > base_ && end - base_ > window_) return std::nullopt;
    first = std::max(first, base_);
    if (first >= end) return 0;
    reserve(end - base_);
    std::uint64_t fresh = 0;
    for (std::uint64_t at = first; at < end;) {
      const unsigned shift = static_cast<unsigned>(at % 64);
      const std::uint64_t length = std::min<std::uint64_t>(64 - shift, end - at);
      const std::uint64_t mask = (length == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << length) - 1) << shift;
      std::uint64_t& word = word_of(at);
      fresh += static_cast<std::uint64_t>(std::popcount(mask & ~word));
      word |= mask;
      at += length;
      MXP_WORK(1);
    }
    advance();
    return fresh;
  }

  std::size_t memory() const { return words_.capacity() * sizeof(std::uint64_t); }
  // Gives back the memory if nothing above base() is settled.
  void shrink() {
    if (words_.empty()) return;
    word_of(base_) &= ~std::uint64_t{0} << base_ % 64;
    if (std::ranges::all_of(words_, [](std::uint64_t word) { return word == 0; }))
      words_ = std::vector<std::uint64_t>();
  }

 private:
  // One word more than the window needs may be in use, since base() may lie inside a word.
  std::uint64_t capacity() const { return words_.empty() ? 0 : (words_.size() - 1) * 64; }
  std::uint64_t& word_of(std::uint64_t sequence) { return words_[sequence / 64 & (words_.size() - 1)]; }
  const std::uint64_t& word_of(std::uint64_t sequence) const { return words_[sequence / 64 & (words_.size() - 1)]; }

  void reserve(std::uint64_t span) {
    if (span <= capacity()) return;
    const std::size_t count = std::bit_ceil(static_cast<std::size_t>(span / 64 + 2));
    std::vector<std::uint64_t> grown(count);
    for (std::size_t i = 0; i != words_.size(); ++i) {
      const std::uint64_t word = base_ / 64 + i;
      grown[word & (count - 1)] = words_[word & (words_.size() - 1)];
    }
    words_ = std::move(grown);
  }
  void advance() {
    while (true) {
      std::uint64_t& word = word_of(base_);
      const unsigned shift = static_cast<unsigned>(base_ % 64);
      const unsigned run = static_cast<unsigned>(std::countr_one(word >> shift));
      base_ += run;
      if (shift + run < 64) return;
      word = 0;
    }
  }

  std::uint64_t base_ = 0;
  std::uint64_t window_ = 0;
  std::vector<std::uint64_t> words_;  // a power of two; bits below base() in its word stay set
};

}  // namespace mxp
