#include "mxp-dump/link/udp_finder.h"

#include "mxp-dump/link/packet_walk.h"

namespace mxp::dump {

FoundUdp UdpFinder::find_in(const CapturedPacket& packet) { return PacketWalk(packet, &fragments_).run(); }

FoundUdp UdpFinder::find_alone(const CapturedPacket& packet) { return find_udp(packet); }

FoundUdp find_udp(const CapturedPacket& packet) { return PacketWalk(packet, nullptr).run(); }

}  // namespace mxp::dump
