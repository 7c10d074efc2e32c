// The inbound flow of the tool, one datagram at a time:
//   1. is it MXP? Handshake packets show it themselves; 1-RTT packets by a known connection, a key log's id, or --port
//   2. which connection, which direction (FlowTable)
//   3. with a key: open it, recover its number and key phase, read its frames
//   4. hold it against what was seen before: duplicate, repeated data, acknowledged numbers
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <vector>

#include "mxp-dump/flow_table.h"
#include "mxp-dump/key_ring.h"
#include "mxp-dump/link_layer.h"
#include "mxp-dump/record.h"

namespace mxp::dump {

class Dissector {
 public:
  using Sink = std::function<void(const PacketRecord&)>;

  // `port`: datagrams from or to it are taken for MXP where their form allows it. 0: none.
  Dissector(KeyRing& keys, std::uint16_t port, FlowTable::Forget forget)
      : keys_(keys), port_(port), flows_(std::move(forget)) {}

  // Calls `sink` for each packet of MXP in the datagram: usually one, more where the capture holds a GSO batch. False
  // if it is not MXP.
  bool dissect(const CapturedPacket& packet, const UdpDatagram& datagram, const Sink& sink);

  const FlowTable& flows() const { return flows_; }

 private:
  bool is_handshake(ByteView payload) const;
  void handshake(ByteView payload, const Sink& sink);
  bool one_rtt(ByteView payload, const Sink& sink);
  void one_rtt_packet(ByteView packet, FlowTable::Found found, ConnectionId destination);
  FlowTable::Found find_connection(ConnectionId destination, const Endpoints& endpoints);
  bool make_decryptors(Side& side, const Connection& connection, ConnectionId destination);
  std::optional<PacketDecryptor::Opened> open(Side& side, ConnectionId destination, ByteView packet);
  void note_phase(Side& side, std::uint32_t phase);
  void read_frames(ByteView payload, FlowTable::Found found, bool first_sight);
  void count(FlowTable::Found found);

  KeyRing& keys_;
  std::uint16_t port_;
  FlowTable flows_;
  PacketRecord record_;
  std::vector<std::uint8_t> scratch_;
};

// The size of the equal packets (the last may be smaller) that a captured datagram is made of, where the capture was
// taken before segmentation or after coalescing: the same connection id at equal distances. Nothing if it is one
// packet.
std::optional<std::size_t> batch_segment_size(ByteView payload);

}  // namespace mxp::dump
