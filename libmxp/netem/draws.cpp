#include "netem/draws.h"

#include "core/split_mix.h"

namespace mxp::netem {
namespace {

// Leaves room for new purposes: adding one must not change the draws of the others.
constexpr std::uint64_t kDrawsPerPacket = 64;
constexpr std::uint64_t kDrawsPerCopy = 32;

double to_unit(std::uint64_t bits) { return static_cast<double>(bits >> 11) * 0x1.0p-53; }

}  // namespace

FlowDraws::FlowDraws(std::uint64_t seed, std::uint32_t direction, std::uint64_t flow)
    : key_(split_mix(split_mix(split_mix(seed + kGoldenGamma) + kGoldenGamma * (direction + 1u)) +
                     kGoldenGamma * (flow + 1u))) {
  // The first correlated draw has no predecessor: as in the kernel, it is mixed with a random value.
  for (std::uint32_t i = 0; i < kPurposes; ++i) last_[i] = to_unit(split_mix(key_ ^ (kGoldenGamma * (i + 1u))));
}

std::uint64_t FlowDraws::bits(DrawIndex at, Purpose purpose) const {
  const std::uint64_t position =
      at.packet * kDrawsPerPacket + (at.copy ? kDrawsPerCopy : 0u) + static_cast<std::uint64_t>(purpose);
  return split_mix(key_ + (position + 1) * kGoldenGamma);
}

double FlowDraws::uniform(DrawIndex at, Purpose purpose) const { return to_unit(bits(at, purpose)); }

double FlowDraws::correlated(DrawIndex at, Purpose purpose, double correlation) {
  const double fresh = uniform(at, purpose);
  if (correlation <= 0) return fresh;
  double& last = last_[static_cast<std::size_t>(purpose)];
  last = fresh * (1 - correlation) + last * correlation;
  return last;
}

}  // namespace mxp::netem
