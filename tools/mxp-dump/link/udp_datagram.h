// What is found in a captured packet: a UDP datagram, or the reason why there is none.
#pragma once

#include <cstdint>
#include <expected>
#include <string_view>

#include "mxp/address.h"
#include "mxp/bytes.h"

namespace mxp::dump {

struct UdpDatagram {
  SocketAddress source;
  SocketAddress destination;
  ByteView payload;             // what was captured of it
  std::uint32_t length = 0;     // of the payload on the wire, as the UDP header says
  bool fragment = false;        // the first of several IP fragments: the rest is not in the capture
  std::uint32_t fragments = 0;  // of how many IP fragments it was put together; 0 if it came in one packet
  bool truncated() const { return payload.size() < length; }
};

enum class NotUdp : std::uint8_t {
  other_protocol,
  held_fragment,  // an IP fragment that waits for the others of its datagram
  malformed,      // headers that contradict themselves, or cut off by the snap length
  unknown_link_type,
  tunnel,  // a packet inside another one, which is not looked into
};
struct NoDatagram {
  NotUdp why = NotUdp::other_protocol;
  std::string_view tunnel;  // its name
};

using FoundUdp = std::expected<UdpDatagram, NoDatagram>;

}  // namespace mxp::dump
