// The mixing step of SplitMix64 (Steele, Lea, Flood, "Fast Splittable Pseudorandom Number Generators", 2014): each bit of
// the result depends on each bit of the input. It spreads, and keeps nothing secret.
#pragma once

#include <cstdint>

namespace mxp {

// The generator's increment, 2^64 / golden ratio made odd: mix(seed + n * kGoldenGamma) for n = 1, 2, … is its output.
inline constexpr std::uint64_t kGoldenGamma = 0x9e3779b97f4a7c15u;

constexpr std::uint64_t split_mix(std::uint64_t x) {
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
  return x ^ (x >> 31);
}

}  // namespace mxp
