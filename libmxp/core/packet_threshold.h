// The packet threshold of the specification, for whoever judges which packets are lost: the loss detector, and an
// onlooker with a capture.
#pragma once

#include <cstdint>

namespace mxp {

// RFC 9002 §6.1.1: so far below the largest acknowledged number a packet counts as lost.
inline constexpr std::uint64_t kPacketThreshold = 3;

}  // namespace mxp
