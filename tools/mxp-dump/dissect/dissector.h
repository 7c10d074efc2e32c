// The way of the packets through the tool, one datagram at a time:
//   1. is it MXP? Handshake packets show it themselves; 1-RTT packets by a known connection, a key log's id, or --port
//   2. which connection, which direction (ConnectionTable); several packets in one datagram are taken apart
//   3. with a key: open it, recover its number and key phase, read its frames
//   4. hold it against what was seen before: duplicate, repeated data, acknowledged numbers
//
// A file is surveyed first, so that 1 and 2 know the whole of it; a pipe or an interface cannot be.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "mxp-dump/capture/captured_packet.h"
#include "mxp-dump/dissect/connection_table.h"
#include "mxp-dump/dissect/key_ring.h"
#include "mxp-dump/dissect/lost_packets.h"
#include "mxp-dump/dissect/record.h"
#include "mxp-dump/link/udp_datagram.h"

namespace mxp::dump {

class Dissector {
 public:
  using Sink = std::function<void(const PacketRecord&)>;

  // `port`: datagrams from or to this port are taken for MXP if their form allows it. 0 means none.
  Dissector(KeyRing& keys, std::uint16_t port, ConnectionTable::Forget forget)
      : keys_(keys),
        port_(port),
        table_(std::move(forget), [this](ConnectionId id) { return keys_.find(id) != nullptr; }) {}

  // Notes what a datagram tells of connections and their ids. Either all datagrams of a capture are surveyed before the
  // first is dissected, or none is.
  void survey(const CapturedPacket& packet, const UdpDatagram& datagram);
  void end_survey();

  // Calls `sink` for each packet of MXP in the datagram: usually one, and more if the capture holds a GSO batch. False
  // if it is not MXP.
  bool dissect(const CapturedPacket& packet, const UdpDatagram& datagram, const Sink& sink);

  // Both before the first packet: to keep the numbers of lost packets, and to say of each packet whether it was lost,
  // as another dissector that has seen the whole capture found.
  void remember_lost() { remember_lost_ = true; }
  void tell_lost(const LostPackets* lost) { lost_ = lost; }
  // Before the first packet: who opens packets ahead of this.
  void open_ahead(AheadOpener* opener) { opener_ = opener; }

  const ConnectionTable& table() const { return table_; }
  // How many handshake messages were cut before their connection id, so that they belong to no connection.
  std::uint64_t cut_headers() const { return cut_headers_; }

 private:
  using Found = ConnectionTable::Found;
  struct ShortPacket {
    Found found;
    ConnectionId destination;  // the right one, whatever stands in the packet
    explicit operator bool() const { return static_cast<bool>(found); }
  };

  void handshake(ByteView payload, const Sink& sink);
  void damaged_handshake(Found found, ByteView payload, const Sink& sink);
  void read_handshake_header(ByteView payload);
  void count_handshake(Found found, const HandshakeCopy& copy);
  bool other_than_handshake(ByteView payload, const Sink& sink);
  ShortPacket find_short(ByteView payload, ConnectionId destination, const Endpoints& endpoints);
  ShortPacket find_damaged(ByteView payload, ConnectionId destination, const Endpoints& endpoints);
  void short_datagram(ByteView payload, const ShortPacket& to, const Sink& sink);
  void short_packet(ByteView packet, const ShortPacket& to);
  static ConnectionId key_id(const Side& side, const ShortPacket& to);
  const OpenedAhead* opened_ahead(ByteView packet);
  bool is_copy(ByteView bytes, Found found);
  void repair(ByteView packet, const ShortPacket& to);
  void opened_packet(const PacketDecryptor::Opened& opened, Found found);
  void note_phase(Side& side, std::uint32_t phase);
  void read_frames(ByteView payload, Found found, bool first_sight);
  void count(Found found);
  void clear_record();
  Endpoints endpoints() const { return {record_.source, record_.destination}; }

  KeyRing& keys_;
  std::uint16_t port_;
  ConnectionTable table_;
  bool surveyed_ = false, remember_lost_ = false;
  std::size_t surveyed_segment_size_ = 0;  // of the latest batch that the survey saw, of any connection
  const LostPackets* lost_ = nullptr;
  AheadOpener* opener_ = nullptr;
  std::span<const OpenedAhead> opened_ahead_;  // of the present datagram, in the order of its packets
  std::uint64_t cut_headers_ = 0;
  PacketRecord record_;
  std::vector<std::uint8_t> scratch_, repaired_;
};

}  // namespace mxp::dump
