// The walk from the outermost header of one packet inwards. Each step reads one header and calls the next step; every
// step consumes bytes, and the number of steps is bounded, so that a packet cannot make the walk deep.
#pragma once

#include <cstdint>
#include <optional>

#include "core/cursor.h"
#include "mxp-dump/link/fragments.h"
#include "mxp-dump/link/udp_datagram.h"

namespace mxp::dump {

class PacketWalk {
 public:
  // How many headers of the layers below UDP are gone through, all tunnels together. Our choice: real packets have
  // fewer than ten.
  static constexpr int kMaxSteps = 24;

  // Without `fragments` none are kept, and a first fragment is a datagram of which the rest is missing.
  PacketWalk(const CapturedPacket& packet, Fragments* fragments) : packet_(packet), fragments_(fragments) {}

  FoundUdp run() { return link(packet_.link_type, Reader(packet_.bytes)); }

 private:
  // link_types.cpp
  FoundUdp link(std::uint32_t link_type, Reader in);
  FoundUdp cooked(std::uint16_t hardware, std::uint16_t protocol, Reader in);
  FoundUdp ppp(Reader in);
  FoundUdp ppp_protocol(std::uint16_t protocol, Reader in);
  FoundUdp packet_tap(Reader in);
  FoundUdp netfilter_log(Reader in);
  // wireless.cpp
  FoundUdp radiotap(Reader in);
  FoundUdp per_packet_information(Reader in);
  FoundUdp wireless(Reader in, std::size_t padded_to);
  // ether.cpp
  FoundUdp ethernet(Reader in);
  FoundUdp ethertype(std::uint16_t type, Reader in);
  FoundUdp llc(Reader in);
  FoundUdp mpls(Reader in);
  FoundUdp pppoe(Reader in);
  // network.cpp
  FoundUdp ip(Reader in);
  FoundUdp ipv4(Reader in);
  FoundUdp ipv6(Reader in);
  struct Network {
    SocketAddress source, destination;
    std::size_t left = 0;  // bytes that IP says follow; what was captured may be fewer, and never more
    bool fragment = false;
    std::uint32_t fragments = 0;
  };
  FoundUdp ipv6_headers(std::uint8_t next, Reader in, Network network);
  FoundUdp transport(std::uint8_t protocol, Reader in, const Network& network);
  FoundUdp udp(Reader in, const Network& network);
  // Keeps a fragment, and goes on with the whole datagram if it was the last one that was missing.
  FoundUdp fragment(const FragmentKey& key, const Fragment& part, std::uint8_t protocol, const Network& network);
  // tunnels.cpp
  FoundUdp ip_tunnel(std::uint8_t protocol, Reader in, const Network& network);
  FoundUdp gre(Reader in);
  FoundUdp gre_payload(std::uint16_t protocol, bool has_sequence, Reader in);
  FoundUdp erspan_3(Reader in);
  // Nothing if the datagram is no tunnel's after all.
  std::optional<FoundUdp> in_datagram(const UdpDatagram& datagram);
  std::optional<FoundUdp> vxlan(Reader in, bool generic);
  std::optional<FoundUdp> geneve(Reader in);
  std::optional<FoundUdp> gtp_user_plane(Reader in);

  const CapturedPacket& packet_;
  Fragments* fragments_;
  int steps_ = 0;
  bool in_fragment_ = false;  // an outer packet lacks its other fragments
  bool reassembled_ = false;  // what is walked is no longer part of packet_.bytes
};

inline FoundUdp not_udp(NotUdp why) { return std::unexpected(NoDatagram{why, {}}); }
inline FoundUdp not_looked_into(std::string_view name) { return std::unexpected(NoDatagram{NotUdp::tunnel, name}); }

inline std::optional<std::uint16_t> be16(Reader& in) {
  const auto two = in.bytes(2);
  if (!two) return std::nullopt;
  return static_cast<std::uint16_t>((*two)[0] << 8 | (*two)[1]);
}

}  // namespace mxp::dump
