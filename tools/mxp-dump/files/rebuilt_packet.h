// A packet made anew from what is known of a datagram: raw IP and UDP, checksums included.
#pragma once

#include <vector>

#include "mxp-dump/capture/captured_packet.h"
#include "mxp-dump/link/udp_datagram.h"

namespace mxp::dump {

inline constexpr std::uint32_t kRawIp = 101;

struct RebuiltPacket {
  std::vector<std::uint8_t> bytes;    // as far as the payload was captured
  std::uint32_t original_length = 0;  // on the wire
};
// `payload` has as many bytes as datagram.payload.
RebuiltPacket rebuild(const UdpDatagram& datagram, ByteView payload);
// A packet of no protocol that this tool looks into, as long as `length`, with zeros for its content.
RebuiltPacket placeholder(std::uint32_t length);

}  // namespace mxp::dump
