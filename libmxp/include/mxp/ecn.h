// The two bits of the IP header that tell of congestion (RFC 3168 §5), and whether a path carries them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace mxp {

enum class Ecn : std::uint8_t { not_ect = 0, ect1 = 1, ect0 = 2, ce = 3 };

// Whether a path carries marks, as far as it is known (RFC 9000 §13.4.2). Packets are sent with ECT(0) while `testing`
// and `capable`.
enum class EcnState : std::uint8_t {
  off,      // not wanted (RecoveryConfig::ecn)
  testing,  // the first packets go out marked
  waiting,  // for word of the marked packets; no more are sent
  capable,  // the peer's counts agree with what was sent: CE marks are heeded
  failed,   // the path erases or changes marks, or drops what is marked, or the peer does not count
};

// "off", "testing", ...
constexpr std::string_view to_string(EcnState state) {
  constexpr std::string_view kNames[] = {"off", "testing", "waiting", "capable", "failed"};
  return kNames[static_cast<std::size_t>(state)];
}

}  // namespace mxp
