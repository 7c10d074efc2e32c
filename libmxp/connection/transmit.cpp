// A run of datagrams goes out, each built in the buffer that it will be sent from:
//
//   0. hand the application the data that it asked for, with resume, since the last drive
//   1. a client without keys sends message 1 when it is due; a closing connection sends its CLOSE
//   2. ask for the one permit: how much may go now, and if nothing, why and until when
//   3. turn to new keys if it is time (update_keys.cpp)
//   4. for each segment of the caller's buffer: write the header, then frames in a fixed order (acknowledgement,
//      control and data of streams, ping) and padding, and seal them in place
//   5. tell reliability what each packet carried
//   6. mask all headers of the run at once; all segments but the last have the same size, as GSO requires
//
// An acknowledgement that is due may go even when the window forbids everything else. It is never sent twice for the
// same news.
#include <algorithm>
#include <array>

#include "connection/flows.h"
#include "core/frame_writer.h"
#include "core/packet_number.h"

namespace mxp {

namespace {

// What one run may still send.
struct Budget {
  std::uint64_t bytes = 0;  // what window and pacer allow
  unsigned probes = 0;      // packets that may exceed them
  bool allows(std::size_t packet_bytes) const { return bytes >= packet_bytes || probes > 0; }
};

// How many of the last packets that a key may protect are kept for CLOSE. A closing side answers at doubling distances
// (threat t55), so a few are enough.
constexpr std::uint64_t kReservedForClose = 16;

std::uint64_t window_packets(const Parts& parts) {
  return parts.path->control.congestion_window() / parts.path->control.datagram_size();
}

// Packets that are sent later may overtake this one, and its number must still be recovered then (RFC 9000 §17.1): a
// window of them and, while it doubles, two more. What is acknowledged says little of how many are under way, because
// it may have overtaken others too. And ACKs that go back by the thousand are in no window: after the first packets one
// byte is never enough.
constexpr std::uint64_t kOvertakingRoom = 4;
constexpr std::uint64_t kFirstPackets = 32;

std::size_t number_size(const Parts& parts, PacketNumber number) {
  const auto acknowledged = parts.recovery.largest_acknowledged();
  const std::uint64_t distance = acknowledged ? number.value() - acknowledged->value() : number.value() + 1;
  const std::uint64_t under_way = std::max({distance, window_packets(parts), std::min(number.value(), kFirstPackets)});
  return packet_number_size(PacketNumber(number.value() + kOvertakingRoom * under_way), acknowledged);
}

// A packet that is being built: its header is written, and its frames go through the writer.
struct OpenPacket {
  Writer writer;
  std::size_t header_size;
  PacketNumber number;
};

OpenPacket begin_packet(Parts& parts, MutableBytes space) {
  const PacketNumber number = parts.numbers.take(window_packets(parts));
  const std::size_t bytes = number_size(parts, number);
  Writer writer(space.first(space.size() - kTagSize));
  write_short_header(writer, parts.path->remote_id, parts.keys->sealer.phase() % 2 == 1, number, bytes);
  return {writer, kShortHeaderSize + bytes, number};
}

// Pads a packet that is too short (§3: number and plaintext take at least four bytes together) and seals it.
std::size_t finish_packet(Parts& parts, MutableBytes space, OpenPacket& open) {
  while (open.writer.written() < kShortHeaderSize + 4) write_padding(open.writer, 1);
  const std::size_t size = open.writer.written() + kTagSize;
  parts.keys->sealer.seal_payload(space.first(size), open.header_size, open.number);
  return size;
}

HeaderSlot header_slot(MutableBytes packet, const OpenPacket& open) {
  return {packet.data(), static_cast<std::uint8_t>(open.header_size - kShortHeaderSize)};
}

std::optional<Transmit> transmit_handshake(Parts& parts, Timestamp now, MutableBytes buffer) {
  const auto due = parts.attempts->poll_datagram(now);
  if (!due || buffer.size() < due->message_1.size()) return std::nullopt;
  std::copy(due->message_1.begin(), due->message_1.end(), buffer.begin());
  // Traced under the id of the attempt, which need not become the id of the connection.
  if (parts.environment.trace != nullptr)
    parts.environment.trace->on(now, due->client_id, TraceHandshakeSent{1, due->repeated});
  ++parts.stats.handshake_packets_sent;
  parts.stats.bytes_sent += due->message_1.size();
  return Transmit{parts.path->remote, parts.path->local, due->message_1.size(), due->message_1.size()};
}

std::optional<Transmit> transmit_close(Parts& parts, Timestamp now, MutableBytes buffer) {
  Lifecycle& life = parts.lifecycle;
  life.close_frame_due = false;
  const CloseInfo& info = *life.ending;
  const MutableBytes space = buffer.first(std::min(buffer.size(), kMinInitialSize));
  // The header, the tag and the numbers of the frame take at most 48 bytes.
  const std::size_t longest = 48 + info.reason.size();
  if (parts.path->amplification.allowance() < longest || parts.keys->sealer.seal_limit_reached()) return std::nullopt;
  OpenPacket open = begin_packet(parts, space);
  const bool local_only = !info.application && info.by != CloseInfo::By::local;
  CloseFrame frame;
  frame.application = info.application;
  frame.code = local_only ? static_cast<std::uint64_t>(TransportErrorCode::no_error) : info.code;
  frame.frame_type = info.frame_type;
  frame.reason = ByteView(reinterpret_cast<const std::uint8_t*>(info.reason.data()), info.reason.size());
  write_frame(open.writer, frame);
  const std::size_t size = finish_packet(parts, space, open);
  const HeaderSlot slot = header_slot(space, open);
  parts.keys->sealer.protect_headers({&slot, 1});
  parts.path->amplification.on_sent(size);
  ++parts.stats.packets_sent;
  parts.stats.bytes_sent += size;
  parts.trace(now, TracePacketSent{open.number, size, false, false});
  return Transmit{parts.path->remote, parts.path->local, size, size};
}

bool write_ack_frame(Parts& parts, Timestamp now, Writer& writer) {
  const auto ranges = parts.acks.ranges();
  if (ranges.empty() || !write_ack(writer, ranges, parts.acks.delay(now), parts.acks.ecn())) return false;
  SentFrame sent;
  sent.kind = SentFrame::Kind::ack;
  sent.value = ranges.front().last.value();
  parts.sent_frames.append(sent);
  parts.acks.on_ack_sent(now);
  return true;
}

struct BuiltPacket {
  PacketNumber number;
  std::size_t size_bytes;
  bool ack_eliciting;
  std::uint64_t frames_begin;  // in the log of sent frames
  std::uint32_t frames_count;
};

// Tells every part that counts packets, and takes the packet off the budget.
void note_sent(Parts& parts, Timestamp now, const BuiltPacket& built, Budget& budget) {
  SentPacket packet;
  packet.number = built.number;
  packet.sent_at = now;
  packet.size_bytes = static_cast<std::uint32_t>(built.size_bytes);
  packet.ack_eliciting = built.ack_eliciting;
  packet.in_flight = built.ack_eliciting;
  const bool probe = built.ack_eliciting && budget.probes > 0;
  packet.kind = probe ? PacketKind::loss_probe : PacketKind::ordinary;
  packet.path = parts.path->control.id();
  packet.frames_begin = built.frames_begin;
  packet.frames_count = built.frames_count;
  parts.recovery.on_packet_sent(packet);
  parts.path->amplification.on_sent(built.size_bytes);
  if (packet.ack_eliciting) {
    parts.idle.on_ack_eliciting_sent(now);
    if (probe) {
      --budget.probes;
      ++parts.stats.probes_sent;
    } else {
      budget.bytes -= std::min<std::uint64_t>(budget.bytes, built.size_bytes);
    }
  }
  ++parts.stats.packets_sent;
  parts.stats.bytes_sent += built.size_bytes;
  parts.trace(now, TracePacketSent{packet.number, built.size_bytes, packet.ack_eliciting, probe});
}

// Notes what keeps us from sending more, and when to look again. `ran_dry` means that nothing was left to send.
void note_what_holds_us(Parts& parts, Timestamp now, bool ran_dry) {
  const bool wants_more = parts.streams.has_pending() || parts.ping_due;
  const SendPermit permit = parts.recovery.permit(now);
  parts.pacing_until = wants_more && permit.blocked() ? permit.retry_at : kNever;
  BlockedBy blocked = BlockedBy::application;
  if (wants_more) blocked = permit.blocked() ? permit.reason : BlockedBy::nothing;
  else if (parts.streams.blocked_by_connection_credit()) blocked = BlockedBy::connection_credit;
  else if (parts.streams.blocked_by_stream_credit()) blocked = BlockedBy::stream_credit;
  if (ran_dry && !wants_more) parts.recovery.on_application_limited();
  if (blocked == parts.blocked) return;
  parts.blocked = blocked;
  parts.trace(now, TraceBlocked{blocked});
}

}  // namespace

bool has_something_to_send(const Parts& parts, Timestamp now) {
  if (parts.lifecycle.state == ConnectionState::closing) return parts.lifecycle.close_frame_due;
  if (parts.attempts) return parts.attempts->deadline() <= now;
  if (parts.lifecycle.state != ConnectionState::established) return false;
  // The last two have nothing to send. But it is transmit that notes that the application leaves room in the window, and
  // that the handshake no longer holds us.
  return parts.ping_due || parts.streams.has_pending() || parts.acks.ack_due(now) || parts.recovery.probes_due() > 0 ||
         !parts.recovery.application_limit_is_noted() || parts.blocked == BlockedBy::handshake;
}

std::optional<Transmit> transmit(Parts& parts, Timestamp now, MutableBytes buffer, const TransmitLimits& limits) {
  parts.streams.on_clock(now, parts.round_trip_of_windows());
  parts.streams.deliver_resumed();
  parts.streams.collect();
  if (parts.lifecycle.state == ConnectionState::closing) {
    arm_discard(parts, now);
    return parts.lifecycle.close_frame_due && parts.keys ? transmit_close(parts, now, buffer) : std::nullopt;
  }
  if (parts.attempts) return transmit_handshake(parts, now, buffer);
  if (!parts.keys || parts.lifecycle.state != ConnectionState::established) return std::nullopt;

  std::size_t segment_size = std::min(parts.path->control.datagram_size(), buffer.size());
  std::size_t max_segments =
      std::min({limits.max_segments, kMaxHeaderBatch, std::max<std::size_t>(kMaxUdpPayload / segment_size, 1),
                buffer.size() / segment_size});
  // A client at an unproven address gets no acknowledgements, so it goes on sending. That pays for our packets until
  // one of its own proves the address (docs/protocol.md §2.3).
  const bool acknowledges = parts.path->is_proven();
  if (!acknowledges) {
    if (held_by_address(parts)) {
      parts.pacing_until = kNever;
      return std::nullopt;
    }
    segment_size =
        static_cast<std::size_t>(std::min<std::uint64_t>(segment_size, parts.path->amplification.allowance()));
    max_segments = std::min<std::size_t>(max_segments, 1);
  }
  std::array<HeaderSlot, kMaxHeaderBatch> slots;
  std::size_t segments = 0;
  std::size_t used = 0;

  send_ping_if_key_is_worn(parts, now);
  const SendPermit permit = parts.recovery.permit(now);
  // While probes are due, nothing else may go: two packets for each timeout (RFC 9002 §6.2.4), whatever else waits.
  Budget budget{permit.blocked() || permit.probe ? 0 : permit.bytes, parts.recovery.probes_due()};
  const auto note_frame = [&](const SentFrame& frame) { parts.sent_frames.append(frame); };
  bool ran_dry = false;

  while (segments < max_segments) {
    const bool data_wanted = parts.ping_due || budget.probes > 0 || parts.streams.has_pending();
    const bool ack_due = acknowledges && parts.acks.ack_due(now);
    const bool data_now = data_wanted && budget.allows(segment_size);
    if (!data_now && !ack_due) {
      ran_dry = !data_wanted;
      break;
    }
    if (data_now && segments == 0) begin_key_update_if_due(parts, now);
    if (parts.keys->sealer.seal_limit_reached(kReservedForClose)) {
      close_by_error(parts, {TransportErrorCode::aead_limit_reached, 0, "these keys have protected all they may"});
      break;
    }

    const MutableBytes space = buffer.subspan(used, segment_size);
    const std::uint64_t frames_begin = parts.sent_frames.end();
    OpenPacket open = begin_packet(parts, space);
    const std::size_t after_header = open.writer.written();
    if (ack_due || (acknowledges && data_now && segments == 0 && parts.acks.has_something_new()))
      write_ack_frame(parts, now, open.writer);
    bool ack_eliciting = false;
    if (data_now) {
      // The second probe repeats the first instead of being an empty PING: it is enough if one of them arrives.
      if (budget.probes > 0 && !parts.streams.has_pending()) repeat_earlier_probes(parts);
      ack_eliciting = parts.streams.write_frames(open.writer, note_frame);
      if (!ack_eliciting && (parts.ping_due || budget.probes > 0) && write_ping(open.writer)) {
        parts.sent_frames.append(SentFrame{});
        ack_eliciting = true;
      }
    }
    if (open.writer.written() == after_header) {
      // Nothing fitted, or nothing was left. The packet number stays unused, as if it had been skipped on purpose.
      ran_dry = true;
      break;
    }
    if (ack_eliciting) parts.ping_due = false;

    const std::size_t size = finish_packet(parts, space, open);
    slots[segments++] = header_slot(space, open);
    used += size;

    const auto frames_count = static_cast<std::uint32_t>(parts.sent_frames.end() - frames_begin);
    note_sent(parts, now, {open.number, size, ack_eliciting, frames_begin, frames_count}, budget);
    if (size < segment_size) break;  // GSO: only the last segment may be shorter
  }

  parts.keys->sealer.protect_headers(std::span(slots).first(segments));

  note_what_holds_us(parts, now, ran_dry);
  if (segments == 0) return std::nullopt;
  // A peer need not acknowledge our acknowledgements. Then nothing settles them, and their frames must not pile up in
  // the log (threat t03).
  parts.sent_frames.release_below(parts.recovery.oldest_frames_begin().value_or(parts.sent_frames.end()));
  return Transmit{parts.path->remote, parts.path->local, segment_size < used ? segment_size : used, used};
}

}  // namespace mxp
