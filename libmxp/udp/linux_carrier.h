// The Linux fast path. Out: each run of equal datagrams is one message with UDP_SEGMENT (GSO), several messages are one
// sendmmsg. In: recvmmsg into buffers that UDP_GRO fills with many datagrams each. Around it: packet info (answers
// leave from the address that was asked), ECN bits both ways, the error queue (who is unreachable), and the kernel's
// count of the datagrams that it dropped because a buffer was full.
#pragma once

#include <expected>
#include <memory>

#include "mxp/event_loop.h"
#include "udp/carrier.h"
#include "udp/syscalls.h"

namespace mxp {

// Linux takes at most 64 segments in one send (UDP_MAX_SEGMENTS before 6.9; 128 since, which brings nothing at 64 KiB).
inline constexpr std::size_t kMaxGsoSegments = 64;
// Receive buffers of one recvmmsg: 16 × 64 KiB, about what one second-level cache holds twice.
inline constexpr std::size_t kReceiveBuffers = 16;
// Messages of one sendmmsg.
inline constexpr std::size_t kMaxSendMessages = 64;

// Binds a socket. `syscalls` outlives the carrier. Datagrams larger than `largest_datagram` may be dropped. An option
// that the kernel lacks is missing in capabilities() and is no error; only a socket that cannot be bound is.
std::expected<std::unique_ptr<Carrier>, IoError> make_linux_carrier(const SocketConfig& config,
                                                                    Syscalls& syscalls = system_calls(),
                                                                    std::size_t largest_datagram = kLargestDatagram);

}  // namespace mxp
