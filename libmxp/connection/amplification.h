// The 3× limit (docs/protocol.md §2.3): until a client has shown that it owns its address, a server sends it at most
// three bytes for each byte received, so that a forged source address turns no server into a weapon (threat t17).
#pragma once

#include <cstdint>
#include <limits>

namespace mxp {

class AmplificationLimit {
 public:
  void on_received(std::uint64_t bytes) { received_ += bytes; }
  void on_sent(std::uint64_t bytes) { sent_ += bytes; }
  void lift() { lifted_ = true; }
  bool lifted() const { return lifted_; }
  // Bytes that may be sent now.
  std::uint64_t allowance() const {
    if (lifted_) return std::numeric_limits<std::uint64_t>::max();
    const std::uint64_t limit = kFactor * received_;
    return limit > sent_ ? limit - sent_ : 0;
  }

 private:
  static constexpr std::uint64_t kFactor = 3;  // from the specification
  std::uint64_t received_ = 0;
  std::uint64_t sent_ = 0;
  bool lifted_ = false;
};

}  // namespace mxp
