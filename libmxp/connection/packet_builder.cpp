#include "connection/packet_builder.h"

#include <algorithm>

#include "connection/flows.h"
#include "connection/trace_packets.h"
#include "core/frame_writer.h"
#include "core/packet_number.h"

namespace mxp {

namespace {

// Packets that are sent later may overtake this one, and its number must still be recovered then (RFC 9000 §17.1): a
// window of them and, while it doubles, two more. What is acknowledged says little of how many are under way, because
// it may have overtaken others too. And ACKs that go back by the thousand are in no window: after the first packets one
// byte is never enough.
constexpr std::uint64_t kOvertakingRoom = 4;
constexpr std::uint64_t kFirstPackets = 32;

std::size_t number_size(const Parts& parts, PacketNumber number, std::uint64_t window_packets) {
  const auto acknowledged = parts.recovery.largest_acknowledged();
  const std::uint64_t distance = acknowledged ? number.value() - acknowledged->value() : number.value() + 1;
  const std::uint64_t under_way = std::max({distance, window_packets, std::min(number.value(), kFirstPackets)});
  return packet_number_size(PacketNumber(number.value() + kOvertakingRoom * under_way), acknowledged);
}

}  // namespace

bool closes_for_seal_limit(Parts& parts) {
  if (!parts.keys->sealer.seal_limit_reached(kReservedForClose)) return false;
  close_by_error(parts, {TransportErrorCode::aead_limit_reached, 0, "these keys have protected all they may"});
  return true;
}

OpenPacket begin_packet(Parts& parts, const Path& path, MutableBytes space) {
  const std::uint64_t window_packets = path.control.congestion_window() / path.control.datagram_size();
  const PacketNumber number = parts.numbers.take(window_packets);
  const std::size_t bytes = number_size(parts, number, window_packets);
  Writer writer(space.first(space.size() - kTagSize));
  write_short_header(writer, path.remote_id, parts.keys->sealer.phase() % 2 == 1, number, bytes);
  return {writer, kShortHeaderSize + bytes, number, parts.sent_frames.end()};
}

std::size_t finish_packet(Parts& parts, MutableBytes space, OpenPacket& open) {
  while (open.writer.written() < kShortHeaderSize + 4) write_padding(open.writer, 1);
  const std::size_t size = open.writer.written() + kTagSize;
  parts.keys->sealer.seal_payload(space.first(size), open.header_size, open.number);
  return size;
}

HeaderSlot header_slot(MutableBytes packet, const OpenPacket& open) {
  return {packet.data(), static_cast<std::uint8_t>(open.header_size - kShortHeaderSize)};
}

std::size_t seal_alone(Parts& parts, MutableBytes space, OpenPacket& open) {
  const std::size_t size = finish_packet(parts, space, open);
  const HeaderSlot slot = header_slot(space, open);
  parts.keys->sealer.protect_headers({&slot, 1});
  return size;
}

bool write_noted_ping(Parts& parts, Writer& writer) {
  if (!write_ping(writer)) return false;
  parts.sent_frames.append(SentFrame{});
  return true;
}

bool write_immediate_ack(Parts& parts, Writer& writer) {
  if (!parts.ack_frequency.peer_takes_requests() || !write_frame(writer, ImmediateAckFrame{})) return false;
  parts.sent_frames.append({.kind = SentFrame::Kind::immediate_ack});
  return true;
}

Ecn mark_of(const Path& path) { return path.control.ecn().marks() ? Ecn::ect0 : Ecn::not_ect; }

void note_sent(Parts& parts, Timestamp now, Path& path, const BuiltPacket& built) {
  SentPacket packet;
  packet.number = built.number;
  packet.sent_at = now;
  packet.size_bytes = static_cast<std::uint32_t>(built.size_bytes);
  packet.ack_eliciting = built.ack_eliciting;
  packet.in_flight = built.ack_eliciting;
  packet.kind = built.kind;
  packet.ecn_marked = built.ecn == Ecn::ect0;
  packet.path = path.control.id();
  packet.frames_begin = built.frames_begin;
  packet.frames_count = static_cast<std::uint32_t>(parts.sent_frames.end() - built.frames_begin);
  parts.recovery.on_packet_sent(packet);
  path.amplification.on_sent(built.size_bytes);
  if (built.ack_eliciting) parts.idle.on_ack_eliciting_sent(now);
  const bool answers_timeout = built.kind == PacketKind::loss_probe;
  if (answers_timeout) ++parts.stats.probes_sent;
  if (parts.tail) parts.tail->on_packet_sent(built.size_bytes);
  ++parts.stats.packets_sent;
  parts.stats.bytes_sent += built.size_bytes;
  trace_sent(parts, now, {built.number, built.size_bytes, built.ack_eliciting, answers_timeout}, built.frames_begin);
}

}  // namespace mxp
