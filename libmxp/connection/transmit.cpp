// A run of datagrams goes out, each built in the buffer that it will be sent from:
//
//   0. hand the application the data that it asked for, with resume, since the last drive; go on with an end in order,
//      if there is one (drain.h)
//   1. a closing connection sends its CLOSE; a client without keys sends message 1 when it is due
//   2. begin the move that the application asked for; what asks for a path, or answers, goes by itself
//      (transmit_paths.cpp). Take the datagram size that the path carries and its window allows; a probe
//      for a larger one goes by itself (transmit_alone.cpp has these datagrams and those of step 1)
//   3. plan the run: full datagrams, or small ones where the peer has fallen silent, and only one where the peer's
//      address is not proven; ask for the one permit, that is how much may go now, and if nothing, why and until when
//   4. for each segment of the caller's buffer: plan what the packet is for, or end the run; before the first that
//      carries data, turn to new keys if it is time (update_keys.cpp); write the header, then frames in a fixed order
//      (acknowledgement, connection ids, DRAIN, what the outbox has,
//      ping) and padding; seal them in place; tell reliability
//      what the packet carried
//   5. mask all headers of the run at once, and note what holds us
//
// All segments but the last have the same size, as GSO requires, and all go out with the same ECN mark.
//
// An acknowledgement that is due may go even when the window forbids everything else. It is never sent twice for the
// same news.
#include <algorithm>
#include <array>
#include <utility>

#include "connection/datagram_frames.h"
#include "connection/flows.h"
#include "connection/migration.h"
#include "connection/note_held.h"
#include "connection/packet_builder.h"
#include "connection/transmit_alone.h"
#include "core/frame_writer.h"

