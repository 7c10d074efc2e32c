// Chance without state: the value of a draw is a function of its coordinates (seed, direction, flow, packet, purpose).
// So a packet's fate is the same whenever it comes and whatever other flows do.
//
// The function is SplitMix64 read at a position: its n-th output is mix(key + n * gamma), so any output can be had
// without those before it (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", OOPSLA 2014; mix is
// variant 13 of Stafford's finalizers). It must not be used for secrets.
#pragma once

#include <array>
#include <cstdint>

namespace mxp::netem {

// What a draw decides. The numbers are part of what a seed means, so new ones are only appended.
enum class Purpose : std::uint8_t {
  duplicate = 0,
  loss = 1,
  loss_state = 2,
  corrupt = 3,
  corrupt_where = 4,
  reorder = 5,
  delay = 6,
  slot = 7,
  queue = 8,
};
inline constexpr std::uint32_t kPurposes = 9;

// A packet of a flow, or the copy that the link made of it.
struct DrawIndex {
  std::uint64_t packet = 0;
  bool copy = false;
};

// The draws of one flow in one direction, and the memory that correlation needs.
class FlowDraws {
 public:
  FlowDraws(std::uint64_t seed, std::uint32_t direction, std::uint64_t flow);

  std::uint64_t bits(DrawIndex at, Purpose purpose) const;
  // Uniform in [0, 1), 53 bits.
  double uniform(DrawIndex at, Purpose purpose) const;
  // Mixed with the last correlated draw of the same purpose: x = (1-c) * uniform + c * last, as get_crandom() of
  // the kernel's sch_netem. With correlation 0 it is uniform().
  double correlated(DrawIndex at, Purpose purpose, double correlation);

 private:
  std::uint64_t key_;
  std::array<double, kPurposes> last_;
};

}  // namespace mxp::netem
