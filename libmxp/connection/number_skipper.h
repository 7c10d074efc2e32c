// Leaves out a packet number now and then (RFC 9000 §21.4). A peer that acknowledges packets it cannot have seen, to
// make us send faster, names such a number before long and is closed (threat t02). The distance between them grows with
// the window, so that a fast connection hardly pays for it and an attacker cannot gain more than a few windows.
#pragma once

#include <algorithm>
#include <cstdint>

#include "mxp/ids.h"
#include "mxp/random.h"

namespace mxp {

class NumberSkipper {
 public:
  explicit NumberSkipper(Random& random) : random_(random) {}

  // Returns the number for the next packet. `window_packets` is how many packets the congestion window holds.
  PacketNumber take(std::uint64_t window_packets) {
    if (next_ >= skip_at_) {
      if (skip_at_ != 0) ++next_;
      const std::uint64_t distance = std::max<std::uint64_t>(window_packets, kMinDistance);
      skip_at_ = next_ + distance + random_u64(random_) % (3 * distance);
    }
    return PacketNumber(next_++);
  }
  // Leaves out so many numbers that nobody can guess the next one, which still fits into three bytes on the wire.
  // Whoever acknowledges it has read it (threat t17).
  void skip_far() { next_ += random_u64(random_) % kFar; }
  PacketNumber next() const { return PacketNumber(next_); }

 private:
  static constexpr std::uint64_t kMinDistance = 64;              // our choice
  static constexpr std::uint64_t kFar = std::uint64_t{1} << 22;  // docs/protocol.md §2.3

  Random& random_;
  std::uint64_t next_ = 0;
  std::uint64_t skip_at_ = 0;
};

}  // namespace mxp
