// A bound, non-blocking UDP socket and its buffers: what both carriers begin with.
#pragma once

#include <cstddef>
#include <expected>
#include <string_view>

#include "mxp/address.h"
#include "mxp/event_loop.h"
#include "udp/syscalls.h"
#include "udp/unique_fd.h"

namespace mxp {

struct UdpSocket {
  UniqueFd fd;
  SocketAddress local;               // with the port that the kernel chose
  bool any_address = false;          // bound to all addresses: each datagram must say at which it arrived
  std::size_t receive_buffer_bytes;  // payload bytes granted; the kernel keeps twice as much for its bookkeeping
  std::size_t send_buffer_bytes;
};

// An IPv4 address gets an IPv4 socket. "::" takes both families (IPv4 peers appear with IPv4 addresses); any other
// IPv6 address is IPv6 only, unless it is a mapped IPv4 one. Datagrams are never fragmented, and ICMP reports about
// sizes change nothing.
std::expected<UdpSocket, IoError> bind_udp_socket(const SocketConfig& config, Syscalls& syscalls);

// "<what>: <text of code>"
IoError io_error(int code, std::string_view what);

}  // namespace mxp
