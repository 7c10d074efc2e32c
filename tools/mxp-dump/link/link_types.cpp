// The outermost header, by the link type of the capture: https://www.tcpdump.org/linktypes.html
#include <algorithm>

#include "mxp-dump/link/packet_walk.h"

namespace mxp::dump {
namespace {

struct LinkType {
  enum Number : std::uint32_t {
    kNull = 0,
    kEthernet = 1,
    kPpp = 9,
    kDltRaw = 12,
    kDltRawOpenBsd = 14,
    kPppHdlc = 50,
    kPppOverEthernet = 51,
    kAtmLlc = 100,
    kRaw = 101,
    kCiscoHdlc = 104,
    kWireless = 105,
    kLoop = 108,
    kLinuxSll = 113,
    kPacketFilterLog = 117,
    kRadiotap = 127,
    kPppLinuxDaemon = 166,
    kPerPacketInformation = 192,
    kPppWithDirection = 204,
    kIpv4 = 228,
    kIpv6 = 229,
    kNetfilterLog = 239,
    kPacketTap = 258,
    kLinuxSll2 = 276,
  };
};

// The kinds of interface of Linux (linux/if_arp.h), where they decide how a cooked packet goes on.
constexpr std::uint16_t kArphrdPpp = 512, kArphrdGre = 778, kArphrdWireless = 801, kArphrdWirelessRadiotap = 803,
                        kArphrdIp6Gre = 823;
// What Linux says in place of an Ethernet type: any protocol; 802.3 without LLC; 802.2 (linux/if_ether.h).
constexpr std::uint16_t kSllNovell = 1, kSllAll = 3, kSllLlc = 4, kSllPpp = 7, kLeastEtherType = 0x0600;

// Whether an IP header may begin here, with a length that the packet can have.
bool looks_like_ip(ByteView bytes) {
  if (bytes.size() < 20) return false;
  if (bytes[0] >> 4 == 4) return (bytes[0] & 0x0f) >= 5 && (bytes[2] << 8 | bytes[3]) >= 20;
  return bytes[0] >> 4 == 6 && bytes.size() >= 40;
}

}  // namespace

FoundUdp PacketWalk::link(std::uint32_t link_type, Reader in) {
  if (++steps_ > kMaxSteps) return not_looked_into("tunnels nested too deep");
  switch (link_type) {
    case LinkType::kEthernet: return ethernet(in);
    case LinkType::kRaw:
    case LinkType::kDltRaw:
    case LinkType::kDltRawOpenBsd: return ip(in);
    case LinkType::kIpv4: return ipv4(in);
    case LinkType::kIpv6: return ipv6(in);
    case LinkType::kNull:
    case LinkType::kLoop:
      // The number of the address family differs between systems, and its byte order between machines. IP's own version
      // nibble does not.
      return in.bytes(4) ? ip(in) : not_udp(NotUdp::malformed);
    case LinkType::kLinuxSll: {
      const auto kind = be16(in), hardware = be16(in);
      if (!kind || !in.bytes(10)) return not_udp(NotUdp::malformed);
      const auto protocol = be16(in);
      return protocol ? cooked(*hardware, *protocol, in) : not_udp(NotUdp::malformed);
    }
    case LinkType::kLinuxSll2: {
      const auto protocol = be16(in);
      if (!in.bytes(6)) return not_udp(NotUdp::malformed);
      const auto hardware = be16(in);
      return in.bytes(10) ? cooked(*hardware, *protocol, in) : not_udp(NotUdp::malformed);
    }
    case LinkType::kPpp:
    case LinkType::kPppHdlc: return ppp(in);
    case LinkType::kPppWithDirection: return in.u8() ? ppp(in) : not_udp(NotUdp::malformed);
    case LinkType::kPppLinuxDaemon:
      return in.bytes(2) ? ppp(in) : not_udp(NotUdp::malformed);  // the direction, and HDLC's 3
    case LinkType::kPppOverEthernet: return pppoe(in);
    case LinkType::kCiscoHdlc: {
      if (!in.bytes(2)) return not_udp(NotUdp::malformed);
      const auto type = be16(in);
      return type ? ethertype(*type, in) : not_udp(NotUdp::malformed);
    }
    case LinkType::kAtmLlc: return llc(in);
    case LinkType::kPacketFilterLog: {
      const auto size = in.u8();  // without its padding
      return size && *size >= 1 && in.bytes(((*size + 3u) & ~3u) - 1u) ? ip(in) : not_udp(NotUdp::malformed);
    }
    case LinkType::kWireless: return wireless(in, 1);
    case LinkType::kRadiotap: return radiotap(in);
    case LinkType::kPerPacketInformation: return per_packet_information(in);
    case LinkType::kNetfilterLog: return netfilter_log(in);
    case LinkType::kPacketTap: return packet_tap(in);
    default: return not_udp(NotUdp::unknown_link_type);
  }
}

// A packet of an "any" interface. Its protocol is an Ethernet type, unless the kind of interface gives it another sense.
FoundUdp PacketWalk::cooked(std::uint16_t hardware, std::uint16_t protocol, Reader in) {
  switch (hardware) {
    case kArphrdWireless: return wireless(in, 1);
    case kArphrdWirelessRadiotap: return radiotap(in);
    case kArphrdGre:
    case kArphrdIp6Gre: return gre_payload(protocol, false, in);
    default: break;
  }
  if (protocol == kSllLlc) return llc(in);
  if (protocol == kSllPpp || (hardware == kArphrdPpp && protocol < kLeastEtherType && protocol != kSllAll))
    return ppp(in);
  // Some drivers (modems above all) do not say what they carry: a bare IP packet, or a whole Ethernet frame.
  if (protocol == kSllAll) return looks_like_ip(in.rest()) ? ip(in) : ethernet(in);
  if (protocol == kSllNovell) return not_udp(NotUdp::other_protocol);
  return ethertype(protocol, in);
}

// RFC 1661, RFC 1662: address and control may be there or not, and the protocol may be compressed to one byte.
FoundUdp PacketWalk::ppp(Reader in) {
  if (in.remaining() >= 2 && in.rest()[0] == 0xff && in.rest()[1] == 0x03) (void)in.bytes(2);
  const auto first = in.u8();
  if (!first) return not_udp(NotUdp::malformed);
  if ((*first & 1) != 0) return ppp_protocol(*first, in);
  const auto second = in.u8();
  return second ? ppp_protocol(static_cast<std::uint16_t>(*first << 8 | *second), in) : not_udp(NotUdp::malformed);
}

FoundUdp PacketWalk::ppp_protocol(std::uint16_t protocol, Reader in) {
  switch (protocol) {
    case 0x0021: return ipv4(in);
    case 0x0057: return ipv6(in);
    case 0x0281:
    case 0x0283: return mpls(in);
    case 0x003d: return not_looked_into("PPP multilink");
    case 0x0053:
    case 0x00fb:
    case 0x00fd: return not_looked_into("encrypted or compressed PPP");
    default: return not_udp(NotUdp::other_protocol);
  }
}

// Apple's: the length of this header, what follows it, the link type of that; in the byte order of the machine.
FoundUdp PacketWalk::packet_tap(Reader in) {
  constexpr std::size_t kLeast = 12, kMost = 4096;
  const ByteView whole = in.rest();
  const auto length = in.le<std::uint32_t>(), next = in.le<std::uint32_t>(), link_type = in.le<std::uint32_t>();
  if (!link_type) return not_udp(NotUdp::malformed);
  const bool turned = *length > kMost;
  const auto value = [turned](std::uint32_t number) { return turned ? __builtin_bswap32(number) : number; };
  if (value(*length) < kLeast || value(*length) > std::min(kMost, whole.size())) return not_udp(NotUdp::malformed);
  constexpr std::uint32_t kPacketFollows = 1;
  if (value(*next) != kPacketFollows) return not_udp(NotUdp::other_protocol);
  return link(value(*link_type), Reader(whole.subspan(value(*length))));
}

// Family, version, resource id, then fields of length, type and value; the packet is one of them. Length and type are in
// the byte order of the machine that wrote them.
FoundUdp PacketWalk::netfilter_log(Reader in) {
  constexpr std::uint16_t kPayload = 9, kTypeBits = 0x3fff;
  if (!in.bytes(4)) return not_udp(NotUdp::malformed);
  while (in.remaining() >= 4) {
    const ByteView rest = in.rest();
    std::size_t length = static_cast<std::size_t>(rest[0] | rest[1] << 8);
    std::uint16_t type = static_cast<std::uint16_t>((rest[2] | rest[3] << 8) & kTypeBits);
    // A small number read in the wrong order is a large one: types end far below 256.
    if (type >= 0x100) {
      length = static_cast<std::size_t>(rest[0] << 8 | rest[1]);
      type = static_cast<std::uint16_t>((rest[2] << 8 | rest[3]) & kTypeBits);
    }
    if (length < 4) return not_udp(NotUdp::malformed);
    if (type == kPayload) return ip(Reader(rest.subspan(4, std::min(length, rest.size()) - 4)));
    if (!in.bytes((length + 3) & ~std::size_t{3})) return not_udp(NotUdp::malformed);
  }
  return not_udp(NotUdp::malformed);
}

}  // namespace mxp::dump
