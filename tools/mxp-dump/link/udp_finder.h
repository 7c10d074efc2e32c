// From captured packets to the UDP datagrams in them: link layers, IPv4 with options, IPv6 with extension headers,
// fragments put together, tunnels. Nothing is trusted: every length is compared with what was captured.
//
//   link_types.cpp  what the capture calls the packet: Ethernet, "any" interfaces, PPP, NFLOG, PKTAP, …
//   wireless.cpp    802.11 frames, with or without radiotap
//   ether.cpp       what an Ethernet type announces: IP, VLAN, MPLS, PPPoE; LLC and SNAP
//   network.cpp     IPv4, IPv6 and UDP headers
//   tunnels.cpp     packets in packets: GRE, ERSPAN, IP in IP, VXLAN, Geneve, GTP-U, …
//   fragments.cpp   fragments that wait for their datagram
#pragma once

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "mxp-dump/capture/captured_packet.h"
#include "mxp-dump/link/fragments.h"
#include "mxp-dump/link/udp_datagram.h"

namespace mxp::dump {

class UdpFinder {
 public:
  // Calls `look(packet, found)` for `packet`, and before that for each earlier packet that has waited in vain for the
  // other fragments of its datagram. Views are valid until the next call.
  template <typename Look>
  void find(const CapturedPacket& packet, Look look) {
    if (packet.time_ns) fragments_.expire(*packet.time_ns);
    const FoundUdp found = find_in(packet);
    hand_out_given_up(look);
    look(packet, found);
  }
  // The input has ended: what still waits is handed out.
  template <typename Look>
  void finish(Look look) {
    fragments_.give_up_all();
    hand_out_given_up(look);
  }

  // The frames before the one in which the last datagram was found, if it came in fragments.
  std::vector<CapturedPacket> earlier_frames() const { return fragments_.earlier_frames(); }
  std::size_t fragment_bytes() const { return fragments_.bytes(); }
  std::size_t waiting_datagrams() const { return fragments_.waiting(); }
  const Fragments::Counts& fragment_counts() const { return fragments_.counts(); }

 private:
  FoundUdp find_in(const CapturedPacket& packet);
  static FoundUdp find_alone(const CapturedPacket& packet);

  template <typename Look>
  void hand_out_given_up(Look look) {
    while (const auto first = fragments_.take_first()) look(first->packet, find_alone(first->packet));
  }

  Fragments fragments_;
};

// One packet by itself; the first fragment of a datagram is found as such.
FoundUdp find_udp(const CapturedPacket& packet);
inline FoundUdp find_udp(std::uint32_t link_type, ByteView bytes) {
  CapturedPacket packet;
  packet.link_type = link_type;
  packet.bytes = bytes;
  return find_udp(packet);
}

// The name of the tunnel to which a UDP datagram belongs by its port, or nothing. For datagrams that are neither MXP nor
// were looked into.
std::string_view udp_tunnel(const UdpDatagram& datagram);

}  // namespace mxp::dump
