// Control messages beside a datagram (cmsg(3)): what we tell the kernel when sending and what it tells us.
#pragma once

#include <sys/socket.h>

#include <cstddef>
#include <cstdint>
#include <optional>

#include "mxp/address.h"
#include "mxp/endpoint.h"
#include "mxp/time.h"

namespace mxp {

// Bytes that cover every control message of one datagram, either way.
inline constexpr std::size_t kAncillaryBytes = 256;

struct alignas(std::size_t) AncillaryBuffer {
  unsigned char bytes[kAncillaryBytes];
};

struct OutgoingAncillary {
  std::size_t segment_size = 0;         // UDP_SEGMENT; 0 = one datagram
  std::optional<SocketAddress> source;  // IP_PKTINFO / IPV6_PKTINFO
  Ecn ecn = Ecn::not_ect;  // IP_TOS / IPV6_TCLASS; not_ect sends none and leaves the socket's own, which is 0
  // Of the packet and not of the socket: an IPv6 socket sends IPv4 to a mapped address, and then the kernel ignores
  // IPV6_TCLASS.
  AddressFamily packet_family = AddressFamily::ipv4;
};

// Sets the control part of `message`. The source address of an IPv6 socket is IPv6 or mapped IPv4.
void write_ancillary(msghdr& message, AncillaryBuffer& buffer, const OutgoingAncillary& ancillary,
                     AddressFamily socket_family);

struct ReceivedAncillary {
  std::size_t segment_size = 0;              // UDP_GRO; 0 = one datagram
  std::optional<SocketAddress> destination;  // IP_PKTINFO / IPV6_PKTINFO, without a port
  Ecn ecn = Ecn::not_ect;
  std::optional<std::uint32_t> overflows;  // SO_RXQ_OVFL: dropped since the socket was made, modulo 2^32
  std::optional<Duration> stamp;           // SO_TIMESTAMPNS: when it reached the socket, since the Unix epoch
};
ReceivedAncillary read_ancillary(msghdr& message);

}  // namespace mxp
