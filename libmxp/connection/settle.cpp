// What reliability concluded goes back to the owners: each frame of a packet that was acknowledged or lost is reported
// to the part that wrote it, as the value that was kept with the packet. Frames of packets that are no longer tracked
// are released from the log.
//
// Each kind of frame is named here: a new one that nobody has thought of does not compile.
#include "connection/datagram_frames.h"
#include "connection/flows.h"

namespace mxp {

namespace {

// Who wrote a frame and wants to hear of its fate.
enum class Owner : std::uint8_t { nobody, acks, ack_frequency, outbox, datagrams, local_ids, peer_ids, drain };

Owner owner_of(SentFrame::Kind kind) {
  switch (kind) {
    case SentFrame::Kind::ping: break;  // whatever is sent next probes as well
    case SentFrame::Kind::immediate_ack: break;
    case SentFrame::Kind::ack: return Owner::acks;
    case SentFrame::Kind::ack_frequency: return Owner::ack_frequency;
    case SentFrame::Kind::stream:
    case SentFrame::Kind::reset_stream:
    case SentFrame::Kind::stop_sending:
    case SentFrame::Kind::max_data:
    case SentFrame::Kind::max_stream_data:
    case SentFrame::Kind::max_streams_bidi:
    case SentFrame::Kind::max_streams_uni:
    case SentFrame::Kind::data_blocked:
    case SentFrame::Kind::stream_data_blocked:
    case SentFrame::Kind::streams_blocked_bidi:
    case SentFrame::Kind::streams_blocked_uni:
    case SentFrame::Kind::message:
    case SentFrame::Kind::message_part:
    case SentFrame::Kind::expired:
    case SentFrame::Kind::max_messages:
    case SentFrame::Kind::messages_blocked: return Owner::outbox;
    case SentFrame::Kind::datagram:
    case SentFrame::Kind::datagram_with_cookie: return Owner::datagrams;
    case SentFrame::Kind::new_connection_id: return Owner::local_ids;
    case SentFrame::Kind::retire_connection_id: return Owner::peer_ids;
    case SentFrame::Kind::drain: return Owner::drain;
    // A challenge has a timer of its own (path_validation.h), and for an answer that was lost the peer asks again.
    case SentFrame::Kind::path_challenge:
    case SentFrame::Kind::path_response: break;
  }
  return Owner::nobody;
}

void on_acknowledged(Parts& parts, const SentFrame& frame) {
  switch (owner_of(frame.kind)) {
    case Owner::nobody: break;
    case Owner::acks: parts.acks.on_ack_acknowledged(PacketNumber(frame.value)); break;
    case Owner::ack_frequency:
      parts.ack_frequency.on_acknowledged(frame.value);
      parts.recovery.set_peer_max_ack_delay(parts.ack_frequency.peer_max_ack_delay());
      break;
    case Owner::outbox:
      if (parts.tail) parts.tail->on_acknowledged(frame);
      parts.outbox.on_frame_acknowledged(frame);
      break;
    case Owner::datagrams: parts.datagrams->queue.on_acknowledged(frame); break;
    case Owner::local_ids: parts.ids->local.on_announcement_acknowledged(frame.value); break;
    case Owner::peer_ids: parts.ids->peer.on_retirement_acknowledged(frame.value); break;
    case Owner::drain: break;
  }
}

void on_lost(Parts& parts, const SentFrame& frame) {
  if (frame.retransmitted) return;
  switch (owner_of(frame.kind)) {
    case Owner::nobody: break;
    case Owner::acks: break;  // a newer ACK says more
    case Owner::ack_frequency: parts.ack_frequency.on_lost(frame.value); break;
    case Owner::outbox:
      if (parts.tail) parts.tail->on_lost(frame);
      parts.outbox.on_frame_lost(frame);
      break;
    case Owner::datagrams: parts.datagrams->queue.on_lost(frame); break;
    case Owner::local_ids: parts.ids->local.on_announcement_lost(frame.value); break;
    case Owner::peer_ids: parts.ids->peer.on_retirement_lost(frame.value); break;
    case Owner::drain: parts.drain.on_lost(frame); break;
  }
}

template <typename Visit>
void for_each_frame(Parts& parts, const SentPacket& packet, Visit visit) {
  for (std::uint64_t i = packet.frames_begin; i != packet.frames_begin + packet.frames_count; ++i)
    visit(parts.sent_frames.at(i));
}

// The search for the datagram size that a packet says something of; null if its path is not known any more.
DatagramSizeSearch* sizes_of(Parts& parts, const SentPacket& packet) {
  if (!packet.in_flight) return nullptr;
  if (packet.path == parts.path->control.id()) return &parts.path->sizes;
  return parts.other && packet.path == parts.other->control.id() ? &parts.other->sizes : nullptr;
}

void teach_size(Parts& parts, Timestamp now, const SentPacket& acknowledged) {
  DatagramSizeSearch* const sizes = sizes_of(parts, acknowledged);
  if (sizes == nullptr) return;
  if (acknowledged.kind == PacketKind::size_probe) sizes->on_probe_acknowledged(now, acknowledged.number);
  else sizes->on_packet_acknowledged(acknowledged.number, acknowledged.size_bytes);
}

void teach_size_of_loss(Parts& parts, Timestamp now, const SentPacket& lost) {
  DatagramSizeSearch* const sizes = sizes_of(parts, lost);
  if (sizes == nullptr) return;
  if (lost.kind == PacketKind::size_probe) sizes->on_probe_lost(now, lost.number);
  else sizes->on_packet_lost(lost.number, lost.size_bytes);
}

}  // namespace

void settle(Parts& parts, Timestamp now, const Outcome& outcome) {
  for (const SentPacket& packet : outcome.acknowledged) {
    teach_size(parts, now, packet);
    for_each_frame(parts, packet, [&](const SentFrame& frame) { on_acknowledged(parts, frame); });
  }
  for (const LostPacket& lost : outcome.lost) {
    if (lost.packet.kind != PacketKind::size_probe) ++parts.stats.packets_lost;
    teach_size_of_loss(parts, now, lost.packet);
    parts.trace(now, TracePacketLost{lost.packet.number, lost.packet.size_bytes, lost.reason});
    for_each_frame(parts, lost.packet, [&](const SentFrame& frame) { on_lost(parts, frame); });
  }
  parts.stats.packets_spuriously_lost += outcome.spurious;
  parts.trace_ecn(now);
  if (outcome.persistent_congestion) ++parts.stats.persistent_congestion;
  parts.sent_frames.release_below(parts.recovery.oldest_frames_begin().value_or(parts.sent_frames.end()));
  if (!outcome.acknowledged.empty() || !outcome.lost.empty()) {
    const PathControl& control = parts.path->control;
    const RttEstimator& rtt = control.rtt();
    const Duration variation = rtt.has_sample() ? rtt.variation() : Duration::zero();
    parts.trace(now, TraceCongestion{control.congestion_window(), control.bytes_in_flight(), rtt.smoothed(),
                                     rtt.latest(), rtt.min(), variation});
  }
  tell_datagram_outcomes(parts, now);
}

namespace {

bool is_repeated(SentFrame::Kind kind) {
  const Owner owner = owner_of(kind);
  return owner == Owner::outbox || owner == Owner::local_ids || owner == Owner::peer_ids || owner == Owner::drain;
}

// Queues the packet's frames for sending once more, unless a later packet carries them already. The packet itself may
// still be acknowledged, so its frames stay in the log, marked so that its loss is not reported as well. Returns
// whether it queued anything; PING, ACK and what asks for a path are never queued.
bool send_again(Parts& parts, const SentPacket& packet) {
  bool carried_any = false;
  for_each_frame(parts, packet, [&](SentFrame& frame) {
    if (frame.retransmitted || !is_repeated(frame.kind)) return;
    on_lost(parts, frame);
    frame.retransmitted = true;
    carried_any = true;
  });
  return carried_any;
}

}  // namespace

unsigned repeat_earlier_probes(Parts& parts) {
  unsigned repeated = 0;
  parts.recovery.for_each_unacknowledged([&](const SentPacket& packet) {
    if (packet.kind == PacketKind::loss_probe && send_again(parts, packet)) ++repeated;
    return true;
  });
  return repeated;
}

void repeat_oldest_data(Parts& parts) {
  const unsigned wanted = kProbesPerTimeout - (next_probe_carries_new_data(parts) ? 1 : 0);
  // What earlier probes carried is the oldest data of all, and no later packet carries it.
  unsigned repeated = repeat_earlier_probes(parts);
  if (repeated >= wanted) return;
  parts.recovery.for_each_unacknowledged([&](const SentPacket& packet) {
    if (packet.kind != PacketKind::loss_probe && send_again(parts, packet)) ++repeated;
    return repeated < wanted;
  });
}

namespace {

void trace_repair(const Parts& parts, Timestamp now, const SentFrame& frame) {
  if (!parts.tells_decisions) return;
  if (frame.kind == SentFrame::Kind::message)
    return parts.trace(now, TraceTailRepair{TraceTailRepair::Of::messages, frame.value, 0, frame.length});
  const auto of =
      frame.kind == SentFrame::Kind::stream ? TraceTailRepair::Of::stream : TraceTailRepair::Of::message_part;
  parts.trace(now, TraceTailRepair{of, frame.stream.value(), frame.value, frame.length});
}

}  // namespace

void repair_tail(Parts& parts, Timestamp now) {
  if (!parts.tail || parts.tail->deadline() > now) return;
  const SendPermit permit = parts.recovery.permit(now);
  const Duration smoothed_rtt = parts.path->control.rtt().smoothed();
  const bool window_is_full = permit.blocked() && permit.reason == BlockedBy::congestion;
  if (window_is_full || parts.outbox.has_critical()) return parts.tail->give_up();
  parts.tail->repair(now, smoothed_rtt, [&](const SentFrame& frame) {
    ++parts.stats.tail_repairs;
    trace_repair(parts, now, frame);
    parts.outbox.on_frame_lost(frame);
  });
}

}  // namespace mxp
