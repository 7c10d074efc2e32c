// The carrier that works on any system with sockets: one sendto or recvfrom for each datagram. It has no offload, no
// packet info and no error queue. It marks what it sends (ECN), but does not read the marks of what it receives. It
// serves for comparison, and where the Linux calls are not available.
#pragma once

#include <expected>
#include <memory>

#include "mxp/event_loop.h"
#include "udp/carrier.h"
#include "udp/syscalls.h"

namespace mxp {

// Binds a socket. `syscalls` outlives the carrier. Datagrams larger than `largest_datagram` are dropped.
// `config.offload` does not matter here.
std::expected<std::unique_ptr<Carrier>, IoError> make_portable_carrier(const SocketConfig& config,
                                                                       Syscalls& syscalls = system_calls(),
                                                                       std::size_t largest_datagram = kLargestDatagram);

}  // namespace mxp
