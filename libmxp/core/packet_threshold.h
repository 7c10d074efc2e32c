// The packet threshold of the specification, for all that judge which packets are lost: the loss detector, and an
// onlooker with a capture.
#pragma once

#include <cstdint>

namespace mxp {

// RFC 9002 §6.1.1: a packet that is this far below the largest acknowledged number counts as lost.
inline constexpr std::uint64_t kPacketThreshold = 3;

}  // namespace mxp
