#include "crypto/replay_window.h"

#include <algorithm>

#include "core/work.h"
#include "mxp/require.h"

namespace mxp {

ReplayWindow::Verdict ReplayWindow::check(PacketNumber number) const {
  if (number.value() < lowest_) return Verdict::too_old;
  if (!largest_ || number > *largest_) return Verdict::fresh;
  return (word(number.value()) & bit(number.value())) != 0 ? Verdict::duplicate : Verdict::fresh;
}

void ReplayWindow::mark(PacketNumber number) {
  MXP_REQUIRE(check(number) == Verdict::fresh);
  const std::uint64_t value = number.value();
  // Before the first packet the largest number counts as 0, so that a first number far ahead leaves room for all that
  // may still arrive behind it.
  const std::uint64_t largest = largest_ ? largest_->value() : 0;
  grow_to_span(value > largest ? value - largest : largest - value);
  if (!largest_ || value > largest) {
    advance(value);
    largest_ = number;
  }
  word(value) |= bit(value);
}

// Doubles until `span` is at most half of the bitmap.
void ReplayWindow::grow_to_span(std::uint64_t span) {
  std::size_t bits = size_bits();
  while (bits < kMaxBits && span > bits / 2) bits *= 2;
  if (bits == size_bits()) return;
  std::vector<std::uint64_t> grown(bits / kWordBits);
  MXP_WORK(grown.size());
  if (largest_) {
    // Whole words are copied. In a full ring the oldest and the newest numbers share a word, and each takes the other's
    // bits along. Those lie below lowest_, where nobody looks, or above largest_, where advance() clears them before
    // they count.
    for (std::uint64_t index = lowest_ / kWordBits; index <= largest_->value() / kWordBits; ++index)
      grown[index & (grown.size() - 1)] = words_[index & (words_.size() - 1)];
  }
  words_ = std::move(grown);
}

// Makes room up to `number`. What falls out below is too old from now on, and what comes in is unmarked.
void ReplayWindow::advance(std::uint64_t number) {
  const std::uint64_t bits = size_bits();
  const std::uint64_t first = largest_ ? largest_->value() + 1 : 0;
  if (number - first >= bits) {
    MXP_WORK(words_.size());
    std::fill(words_.begin(), words_.end(), 0);
  } else {
    for (std::uint64_t n = first; n <= number; n = (n / kWordBits + 1) * kWordBits) {
      MXP_WORK(1);
      std::uint64_t incoming = ~std::uint64_t{0} << (n % kWordBits);
      if (n / kWordBits == number / kWordBits) incoming &= ~std::uint64_t{0} >> (kWordBits - 1 - number % kWordBits);
      word(n) &= ~incoming;
    }
  }
  if (number >= bits) lowest_ = std::max(lowest_, number - bits + 1);
}

}  // namespace mxp
