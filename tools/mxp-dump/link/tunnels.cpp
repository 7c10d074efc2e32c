// Packets inside packets. What is found has the inner addresses.
#include <algorithm>
#include <array>
#include <span>

#include "mxp-dump/dissect/datagram_form.h"
#include "mxp-dump/link/packet_walk.h"
#include "mxp-dump/link/udp_finder.h"

namespace mxp::dump {
namespace {

struct Tunnel {
  std::uint16_t number;
  std::string_view name;
};
// Protocols that may carry UDP inside and are not looked into.
constexpr std::array kIpTunnels{Tunnel{50, "IPsec ESP"}, Tunnel{115, "L2TP"}};
// By UDP port; those that are looked into stand here as well, for datagrams that are not what their port says.
constexpr std::uint16_t kGtp = 2152, kGreInUdp = 4754, kVxlan = 4789, kVxlanGpe = 4790, kGeneve = 6081,
                        kMplsInUdp = 6635, kVxlanOld = 8472;
constexpr std::array kUdpTunnels{Tunnel{1701, "L2TP"},
                                 Tunnel{kGtp, "GTP-U"},
                                 Tunnel{3544, "Teredo"},
                                 Tunnel{4500, "IPsec NAT traversal"},
                                 Tunnel{kGreInUdp, "GRE in UDP"},
                                 Tunnel{kVxlan, "VXLAN"},
                                 Tunnel{kVxlanGpe, "VXLAN-GPE"},
                                 Tunnel{kGeneve, "Geneve"},
                                 Tunnel{kMplsInUdp, "MPLS in UDP"},
                                 Tunnel{kVxlanOld, "VXLAN"},
                                 Tunnel{51820, "WireGuard"}};

std::string_view tunnel_name(std::span<const Tunnel> tunnels, std::uint16_t number) {
  const auto found = std::find_if(tunnels.begin(), tunnels.end(), [&](const Tunnel& t) { return t.number == number; });
  return found == tunnels.end() ? std::string_view() : found->name;
}

// The first bytes of the tunnels' headers and those of MXP do not overlap, but for MPLS: what may be MXP is not taken
// for a tunnel.
bool may_be_mxp(ByteView payload) {
  constexpr std::uint8_t kMxpForm = packet_bits::kForm | packet_bits::kFixed;
  return payload.empty() || (payload[0] & kMxpForm) == packet_bits::kFixed || is_handshake(payload);
}

}  // namespace

std::string_view udp_tunnel(const UdpDatagram& datagram) {
  const std::string_view by_destination = tunnel_name(kUdpTunnels, datagram.destination.port);
  return by_destination.empty() ? tunnel_name(kUdpTunnels, datagram.source.port) : by_destination;
}

// --- above IP ----------------------------------------------------------------------------------------------------

FoundUdp PacketWalk::ip_tunnel(std::uint8_t protocol, Reader in, const Network& network) {
  constexpr std::uint8_t kIpv4 = 4, kIpv6 = 41, kGre = 47, kAuthenticationHeader = 51, kEtherIp = 97, kMpls = 137;
  if (++steps_ > kMaxSteps) return not_looked_into("tunnels nested too deep");
  switch (protocol) {
    case kIpv4: return ipv4(in);
    case kIpv6: return ipv6(in);
    case kGre: return gre(in);
    case kMpls: return mpls(in);
    case kEtherIp: return in.bytes(2) ? ethernet(in) : not_udp(NotUdp::malformed);  // RFC 3378
    case kAuthenticationHeader: {                                                   // RFC 4302 §2
      const auto head = in.bytes(8);
      if (!head) return not_udp(NotUdp::malformed);
      const std::size_t size = std::max<std::size_t>(8, 4u * ((*head)[1] + 2u));
      if (size > network.left || !in.bytes(size - 8)) return not_udp(NotUdp::malformed);
      Network inner = network;
      inner.left -= size;
      return transport((*head)[0], in, inner);
    }
    default: break;
  }
  const std::string_view name = tunnel_name(kIpTunnels, protocol);
  return name.empty() ? not_udp(NotUdp::other_protocol) : not_looked_into(name);
}

// RFC 2784 with the key and sequence number of RFC 2890; version 1 is PPTP's (RFC 2637).
FoundUdp PacketWalk::gre(Reader in) {
  constexpr std::uint16_t kChecksum = 0x8000, kRoutingPresent = 0x4000, kKey = 0x2000, kSequence = 0x1000,
                          kAck = 0x0080, kVersion = 0x0007;
  const auto flags = be16(in), protocol = be16(in);
  if (!protocol) return not_udp(NotUdp::malformed);
  const std::uint16_t version = *flags & kVersion;
  if (version > 1 || (*flags & kRoutingPresent) != 0) return not_looked_into("GRE");
  std::size_t options = 0;
  if ((*flags & kChecksum) != 0) options += 4;
  if ((*flags & kKey) != 0) options += 4;
  if ((*flags & kSequence) != 0) options += 4;
  if (version == 1 && (*flags & kAck) != 0) options += 4;
  if (!in.bytes(options)) return not_udp(NotUdp::malformed);
  return gre_payload(*protocol, (*flags & kSequence) != 0, in);
}

FoundUdp PacketWalk::gre_payload(std::uint16_t protocol, bool has_sequence, Reader in) {
  constexpr std::uint16_t kErspan = 0x88be, kErspan3 = 0x22eb, kPpp = 0x880b;
  switch (protocol) {
    case kPpp: return in.empty() ? not_udp(NotUdp::other_protocol) : ppp(in);
    case kErspan:
      // Type II has a header and GRE's sequence number, type I neither.
      if (has_sequence && !in.bytes(8)) return not_udp(NotUdp::malformed);
      return ethernet(in);
    case kErspan3: return erspan_3(in);
    default: return ethertype(protocol, in);
  }
}

// draft-foschiano-erspan §4.3: twelve bytes, of which the last two say what follows.
FoundUdp PacketWalk::erspan_3(Reader in) {
  const auto head = in.bytes(12);
  if (!head) return not_udp(NotUdp::malformed);
  const bool has_subheader = ((*head)[11] & 1) != 0;
  if (has_subheader && !in.bytes(8)) return not_udp(NotUdp::malformed);
  constexpr int kEthernetFrame = 0, kIpPacket = 2;
  switch ((*head)[10] >> 2 & 0x1f) {
    case kEthernetFrame: return ethernet(in);
    case kIpPacket: return ip(in);
    default: return not_looked_into("ERSPAN");
  }
}

// --- above UDP ---------------------------------------------------------------------------------------------------

std::optional<FoundUdp> PacketWalk::in_datagram(const UdpDatagram& datagram) {
  switch (datagram.destination.port) {
    case kGtp:
    case kGreInUdp:
    case kVxlan:
    case kVxlanGpe:
    case kGeneve:
    case kMplsInUdp:
    case kVxlanOld: break;
    default: return std::nullopt;
  }
  if (may_be_mxp(datagram.payload)) return std::nullopt;
  if (++steps_ > kMaxSteps) return not_looked_into("tunnels nested too deep");
  const Reader in(datagram.payload);
  switch (datagram.destination.port) {
    case kGtp: return gtp_user_plane(in);
    case kGreInUdp: return gre(in);
    case kMplsInUdp: return mpls(in);
    case kGeneve: return geneve(in);
    default: return vxlan(in, datagram.destination.port == kVxlanGpe);
  }
}

// RFC 7348 §5; draft-ietf-nvo3-vxlan-gpe §3 says in its last reserved byte what follows.
std::optional<FoundUdp> PacketWalk::vxlan(Reader in, bool generic) {
  constexpr std::uint8_t kNetwork = 0x08, kNextProtocol = 0x04;
  const auto head = in.bytes(8);
  if (!head || ((*head)[0] & kNetwork) == 0) return std::nullopt;
  if (!generic || ((*head)[0] & kNextProtocol) == 0) return ethernet(in);
  switch ((*head)[3]) {
    case 1: return ipv4(in);
    case 2: return ipv6(in);
    case 3: return ethernet(in);
    case 5: return mpls(in);
    default: return not_looked_into("VXLAN-GPE");
  }
}

// RFC 8926 §3.4.
std::optional<FoundUdp> PacketWalk::geneve(Reader in) {
  const auto head = in.bytes(8);
  if (!head || (*head)[0] >> 6 != 0) return std::nullopt;
  if (!in.bytes(4u * ((*head)[0] & 0x3fu))) return not_udp(NotUdp::malformed);
  return ethertype(static_cast<std::uint16_t>((*head)[2] << 8 | (*head)[3]), in);
}

// 3GPP TS 29.281 §5.1, §5.2: version 1; a user's packet is message 255. Extension headers count in units of four bytes.
std::optional<FoundUdp> PacketWalk::gtp_user_plane(Reader in) {
  constexpr std::uint8_t kVersionAndProtocol = 0xf0, kVersion1 = 0x30, kOptional = 0x07, kExtension = 0x04,
                         kUserPacket = 255;
  const auto head = in.bytes(8);
  if (!head || ((*head)[0] & kVersionAndProtocol) != kVersion1) return std::nullopt;
  if ((*head)[1] != kUserPacket) return not_udp(NotUdp::other_protocol);
  if (((*head)[0] & kOptional) != 0) {
    const auto optional = in.bytes(4);
    if (!optional) return not_udp(NotUdp::malformed);
    std::uint8_t next = ((*head)[0] & kExtension) != 0 ? (*optional)[3] : 0;
    while (next != 0) {
      const auto units = in.u8();
      if (!units || *units == 0) return not_udp(NotUdp::malformed);
      const auto rest = in.bytes(4u * *units - 1u);
      if (!rest) return not_udp(NotUdp::malformed);
      next = rest->back();
    }
  }
  return ip(in);
}

}  // namespace mxp::dump
