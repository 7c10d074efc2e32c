// IPv4, IPv6 and UDP headers.
#include <algorithm>

#include "mxp-dump/link/packet_walk.h"

namespace mxp::dump {
namespace {

constexpr std::uint8_t kUdp = 17;
// IPv6 extension headers that have one form: next header, then the length in units of eight bytes beyond the first.
constexpr std::uint8_t kHopByHop = 0, kRouting = 43, kFragmentHeader = 44, kAuthentication = 51,
                       kDestinationOptions = 60, kMobility = 135, kHip = 139, kShim6 = 140;

SocketAddress address_of(AddressFamily family, ByteView bytes) {
  SocketAddress address;
  address.family = family;
  std::copy(bytes.begin(), bytes.end(), address.ip.begin());
  return address;
}

bool is_extension(std::uint8_t next) {
  switch (next) {
    case kHopByHop:
    case kRouting:
    case kFragmentHeader:
    case kAuthentication:
    case kDestinationOptions:
    case kMobility:
    case kHip:
    case kShim6: return true;
    default: return false;
  }
}

// Whether a datagram of this protocol may hold what is looked for, so that its fragments are worth keeping.
bool may_hold_udp(std::uint8_t protocol) {
  switch (protocol) {
    case kUdp:
    case 4:
    case 41:
    case 47:
    case 97:
    case 137: return true;
    default: return is_extension(protocol);
  }
}

FragmentKey key_of(AddressFamily family, ByteView source, ByteView destination, std::uint8_t protocol,
                   std::uint32_t id) {
  FragmentKey key{.family = family, .protocol = protocol, .id = id};
  std::copy(source.begin(), source.end(), key.source.begin());
  std::copy(destination.begin(), destination.end(), key.destination.begin());
  return key;
}

std::uint32_t be32(ByteView bytes) {
  return std::uint32_t{bytes[0]} << 24 | std::uint32_t{bytes[1]} << 16 | std::uint32_t{bytes[2]} << 8 | bytes[3];
}

}  // namespace

FoundUdp PacketWalk::ip(Reader in) {
  if (in.empty()) return not_udp(NotUdp::malformed);
  switch (in.rest().front() >> 4) {
    case 4: return ipv4(in);
    case 6: return ipv6(in);
    default: return not_udp(NotUdp::other_protocol);
  }
}

// RFC 791.
FoundUdp PacketWalk::ipv4(Reader in) {
  if (++steps_ > kMaxSteps) return not_looked_into("tunnels nested too deep");
  const ByteView whole = in.rest();
  const auto read = in.bytes(20);
  if (!read) return not_udp(NotUdp::malformed);
  const ByteView head = *read;
  const std::size_t header_size = 4u * (head[0] & 0x0fu);
  std::size_t total = static_cast<std::size_t>(head[2]) << 8 | head[3];
  if (total == 0) total = whole.size();  // written by a machine that leaves the length to its network card
  if (header_size < 20 || total < header_size) return not_udp(NotUdp::malformed);
  const std::uint8_t protocol = head[9];
  const auto flags = static_cast<std::uint16_t>(head[6] << 8 | head[7]);
  const bool more = (flags & 0x2000) != 0;
  const std::size_t offset = 8u * (flags & 0x1fffu);
  Network network{address_of(AddressFamily::ipv4, head.subspan(12, 4)),
                  address_of(AddressFamily::ipv4, head.subspan(16, 4)), total - header_size};
  if (!more && offset == 0) {
    if (whole.size() < header_size && protocol == kUdp) return not_udp(NotUdp::malformed);
    return transport(protocol,
                     Reader(whole.first(std::min(total, whole.size())).subspan(std::min(header_size, whole.size()))),
                     network);
  }
  if (!may_hold_udp(protocol)) return transport(protocol, Reader({}), network);
  if (whole.size() < header_size) return not_udp(NotUdp::malformed);
  const ByteView body = whole.first(std::min(total, whole.size())).subspan(header_size);
  return fragment(key_of(AddressFamily::ipv4, head.subspan(12, 4), head.subspan(16, 4), protocol,
                         static_cast<std::uint32_t>(head[4] << 8 | head[5])),
                  {.offset = offset, .length = network.left, .last = !more, .body = body}, protocol, network);
}

// RFC 8200.
FoundUdp PacketWalk::ipv6(Reader in) {
  if (++steps_ > kMaxSteps) return not_looked_into("tunnels nested too deep");
  const auto head = in.bytes(40);
  if (!head) return not_udp(NotUdp::malformed);
  std::size_t left = static_cast<std::size_t>((*head)[4]) << 8 | (*head)[5];
  if (left == 0) left = in.remaining();  // RFC 2675
  const Network network{address_of(AddressFamily::ipv6, head->subspan(8, 16)),
                        address_of(AddressFamily::ipv6, head->subspan(24, 16)), left};
  return ipv6_headers((*head)[6], Reader(in.rest().first(std::min(left, in.remaining()))), network);
}

// Each turn of the loop consumes at least eight bytes.
FoundUdp PacketWalk::ipv6_headers(std::uint8_t next, Reader in, Network network) {
  while (is_extension(next)) {
    const auto extension = in.bytes(8);
    if (!extension) return not_udp(NotUdp::malformed);
    std::size_t size = 8;
    if (next == kAuthentication) size = std::max<std::size_t>(8, 4u * ((*extension)[1] + 2u));
    else if (next != kFragmentHeader) size = 8u * ((*extension)[1] + 1u);
    if (size > network.left || !in.bytes(size - 8)) return not_udp(NotUdp::malformed);
    network.left -= size;
    const std::uint8_t following = (*extension)[0];
    if (next == kFragmentHeader) {
      const std::size_t offset = static_cast<std::size_t>((*extension)[2] << 8 | ((*extension)[3] & 0xf8));
      const bool more = ((*extension)[3] & 1) != 0;
      if (more || offset != 0) {
        if (!may_hold_udp(following)) return transport(following, Reader({}), network);
        return fragment(key_of(AddressFamily::ipv6, ByteView(network.source.ip).first(16),
                               ByteView(network.destination.ip).first(16), following, be32(extension->subspan(4))),
                        {.offset = offset, .length = network.left, .last = !more, .body = in.rest()}, following,
                        network);
      }
    }
    next = following;
  }
  return transport(next, in, network);
}

FoundUdp PacketWalk::fragment(const FragmentKey& key, const Fragment& part, std::uint8_t protocol,
                              const Network& network) {
  const auto go_on = [&](Reader in, const Network& with) {
    return key.family == AddressFamily::ipv6 ? ipv6_headers(protocol, in, with) : transport(protocol, in, with);
  };
  if (reassembled_) return not_looked_into("fragments in fragments");
  if (fragments_ != nullptr) {
    const auto whole = fragments_->add(key, part, packet_);
    if (!whole) return not_udp(NotUdp::held_fragment);
    reassembled_ = true;
    Network with = network;
    with.left = whole->length;
    with.fragments = whole->fragments;
    return go_on(Reader(whole->body), with);
  }
  if (part.offset != 0) return not_udp(NotUdp::held_fragment);
  in_fragment_ = true;
  return go_on(Reader(part.body), network);
}

FoundUdp PacketWalk::transport(std::uint8_t protocol, Reader in, const Network& network) {
  return protocol == kUdp ? udp(in, network) : ip_tunnel(protocol, in, network);
}

// `network.left` is what IP says is left for UDP; `in` may hold less than that, and never more.
FoundUdp PacketWalk::udp(Reader in, const Network& network) {
  const auto source_port = be16(in), destination_port = be16(in), udp_length = be16(in), checksum = be16(in);
  if (!checksum) return not_udp(NotUdp::malformed);
  UdpDatagram datagram{network.source, network.destination, {}};
  datagram.source.port = *source_port;
  datagram.destination.port = *destination_port;
  std::size_t payload = *udp_length;
  if (payload == 0) payload = network.left;  // RFC 2675 §4: a jumbogram's length is IP's
  if (payload < 8 || (!in_fragment_ && payload > network.left)) return not_udp(NotUdp::malformed);
  payload -= 8;
  datagram.payload = in.rest().first(std::min(payload, in.remaining()));
  datagram.length = static_cast<std::uint32_t>(payload);
  datagram.fragment = in_fragment_;
  datagram.fragments = network.fragments;
  if (auto inner = in_datagram(datagram)) {
    if (*inner && (*inner)->fragments == 0) (*inner)->fragments = datagram.fragments;
    return *inner;
  }
  return datagram;
}

}  // namespace mxp::dump
