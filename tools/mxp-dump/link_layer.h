// From a captured packet to the UDP datagram in it: link layer, IPv4 with options and fragments, IPv6 with extension
// headers. Nothing is allocated and nothing is trusted: every length is compared with what was captured.
#pragma once

#include <cstdint>
#include <expected>
#include <string_view>

#include "mxp-dump/captured_packet.h"
#include "mxp/address.h"

namespace mxp::dump {

struct UdpDatagram {
  SocketAddress source;
  SocketAddress destination;
  ByteView payload;          // what was captured of it
  std::uint32_t length = 0;  // of the payload on the wire, as the UDP header says
  bool fragment = false;     // the first of several IP fragments: the rest is elsewhere
  bool truncated() const { return payload.size() < length; }
};

enum class NotUdp : std::uint8_t {
  other_protocol,
  later_fragment,  // an IP fragment without the UDP header
  malformed,       // headers that contradict themselves, or cut off by the snap length
  unknown_link_type,
  tunnel,  // a packet inside another one, which is not looked into
};
struct NoDatagram {
  NotUdp why = NotUdp::other_protocol;
  std::string_view tunnel;  // its name
};

std::expected<UdpDatagram, NoDatagram> find_udp(std::uint32_t link_type, ByteView packet);

// The name of the tunnel to which a UDP datagram belongs by its port, or nothing.
std::string_view udp_tunnel(const UdpDatagram& datagram);

}  // namespace mxp::dump
