// One 1-RTT packet, built where it will be sent from: begin it, write frames through its writer, finish it, mask its
// header, and tell everybody who counts packets.
#pragma once

#include <cstddef>
#include <cstdint>

#include "connection/parts.h"
#include "core/cursor.h"
#include "mxp/ecn.h"

namespace mxp {

// How many of the last packets that a key may protect are kept for CLOSE. A closing side repeats its CLOSE three times and
// answers at doubling distances (threat t55), so a few are enough.
inline constexpr std::uint64_t kReservedForClose = 16;

// Closes the connection if its keys have protected all they may, but for what is kept. Returns whether it did.
bool closes_for_seal_limit(Parts& parts);

// A packet that is being built: its header is written, and its frames go through the writer.
struct OpenPacket {
  Writer writer;
  std::size_t header_size;
  PacketNumber number;
  std::uint64_t frames_begin;  // in the log of sent frames
};

// `space` is as large as the packet may become. `path`: where it will be sent.
OpenPacket begin_packet(Parts& parts, const Path& path, MutableBytes space);
// Pads the shortest packets (docs/protocol.md §3: number and plaintext have at least four bytes) and seals. Returns the
// size of the packet.
std::size_t finish_packet(Parts& parts, MutableBytes space, OpenPacket& open);
// What PacketSealer::protect_headers needs of a finished packet.
HeaderSlot header_slot(MutableBytes packet, const OpenPacket& open);

// For a packet that goes alone: finishes it and masks its header. Returns its size.
std::size_t seal_alone(Parts& parts, MutableBytes space, OpenPacket& open);
// A PING with its entry in the log of sent frames; false if it does not fit.
bool write_noted_ping(Parts& parts, Writer& writer);
// For probes: a peer that only waits for more packets before it acknowledges has nothing more to wait for. False if it
// does not fit or the peer does not take it.
bool write_immediate_ack(Parts& parts, Writer& writer);

struct BuiltPacket {
  PacketNumber number;
  std::uint64_t frames_begin;  // in the log of sent frames, up to its end
  std::size_t size_bytes;
  bool ack_eliciting;
  PacketKind kind = PacketKind::ordinary;
  Ecn ecn = Ecn::not_ect;  // of the datagram
};
// The mark of datagrams on `path` that the peer must acknowledge. All others are sent without: nobody would hear of it
// if the path dropped what is marked (docs/protocol.md §6).
Ecn mark_of(const Path& path);
// The packet goes out on `path`.
void note_sent(Parts& parts, Timestamp now, Path& path, const BuiltPacket& built);

}  // namespace mxp
