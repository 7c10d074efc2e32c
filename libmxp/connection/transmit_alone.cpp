#include "connection/transmit_alone.h"

#include <algorithm>
#include <utility>

#include "connection/flows.h"
#include "connection/packet_builder.h"
#include "connection/trace_packets.h"
#include "core/frame_writer.h"

namespace mxp {

namespace {

// In flight before a larger size is asked for: so many make it a transfer.
constexpr std::uint64_t kDatagramsBeforeProbe = 4;

// The frame's reason is a view of `info`.
CloseFrame close_frame_of(const CloseInfo& info) {
  CloseFrame frame;
  frame.code = static_cast<std::uint64_t>(TransportErrorCode::no_error);
  // The answer to a peer's CLOSE says no more than that it arrived.
  if (info.by == CloseInfo::By::peer) return frame;
  frame.application = info.application;
  const bool local_only = !info.application && info.by != CloseInfo::By::local;
  if (!local_only) frame.code = info.code;
  frame.frame_type = info.frame_type;
  frame.reason = ByteView(reinterpret_cast<const std::uint8_t*>(info.reason.data()), info.reason.size());
  return frame;
}

std::optional<Transmit> transmit_close_on(Parts& parts, Timestamp now, Path& path, MutableBytes buffer) {
  const CloseInfo& info = *parts.lifecycle.ending;
  const CloseFrame frame = close_frame_of(info);
  // The header, the tag and the numbers of the frame take at most 48 bytes. The rest of what the limit allows is for the
  // reason, which write_frame() cuts to the space.
  constexpr std::size_t kMostBesideReason = 48;
  const std::uint64_t allowance = path.amplification.allowance();
  if (allowance < kMostBesideReason || parts.keys->sealer.seal_limit_reached()) return std::nullopt;
  const MutableBytes space = buffer.first(std::min<std::uint64_t>({buffer.size(), kMinInitialSize, allowance}));
  OpenPacket open = begin_packet(parts, path, space);
  write_frame(open.writer, frame);
  const std::size_t size = seal_alone(parts, space, open);
  path.amplification.on_sent(size);
  parts.lifecycle.close_was_sent = true;
  ++parts.stats.packets_sent;
  parts.stats.bytes_sent += size;
  trace_sent_close(parts, now, {open.number, size, false, false}, frame);
  return Transmit{path.remote, path.local, size, size};
}

}  // namespace

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
  // Until the new path is proven, nobody knows whether the peer is there or a copy of a packet led us away. Afterwards
  // nothing will prove it, so the CLOSE goes to both places (docs/protocol.md §3.2).
  const bool may_be_back_there = !parts.path->is_proven() && parts.may_return && parts.other->is_proven();
  if (may_be_back_there && !std::exchange(life.close_went_back, true))
    return transmit_close_on(parts, now, *parts.other, buffer);
  life.on_close_turn(now);
  return transmit_close_on(parts, now, *parts.path, buffer);
}

std::optional<Transmit> transmit_size_probe(Parts& parts, Timestamp now, MutableBytes buffer) {
  Path& path = *parts.path;
  // Who sends little gains nothing from larger datagrams. A path that does not answer, or that holds us back, is not
  // asked.
  const bool much_to_send = parts.outbox.has_pending() &&
                            path.control.bytes_in_flight() >= kDatagramsBeforeProbe * path.control.datagram_size();
  if (!much_to_send || !path.is_proven() || parts.recovery.pto_count() != 0) return std::nullopt;
  const auto size = path.sizes.probe_due(now, path.control.congestion_window());
  // It may exceed the window by less than itself: a sender that its window holds back has never room for so much at
  // once.
  if (!size || *size > buffer.size() || parts.recovery.permit(now).blocked() ||
      parts.keys->sealer.seal_limit_reached(kReservedForClose))
    return std::nullopt;

  const MutableBytes space = buffer.first(*size);
  OpenPacket open = begin_packet(parts, path, space);
  write_immediate_ack(parts, open.writer);  // the search waits for the answer
  write_noted_ping(parts, open.writer);
  write_padding(open.writer, *size - kTagSize - open.writer.written());
  seal_alone(parts, space, open);
  path.sizes.on_probe_sent(open.number, *size);
  const Ecn mark = mark_of(path);
  note_sent(parts, now, path, {open.number, open.frames_begin, *size, true, PacketKind::size_probe, mark});
  return Transmit{path.remote, path.local, *size, *size, mark};
}

}  // namespace mxp
