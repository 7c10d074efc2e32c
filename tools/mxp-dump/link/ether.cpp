// What follows an Ethernet header, and what announces its content as Ethernet does.
#include <algorithm>

#include "mxp-dump/link/packet_walk.h"

namespace mxp::dump {
namespace {

constexpr std::uint16_t kLeastType = 0x0600;  // below it the field is a length (IEEE 802.3 §3.2.6)

}  // namespace

FoundUdp PacketWalk::ethernet(Reader in) {
  if (++steps_ > kMaxSteps) return not_looked_into("tunnels nested too deep");
  if (!in.bytes(12)) return not_udp(NotUdp::malformed);
  const auto type = be16(in);
  if (!type) return not_udp(NotUdp::malformed);
  if (*type >= kLeastType) return ethertype(*type, in);
  return llc(Reader(in.rest().first(std::min<std::size_t>(*type, in.remaining()))));
}

FoundUdp PacketWalk::ethertype(std::uint16_t type, Reader in) {
  if (++steps_ > kMaxSteps) return not_looked_into("tunnels nested too deep");
  switch (type) {
    // By the version nibble all the same: the type is wrong where a tunnel of another address family was cooked.
    case 0x0800:
    case 0x86dd: return ip(in);
    case 0x8100:
    case 0x88a8:
    case 0x9100:
    case 0x9200: {
      if (!be16(in)) return not_udp(NotUdp::malformed);
      const auto inner = be16(in);
      if (!inner) return not_udp(NotUdp::malformed);
      return *inner >= kLeastType ? ethertype(*inner, in) : llc(in);
    }
    case 0x6558: return ethernet(in);
    case 0x8847:
    case 0x8848: return mpls(in);
    case 0x8864: return pppoe(in);
    case 0x88e5: return not_looked_into("MACsec");
    case 0x88e7: return not_looked_into("provider backbone bridge");
    case 0x894f: return not_looked_into("NSH");
    default: return not_udp(NotUdp::other_protocol);
  }
}

// IEEE 802.2, and SNAP within it (RFC 1042).
FoundUdp PacketWalk::llc(Reader in) {
  if (++steps_ > kMaxSteps) return not_looked_into("tunnels nested too deep");
  constexpr std::uint8_t kSnap = 0xaa, kIp = 0x06, kUnnumbered = 0x03;
  const auto head = in.bytes(3);
  if (!head) return not_udp(NotUdp::malformed);
  if ((*head)[0] == kIp && (*head)[1] == kIp && (*head)[2] == kUnnumbered) return ip(in);
  if ((*head)[0] != kSnap || ((*head)[1] & 0xfe) != kSnap || (*head)[2] != kUnnumbered)
    return not_udp(NotUdp::other_protocol);
  const auto organisation = in.bytes(3);
  if (!organisation) return not_udp(NotUdp::malformed);
  const auto type = be16(in);
  if (!type) return not_udp(NotUdp::malformed);
  const bool ethernet_types = (*organisation)[0] == 0 && (*organisation)[1] == 0 &&
                              ((*organisation)[2] == 0 || (*organisation)[2] == 0xf8);  // RFC 1042; 802.1H
  return ethernet_types ? ethertype(*type, in) : not_udp(NotUdp::other_protocol);
}

// RFC 3032. The labels do not say what they carry; the first nibble does, as far as anything does (RFC 4928 §2): IP, the
// control word of a pseudowire with Ethernet behind it (RFC 4385), or Ethernet itself.
FoundUdp PacketWalk::mpls(Reader in) {
  constexpr std::uint8_t kBottom = 0x01;
  for (;;) {
    const auto label = in.bytes(4);
    if (!label) return not_udp(NotUdp::malformed);
    if (((*label)[2] & kBottom) != 0) break;
  }
  if (in.empty()) return not_udp(NotUdp::malformed);
  switch (in.rest()[0] >> 4) {
    case 4:
    case 6: return ip(in);
    case 0: return in.bytes(4) ? ethernet(in) : not_udp(NotUdp::malformed);
    case 1: return not_udp(NotUdp::other_protocol);  // an associated channel, which carries no traffic
    default: return ethernet(in);
  }
}

// RFC 2516 §4: version and type, code, session, length.
FoundUdp PacketWalk::pppoe(Reader in) {
  const auto form = be16(in), session = be16(in), length = be16(in);
  if (!session || !length) return not_udp(NotUdp::malformed);
  constexpr std::uint16_t kSessionData = 0x1100;
  if (*form != kSessionData) return not_udp((*form >> 8) == 0x11 ? NotUdp::other_protocol : NotUdp::malformed);
  return ppp(Reader(in.rest().first(std::min<std::size_t>(*length, in.remaining()))));
}

}  // namespace mxp::dump
