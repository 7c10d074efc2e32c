// Test data that can be checked at any offset without keeping a copy: byte n of stream s is a function of both.
#pragma once

#include <cstdint>

#include "core/split_mix.h"
#include "mxp/bytes.h"
#include "mxp/ids.h"
#include "mxp/random.h"

namespace mxp::test {

inline std::uint64_t mix(std::uint64_t x) { return split_mix(x + kGoldenGamma); }

// `sender` tells the two directions of a stream apart.
inline std::uint8_t pattern_byte(StreamId stream, Role sender, std::uint64_t offset) {
  const std::uint64_t word = mix(stream.value() * 2 + (sender == Role::server ? 1 : 0) + (offset / 8) * 0x100000001b3);
  return static_cast<std::uint8_t>(word >> (8 * (offset % 8)));
}

inline void fill_pattern(StreamId stream, Role sender, std::uint64_t offset, MutableBytes out) {
  for (std::size_t i = 0; i < out.size();) {
    const std::uint64_t at = offset + i;
    std::uint64_t word =
        mix(stream.value() * 2 + (sender == Role::server ? 1 : 0) + (at / 8) * 0x100000001b3) >> (8 * (at % 8));
    for (std::size_t j = at % 8; j < 8 && i < out.size(); ++j, ++i, word >>= 8)
      out[i] = static_cast<std::uint8_t>(word);
  }
}

inline bool matches_pattern(StreamId stream, Role sender, std::uint64_t offset, ByteView data) {
  for (std::size_t i = 0; i < data.size();) {
    const std::uint64_t at = offset + i;
    std::uint64_t word =
        mix(stream.value() * 2 + (sender == Role::server ? 1 : 0) + (at / 8) * 0x100000001b3) >> (8 * (at % 8));
    for (std::size_t j = at % 8; j < 8 && i < data.size(); ++j, ++i, word >>= 8)
      if (data[i] != static_cast<std::uint8_t>(word)) return false;
  }
  return true;
}

// Deterministic randomness for endpoints under test.
class SeededRandom final : public Random {
 public:
  explicit SeededRandom(std::uint64_t seed) : state_(mix(seed)) {}
  void fill(MutableBytes out) override {
    for (std::size_t i = 0; i < out.size(); i += 8) {
      std::uint64_t word = next();
      for (std::size_t j = i; j < i + 8 && j < out.size(); ++j, word >>= 8) out[j] = static_cast<std::uint8_t>(word);
    }
  }
  std::uint64_t next() { return mix(state_++); }
  // Uniform enough for tests: [0, bound).
  std::uint64_t below(std::uint64_t bound) { return bound == 0 ? 0 : next() % bound; }

 private:
  std::uint64_t state_;
};

}  // namespace mxp::test