namespace mxp {

namespace {

// What one run may still send.
struct Budget {
  std::uint64_t bytes = 0;  // what window and pacer allow
  unsigned probes = 0;      // packets that may exceed them
  bool allows(std::size_t packet_bytes) const { return bytes >= packet_bytes || probes > 0; }
  // Of the next packet.
  PacketKind kind_of(bool ack_eliciting) const {
    return ack_eliciting && probes > 0 ? PacketKind::loss_probe : PacketKind::ordinary;
  }
  void take(std::size_t packet_bytes) {
    if (probes > 0) --probes;
    else bytes -= std::min<std::uint64_t>(bytes, packet_bytes);
  }
};

// Our choice: receive times never take much of a packet's room from data, however the packets arrived. Those of packets
// in order take two or three bytes each.
constexpr std::size_t kMostBytesOfTimes = 256;

// Whether anything waits that the peer would have to acknowledge.
bool has_data(const Parts& parts) {
  return parts.ping_due || parts.outbox.has_pending() || id_frames_due(parts) || parts.drain.has_pending();
}

// Whether there is something, and all of it may wait a little longer for company (coalescer.h).
bool waits_for_company(const Parts& parts, Timestamp now) {
  const bool others_go = parts.ping_due || id_frames_due(parts) || parts.drain.has_pending();
  if (!parts.coalescer.holds(now) || others_go) return false;
  const auto who = parts.coalescer.is_corked() ? Outbox::Patient::messages_and_streams : Outbox::Patient::messages;
  return parts.outbox.can_wait(datagram_room(parts), who);
}

bool write_ack_frame(Parts& parts, Timestamp now, Writer& writer) {
  const auto ranges = parts.acks.ranges();
  const TimesForAck times{parts.acks.receive_times(), kMostBytesOfTimes};
  if (ranges.empty() || !write_ack(writer, ranges, parts.acks.delay(now), parts.acks.ecn(), times)) return false;
  parts.sent_frames.append({.kind = SentFrame::Kind::ack, .value = ranges.front().last.value()});
  parts.acks.on_ack_sent(now);
  return true;
}

// How a run came to its end.
struct RunEnd {
  bool ran_dry = false;    // nothing was left to send
  bool of_probes = false;  // they go whatever the window says, and show nobody's preference
};

// Notes what keeps us from sending more, and when to look again.
void note_what_holds_us(Parts& parts, Timestamp now, const RunEnd& run) {
  const bool has = has_data(parts);
  if (!has) parts.coalescer.on_all_sent();
  const bool waits = waits_for_company(parts, now);
  const bool wants_more = !waits && has;
  const SendPermit permit = parts.recovery.permit(now);
  if (waits) trace_held_back(parts, now);
  parts.held_until = wants_more && permit.blocked() ? permit.retry_at : kNever;
  if (waits) parts.held_until = parts.coalescer.held_until();
  if (parts.datagrams) parts.held_until = std::min(parts.held_until, parts.datagrams->queue.held_until(now));
  const BlockedBy of_pending = !wants_more        ? BlockedBy::application
                               : permit.blocked() ? permit.reason
                                                  : BlockedBy::nothing;
  const BlockedBy blocked = wants_more                                     ? of_pending
                            : parts.messages.blocked_by_peer()             ? BlockedBy::message_credit
                            : parts.streams.blocked_by_connection_credit() ? BlockedBy::connection_credit
                            : parts.streams.blocked_by_stream_credit()     ? BlockedBy::stream_credit
                                                                           : BlockedBy::application;
  if (run.ran_dry && !wants_more) parts.recovery.on_application_limited();
  note_held(parts, now, {blocked, of_pending, run.of_probes ? HeldBy::Run::of_probes : HeldBy::Run::ordinary});
  trace_expired_messages(parts, now);
}

void set_datagram_size(Parts& parts, Timestamp now) {
  PathControl& control = parts.path->control;
  const std::size_t size = parts.path->sizes.usable_size(control.congestion_window());
  if (size == control.datagram_size()) return;
  control.set_datagram_size(now, size);
  parts.trace(now, TraceDatagramSize{size});
}

// Whether the next run is to be of small packets, because acknowledgements are overdue and the path may have become a
// black hole for large ones: what small packets then say is what tells (black_hole_detector.h). The probe timeout would
// ask the same, but begins anew with each packet that is sent, and a window may last for long. Once for each silence.
bool begins_small_run(Parts& parts, Timestamp now) {
  if (parts.path->control.datagram_size() <= kMinInitialSize) return false;
  bool overdue = false;
  parts.recovery.for_each_unacknowledged([&](const SentPacket& oldest) {
    const bool silent = parts.recovery.largest_acknowledged() < oldest.number && parts.silence_from != oldest.number;
    overdue = silent && now - oldest.sent_at > parts.recovery.probe_timeout();
    if (overdue) parts.silence_from = oldest.number;
    // Datagrams that wait may be too large for small packets, and something has to ask.
    parts.ping_due |= overdue;
    return false;
  });
  return overdue;
}

// What one run may be. It is made once, before the first packet.
struct RunPlan {
  std::size_t segment_size;
  std::size_t max_segments;
  Budget budget;
  bool acknowledges;  // packets of the peer, on this path
};

// REQUIRES: if the address is not proven, its allowance holds a packet.
RunPlan plan_run(Parts& parts, Timestamp now, std::size_t buffer_size, const TransmitLimits& limits) {
  const Path& path = *parts.path;
  const SendPermit permit = parts.recovery.permit(now);
  // While probes are due, nothing else may go: two packets for each timeout (RFC 9002 §6.2.4), whatever else waits.
  const Budget budget{permit.blocked() || permit.probe ? 0 : permit.bytes, parts.recovery.probes_due()};
  // What is sent at a probe timeout passes wherever anything does (RFC 9002 §6.2.4, RFC 9000 §14).
  const bool small = budget.probes > 0 || begins_small_run(parts, now);
  const std::size_t segment_size = std::min(small ? kMinInitialSize : path.control.datagram_size(), buffer_size);
  // While its handshake has not proven its address, a client gets no acknowledgements, so it goes on sending. That pays
  // for our packets until one of its own is the proof (docs/protocol.md §2.3). A client that moved has a challenge to
  // answer, and is not held up until then.
  const bool acknowledges = acknowledges_on(path);
  if (!path.is_proven()) {
    const std::uint64_t allowance = path.amplification.allowance();
    return {static_cast<std::size_t>(std::min<std::uint64_t>(segment_size, allowance)), 1, budget, acknowledges};
  }
  const std::size_t of_one_send = std::max<std::size_t>(kMaxUdpPayload / segment_size, 1);
  const std::size_t segments =
      std::min({limits.max_segments, kMaxHeaderBatch, of_one_send, buffer_size / segment_size});
  return {segment_size, segments, budget, acknowledges};
}

// What the next packet of a run is for.
struct PacketPlan {
  bool ack = false;   // an acknowledgement that is due, or that has news and costs no packet of its own
  bool data = false;  // whatever wants to be acknowledged
  bool ran_dry = false;
  bool is_empty() const { return !ack && !data; }
};

PacketPlan plan_packet(const Parts& parts, Timestamp now, const RunPlan& run, std::size_t packets_before) {
  const bool has = (has_data(parts) && !waits_for_company(parts, now)) || run.budget.probes > 0;
  const bool data = has && run.budget.allows(run.segment_size);
  const bool ack_due = parts.acks.ack_due(now) || (data && packets_before == 0 && parts.acks.has_something_new());
  return {.ack = run.acknowledges && ack_due, .data = data, .ran_dry = !has};
}

// Asks the peer for another number of acknowledgements, if it is time.
bool write_ack_request(Parts& parts, Timestamp now, Writer& writer) {
  const auto order = parts.recovery.sees_reordering() ? AckFrequency::Order::mixed : AckFrequency::Order::kept;
  const auto request = parts.ack_frequency.request_due(now, parts.numbers.next(), parts.path->control, order);
  if (!request || !write_frame(writer, *request)) return false;
  parts.ack_frequency.on_sent(now, *request);
  parts.recovery.set_peer_max_ack_delay(parts.ack_frequency.peer_max_ack_delay());
  parts.sent_frames.append({.kind = SentFrame::Kind::ack_frequency, .value = request->sequence});
  return true;
}

void note_critical(Parts& parts, Timestamp now, const SentFrame& frame, std::size_t bytes) {
  parts.path->control.on_critical_data(now);
  if (!parts.environment.config.transport.scheduler.tail_repair) return;
  if (frame.kind == SentFrame::Kind::datagram || frame.kind == SentFrame::Kind::datagram_with_cookie) return;
  if (!parts.tail) parts.tail = std::make_unique<TailRepair>();
  parts.tail->on_critical_sent(now, frame, bytes, parts.path->control.rtt().smoothed());
}

// Whatever wants to be acknowledged, as much as the packet holds; false if nothing did.
bool write_data(Parts& parts, Timestamp now, OpenPacket& open, const Budget& budget) {
  Writer& writer = open.writer;
  // The second probe repeats the first instead of being an empty PING: it is enough if one of them arrives.
  if (budget.probes > 0 && !parts.outbox.has_pending()) repeat_earlier_probes(parts);
  bool wrote_control = write_id_frames(parts, writer);
  wrote_control |= parts.drain.write_frames(writer, [&](const SentFrame& frame) { parts.sent_frames.append(frame); });
  const auto order = next_probe_carries_new_data(parts) ? Outbox::Order::new_first : Outbox::Order::lost_first;
  const bool asks = budget.probes > 0 && write_immediate_ack(parts, writer);
  std::size_t noted_to = writer.written();
  const auto note_frame = [&](const SentFrame& frame) {
    parts.sent_frames.append(frame);
    if (parts.outbox.writes_critical()) note_critical(parts, now, frame, writer.written() - noted_to);
    noted_to = writer.written();
  };
  const bool wrote = parts.outbox.write_frames(writer, note_frame, order);
  for (TraceScheduled decision : parts.outbox.decisions()) {
    decision.packet = open.number;
    parts.trace(now, decision);
  }
  if (wrote || asks || wrote_control) return true;
  return (parts.ping_due || budget.probes > 0) && write_noted_ping(parts, writer);
}

}  // namespace

bool has_something_to_send(const Parts& parts, Timestamp now) {
  if (parts.lifecycle.ending) return parts.lifecycle.close_frame_due;
  if (parts.attempts) return parts.attempts->deadline() <= now;
  if (parts.lifecycle.state != ConnectionState::established) return false;
  // The last two have nothing to send. But it is transmit that notes that the application leaves room in the window,
  // and that the handshake no longer holds us.
  const bool waits = waits_for_company(parts, now);
  if (waits && parts.coalescer.held_until() < parts.held_until) return true;  // not noted yet
  return (!waits && has_data(parts)) || parts.messages.delivery_is_due() || drain_step_is_due(parts) ||
         (parts.datagrams && parts.datagrams->queue.has_outcomes()) || path_probe_due(parts, now) ||
         parts.migration_due || parts.acks.ack_due(now) || parts.recovery.probes_due() > 0 ||
         !parts.recovery.application_limit_is_noted() || parts.held.reason() == BlockedBy::handshake;
}

std::optional<Transmit> transmit(Parts& parts, Timestamp now, MutableBytes buffer, const TransmitLimits& limits) {
  parts.tell_time(now);
  tell_outbox(parts, now);
  parts.streams.deliver_resumed();
  tell_datagram_outcomes(parts, now);
  parts.messages.deliver_resumed();
  parts.collect_streams(now);
  advance_drain(parts, now);
  if (parts.lifecycle.ending) {
    arm_discard(parts, now);
    return parts.lifecycle.close_frame_due && parts.keys ? transmit_close(parts, now, buffer) : std::nullopt;
  }
  if (parts.attempts) return transmit_handshake(parts, now, buffer);
  if (!parts.keys || parts.lifecycle.state != ConnectionState::established) return std::nullopt;

  if (const auto local = std::exchange(parts.migration_due, std::nullopt)) begin_migration(parts, now, *local);
  Path& path = *parts.path;
  set_datagram_size(parts, now);
  tell_outbox(parts, now);
  parts.trace_ecn(now);
  if (auto probe = transmit_path_probe(parts, now, buffer)) return probe;
  if (auto probe = transmit_size_probe(parts, now, buffer)) return probe;

  if (held_by_address(parts)) {
    parts.held_until = kNever;
    if (has_data(parts))
      note_held(parts, now, {BlockedBy::amplification, BlockedBy::amplification, HeldBy::Run::ordinary});
    return std::nullopt;
  }
  send_ping_if_key_is_worn(parts, now);
  RunPlan run = plan_run(parts, now, buffer.size(), limits);
  std::array<HeaderSlot, kMaxHeaderBatch> slots;
  std::size_t segments = 0;
  std::size_t used = 0;
  Ecn mark = Ecn::not_ect;  // of the whole run
  RunEnd end{.of_probes = run.budget.probes > 0};

  while (segments < run.max_segments) {
    const PacketPlan packet = plan_packet(parts, now, run, segments);
    if (packet.is_empty()) {
      end.ran_dry = packet.ran_dry;
      break;
    }
    if (packet.data && segments == 0) begin_key_update_if_due(parts, now);
    if (closes_for_seal_limit(parts)) break;

    const MutableBytes space = buffer.subspan(used, run.segment_size);
    OpenPacket open = begin_packet(parts, path, space);
    const std::size_t after_header = open.writer.written();
    if (packet.ack) write_ack_frame(parts, now, open.writer);
    const bool asked = packet.data && segments == 0 && write_ack_request(parts, now, open.writer);
    const bool ack_eliciting = (packet.data && write_data(parts, now, open, run.budget)) || asked;
    if (open.writer.written() == after_header) {
      // Nothing fitted, or nothing was left. The packet number stays unused, as if it had been skipped on purpose.
      end.ran_dry = true;
      break;
    }
    if (ack_eliciting) {
      parts.ping_due = false;
      parts.coalescer.on_sent(now);
    }

    const std::size_t size = finish_packet(parts, space, open);
    slots[segments++] = header_slot(space, open);
    used += size;

    if (segments == 1 && ack_eliciting) mark = mark_of(path);
    note_sent(parts, now, path,
              {open.number, open.frames_begin, size, ack_eliciting, run.budget.kind_of(ack_eliciting), mark});
    if (ack_eliciting) run.budget.take(size);
    if (size < run.segment_size) {  // GSO: only the last segment may be shorter
      // Whoever is told of room for datagrams fills it first: the next drive sees what is left to send then.
      end.ran_dry = !has_data(parts) && !(parts.datagrams && parts.datagrams->queue.has_outcomes());
      break;
    }
  }

  parts.keys->sealer.protect_headers(std::span(slots).first(segments));

  note_what_holds_us(parts, now, end);
  tell_datagram_outcomes(parts, now);
  parts.trace_ecn(now);
  if (segments == 0) return std::nullopt;
  // A peer need not acknowledge our acknowledgements. Then nothing settles them, and their frames must not pile up in
  // the log (threat t03).
  parts.sent_frames.release_below(parts.recovery.oldest_frames_begin().value_or(parts.sent_frames.end()));
  return Transmit{path.remote, path.local, std::min(run.segment_size, used), used, mark};
}

}  // namespace mxp
