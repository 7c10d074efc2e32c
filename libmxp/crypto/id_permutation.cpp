#include "crypto/id_permutation.h"

#include <bit>

#include "core/cursor.h"

namespace mxp {

namespace {

// The two halves of a block, with the names of the paper.
struct Halves {
  std::uint32_t x;
  std::uint32_t y;
};

constexpr int kAlpha = 8, kBeta = 3;  // for words of 32 bits

constexpr void forward(Halves& halves, std::uint32_t key) {
  halves.x = (std::rotr(halves.x, kAlpha) + halves.y) ^ key;
  halves.y = std::rotl(halves.y, kBeta) ^ halves.x;
}

constexpr void backward(Halves& halves, std::uint32_t key) {
  halves.y = std::rotr(halves.y ^ halves.x, kBeta);
  halves.x = std::rotl((halves.x ^ key) - halves.y, kAlpha);
}

std::uint32_t word(ByteView bytes, std::size_t index) { return *Reader(bytes.subspan(4 * index)).le<std::uint32_t>(); }

}  // namespace

IdPermutation::IdPermutation(std::span<const std::uint8_t, kKeySize> key) {
  // The schedule is the cipher's own round once more, with the number of the round in place of a key: one half is the
  // round key, the other is taken in turn from three further words.
  std::array<std::uint32_t, 3> further{word(key, 1), word(key, 2), word(key, 3)};
  std::uint32_t round_key = word(key, 0);
  Writer out(schedule_.bytes());
  for (std::uint32_t round = 0; round < kRounds; ++round) {
    out.le(round_key);
    Halves halves{further[round % 3], round_key};
    forward(halves, round);
    further[round % 3] = halves.x;
    round_key = halves.y;
  }
  OPENSSL_cleanse(further.data(), sizeof(further));
  OPENSSL_cleanse(&round_key, sizeof(round_key));
}

ConnectionId IdPermutation::blind(std::uint64_t plain) const {
  Halves halves{static_cast<std::uint32_t>(plain >> 32), static_cast<std::uint32_t>(plain)};
  for (unsigned round = 0; round < kRounds; ++round) forward(halves, word(schedule_.view(), round));
  ConnectionId::Bytes bytes;
  Writer out(bytes);
  out.le(halves.y);
  out.le(halves.x);
  return ConnectionId(bytes);
}

std::uint64_t IdPermutation::unblind(const ConnectionId& id) const {
  Halves halves{word(id.bytes(), 1), word(id.bytes(), 0)};
  for (unsigned round = kRounds; round > 0; --round) backward(halves, word(schedule_.view(), round - 1));
  return std::uint64_t{halves.x} << 32 | halves.y;
}

}  // namespace mxp
