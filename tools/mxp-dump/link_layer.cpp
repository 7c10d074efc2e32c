#include "mxp-dump/link_layer.h"

#include <algorithm>
#include <array>
#include <optional>
#include <span>

#include "core/cursor.h"

namespace mxp::dump {
namespace {

// https://www.tcpdump.org/linktypes.html
enum LinkType : std::uint32_t {
  kNull = 0,
  kEthernet = 1,
  kDltRaw = 12,
  kDltRawOpenBsd = 14,
  kRaw = 101,
  kLoop = 108,
  kLinuxSll = 113,
  kIpv4 = 228,
  kIpv6 = 229,
  kLinuxSll2 = 276,
};
constexpr std::uint16_t kEtherIpv4 = 0x0800, kEtherIpv6 = 0x86dd, kEtherVlan = 0x8100, kEtherQinq = 0x88a8,
                        kEtherQinqOld = 0x9100;
constexpr std::uint8_t kUdp = 17;
// IPv6 extension headers that have one form: next header, then the length in units of eight bytes beyond the first.
constexpr std::uint8_t kHopByHop = 0, kRouting = 43, kFragment = 44, kAuthentication = 51, kDestinationOptions = 60,
                       kMobility = 135, kHip = 139, kShim6 = 140;

using Found = std::expected<UdpDatagram, NoDatagram>;

Found not_udp(NotUdp why) { return std::unexpected(NoDatagram{why, {}}); }

// Protocols that may carry UDP inside and are not looked into.
struct Tunnel {
  std::uint16_t number;
  std::string_view name;
};
constexpr std::array kIpTunnels{Tunnel{4, "IPv4 in IP"}, Tunnel{41, "IPv6 in IP"}, Tunnel{47, "GRE"},
                                Tunnel{50, "IPsec ESP"}, Tunnel{51, "IPsec AH"},   Tunnel{97, "EtherIP"},
                                Tunnel{115, "L2TP"},     Tunnel{137, "MPLS in IP"}};
constexpr std::array kEtherTunnels{Tunnel{0x6558, "bridged Ethernet"},
                                   Tunnel{0x8847, "MPLS"},
                                   Tunnel{0x8848, "MPLS"},
                                   Tunnel{0x8864, "PPPoE"},
                                   Tunnel{0x88e5, "MACsec"},
                                   Tunnel{0x88e7, "provider backbone bridge"},
                                   Tunnel{0x894f, "NSH"}};
constexpr std::array kUdpTunnels{
    Tunnel{1701, "L2TP"},        Tunnel{2152, "GTP-U"}, Tunnel{3544, "Teredo"},    Tunnel{4500, "IPsec NAT traversal"},
    Tunnel{4754, "GRE in UDP"},  Tunnel{4789, "VXLAN"}, Tunnel{4790, "VXLAN-GPE"}, Tunnel{6081, "Geneve"},
    Tunnel{6635, "MPLS in UDP"}, Tunnel{8472, "VXLAN"}, Tunnel{51820, "WireGuard"}};

std::string_view tunnel_name(std::span<const Tunnel> tunnels, std::uint16_t number) {
  const auto found = std::find_if(tunnels.begin(), tunnels.end(), [&](const Tunnel& t) { return t.number == number; });
  return found == tunnels.end() ? std::string_view() : found->name;
}

Found other_protocol(std::span<const Tunnel> tunnels, std::uint16_t number) {
  const std::string_view name = tunnel_name(tunnels, number);
  return std::unexpected(NoDatagram{name.empty() ? NotUdp::other_protocol : NotUdp::tunnel, name});
}

std::optional<std::uint16_t> be16(Reader& in) {
  const auto two = in.bytes(2);
  if (!two) return std::nullopt;
  return static_cast<std::uint16_t>((*two)[0] << 8 | (*two)[1]);
}

SocketAddress address_of(AddressFamily family, ByteView ip) {
  SocketAddress address;
  address.family = family;
  std::copy(ip.begin(), ip.end(), address.ip.begin());
  return address;
}

// `length` is what IP says is left for UDP; `in` may hold less than that, and never more.
Found read_udp(Reader in, std::size_t length, SocketAddress source, SocketAddress destination, bool fragment) {
  const auto source_port = be16(in), destination_port = be16(in), udp_length = be16(in), checksum = be16(in);
  if (!checksum) return not_udp(NotUdp::malformed);
  source.port = *source_port;
  destination.port = *destination_port;
  std::size_t payload = *udp_length;
  if (payload == 0) payload = length;  // RFC 2675 §4: a jumbogram's length is IP's
  if (payload < 8 || (!fragment && payload > length)) return not_udp(NotUdp::malformed);
  payload -= 8;
  return UdpDatagram{source, destination, in.rest().first(std::min(payload, in.remaining())),
                     static_cast<std::uint32_t>(payload), fragment};
}

// RFC 791.
Found read_ipv4(Reader in) {
  const ByteView whole = in.rest();
  const auto head = in.bytes(20);
  if (!head) return not_udp(NotUdp::malformed);
  const std::size_t header_size = 4u * ((*head)[0] & 0x0fu);
  std::size_t total = static_cast<std::size_t>((*head)[2]) << 8 | (*head)[3];
  if (total == 0) total = whole.size();  // written by a machine that leaves the length to its network card
  const std::uint16_t fragment = static_cast<std::uint16_t>((*head)[6] << 8 | (*head)[7]);
  if (header_size < 20 || total < header_size) return not_udp(NotUdp::malformed);
  if ((*head)[9] != kUdp) return other_protocol(kIpTunnels, (*head)[9]);
  if ((fragment & 0x1fff) != 0) return not_udp(NotUdp::later_fragment);
  if (whole.size() < header_size) return not_udp(NotUdp::malformed);
  const ByteView body = whole.first(std::min(total, whole.size())).subspan(header_size);
  return read_udp(Reader(body), total - header_size, address_of(AddressFamily::ipv4, head->subspan(12, 4)),
                  address_of(AddressFamily::ipv4, head->subspan(16, 4)), (fragment & 0x2000) != 0);
}

bool is_extension(std::uint8_t next) {
  switch (next) {
    case kHopByHop:
    case kRouting:
    case kFragment:
    case kAuthentication:
    case kDestinationOptions:
    case kMobility:
    case kHip:
    case kShim6: return true;
    default: return false;
  }
}

// RFC 8200. Each turn of the loop consumes at least eight bytes.
Found read_ipv6(Reader in) {
  const auto head = in.bytes(40);
  if (!head) return not_udp(NotUdp::malformed);
  std::size_t left = static_cast<std::size_t>((*head)[4]) << 8 | (*head)[5];
  if (left == 0) left = in.remaining();  // RFC 2675
  in = Reader(in.rest().first(std::min(left, in.remaining())));
  std::uint8_t next = (*head)[6];
  bool first_fragment = false;
  while (next != kUdp) {
    if (!is_extension(next)) return other_protocol(kIpTunnels, next);
    const auto extension = in.bytes(8);
    if (!extension) return not_udp(NotUdp::malformed);
    std::size_t size = 8;
    switch (next) {
      case kFragment:
        if (((*extension)[2] << 8 | ((*extension)[3] & 0xf8)) != 0) return not_udp(NotUdp::later_fragment);
        first_fragment = ((*extension)[3] & 1) != 0;
        break;
      case kAuthentication: size = std::max<std::size_t>(8, 4u * ((*extension)[1] + 2u)); break;
      default: size = 8u * ((*extension)[1] + 1u); break;
    }
    if (size > left || !in.bytes(size - 8)) return not_udp(NotUdp::malformed);
    left -= size;
    next = (*extension)[0];
  }
  return read_udp(in, left, address_of(AddressFamily::ipv6, head->subspan(8, 16)),
                  address_of(AddressFamily::ipv6, head->subspan(24, 16)), first_fragment);
}

Found read_ip(Reader in) {
  if (in.empty()) return not_udp(NotUdp::malformed);
  switch (in.rest().front() >> 4) {
    case 4: return read_ipv4(in);
    case 6: return read_ipv6(in);
    default: return not_udp(NotUdp::other_protocol);
  }
}

// `type` was read from where the packet says it, and the payload follows in `in`.
Found read_ethertype(Reader in, std::optional<std::uint16_t> type) {
  while (type == kEtherVlan || type == kEtherQinq || type == kEtherQinqOld) {
    if (!be16(in)) return not_udp(NotUdp::malformed);
    type = be16(in);
  }
  if (!type) return not_udp(NotUdp::malformed);
  if (*type != kEtherIpv4 && *type != kEtherIpv6) return other_protocol(kEtherTunnels, *type);
  return read_ip(in);
}

}  // namespace

std::string_view udp_tunnel(const UdpDatagram& datagram) {
  const std::string_view by_destination = tunnel_name(kUdpTunnels, datagram.destination.port);
  return by_destination.empty() ? tunnel_name(kUdpTunnels, datagram.source.port) : by_destination;
}

std::expected<UdpDatagram, NoDatagram> find_udp(std::uint32_t link_type, ByteView packet) {
  Reader in(packet);
  switch (link_type) {
    case kEthernet:
    case kLinuxSll: {
      if (!in.bytes(link_type == kEthernet ? 12 : 14)) return not_udp(NotUdp::malformed);
      const auto type =
          be16(in);  // before `in` is copied: the order in which arguments are evaluated is the compiler's
      return read_ethertype(in, type);
    }
    case kLinuxSll2: {
      const auto type = be16(in);
      if (!in.bytes(18)) return not_udp(NotUdp::malformed);
      return read_ethertype(in, type);
    }
    case kNull:
    case kLoop:
      // The number of the address family differs between systems, and its byte order between machines. IP's own version
      // nibble does not.
      if (!in.bytes(4)) return not_udp(NotUdp::malformed);
      return read_ip(in);
    case kRaw:
    case kDltRaw:
    case kDltRawOpenBsd: return read_ip(in);
    case kIpv4: return read_ipv4(in);
    case kIpv6: return read_ipv6(in);
    default: return not_udp(NotUdp::unknown_link_type);
  }
}

}  // namespace mxp::dump
