// What is known of one packet of MXP, which is what the writers print. Views are valid until the dissector sees the
// next packet.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/frames.h"
#include "mxp-dump/dissect/connection.h"

namespace mxp::dump {

enum class PacketType : std::uint8_t {
  initial,   // message 1 of the handshake
  response,  // message 2
  one_rtt,
  reserved,   // a handshake packet of a kind that version 1 reserves
  handshake,  // cut off or malformed before its fields
};
std::string_view to_string(PacketType type);

// How far the keys reached into a 1-RTT packet.
enum class Protection : std::uint8_t {
  none,  // a handshake packet
  opened,
  no_key,      // the key log does not have this id, or there is none
  key_misfit,  // the key log has it, and the packet does not verify
  incomplete,  // not all of the packet was captured
  damaged,     // bytes outside the encryption are wrong: its id, or the fixed bits of its first byte
};

struct PacketRecord {
  std::uint64_t frame = 0;
  std::optional<std::uint64_t> time_ns;  // since 1970
  SocketAddress source;
  SocketAddress destination;
  std::uint32_t length = 0;              // of the UDP payload on the wire
  std::uint32_t captured = 0;            // of it
  bool fragment = false;                 // the first one of an IP datagram, of which the rest is not in the capture
  std::uint32_t fragments = 0;           // of how many the datagram was put together
  std::optional<std::uint32_t> segment;  // from 0, where one captured datagram holds several (GSO, GRO)

  PacketType type = PacketType::one_rtt;
  std::uint64_t connection = 0;
  TrafficDirection direction = TrafficDirection::client_to_server;
  std::optional<ConnectionId> destination_id;  // 1-RTT
  std::optional<ConnectionId> client_id;       // handshake
  std::optional<std::uint8_t> suite;
  std::size_t token_size = 0;
  std::size_t ticket_size = 0;

  Protection protection = Protection::none;
  std::optional<PacketNumber> number;
  bool key_phase = false;       // the bit
  std::uint32_t phase = 0;      // as it is counted from 0; of a packet that was opened
  std::string turn;             // the first packet of its direction in a later key phase: what there is to say of it
  bool duplicate = false;       // this packet was seen on this path before
  bool seen_before = false;     // the same number was seen before, on whatever path
  bool damaged = false;         // it differs from what its sender sent
  std::optional<bool> lost;     // it was never acknowledged; only of a file, and only if LostPackets was asked for
  bool retransmission = false;  // it repeats a handshake message, or stream data of another packet
  std::vector<Frame> frames;    // with their types as on the wire beside them
  std::vector<std::string> notes;
  ByteView bytes;  // the packet as it was captured
  ByteView plain;  // its frames, where it was opened

  bool truncated() const { return captured < length; }
  bool asks_for_ack() const { return std::ranges::any_of(frames, is_ack_eliciting); }
  bool from_client() const { return direction == TrafficDirection::client_to_server; }
  const SocketAddress& client() const { return from_client() ? source : destination; }
  const SocketAddress& server() const { return from_client() ? destination : source; }
};

}  // namespace mxp::dump
