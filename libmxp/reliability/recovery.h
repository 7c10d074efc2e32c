// The sender's side of reliability: one packet number space, RFC 9002. It keeps a record of every packet that is under
// way, on whatever path, learns from ACKs and from time what arrived and what was lost, and says what must be probed.
// How much may be sent when is a matter of the path in use (path_control.h), which it teaches.
//
//   permit(now) ──▶ packets go ──▶ on_packet_sent ──┬─▶ on_ack      ──▶ Outcome
//                                   deadline() ─────┴─▶ on_deadline ──▶ Outcome
//
// Costs: on_ack is linear in the newly acknowledged packets (plus, amortised, a logarithm for each range); nothing is
// allocated once the buffers have grown to the size of the window. One connection, one thread.
//
// The driver's time should never run backwards. If it does, spans are clamped to 0, no RTT sample is taken, and nothing
// is declared lost by time until time has caught up.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <vector>

#include "core/frames.h"
#include "mxp/config.h"
#include "mxp/error.h"
#include "mxp/time.h"
#include "reliability/ecn_validation.h"
#include "reliability/loss_detector.h"
#include "reliability/outcome.h"
#include "reliability/path_control.h"
#include "reliability/permit.h"
#include "reliability/probe_timer.h"
#include "reliability/sent_packet.h"
#include "reliability/sent_packets.h"

namespace mxp {

// RFC 9002 §6.2.4: two, so that the loss of one does not cost another timeout.
inline constexpr unsigned kProbesPerTimeout = 2;

class Recovery {
 public:
  // `path` is the one in use at first; it outlives its use.
  explicit Recovery(PathControl& path) : path_(&path) {}

  // Packets are sent on `path` from now on. Those that are under way on the old one are still waited for, but teach
  // nothing and take no room (RFC 9000 §9.4). `standby`, which may be null, is the path that may come back into use:
  // what leaves it is taken off its bytes in flight. Both outlive their use, and the path in use until now still exists
  // during this call.
  void use(PathControl& path, PathControl* standby);
  const PathControl& path() const { return *path_; }

  // max_ack_delay of the peer's parameters; 25 ms until set. Used for probe timeouts and to bound its reported delays.
  void set_peer_max_ack_delay(Duration delay) { peer_max_ack_delay_ = delay; }
  // Until then the peer's reported delays are believed even beyond its max_ack_delay (RFC 9002 §5.3).
  void set_handshake_confirmed() { handshake_confirmed_ = true; }

  // May a packet be sent now, and how much? Probes come first; then the window; then the pacer.
  // Packets that are not in flight (ACK and CLOSE only) need no permit.
  SendPermit permit(Timestamp now) const;
  // REQUIRES: numbers strictly increase. A gap is a number skipped on purpose: its acknowledgement is an offence. A
  // packet whose SentPacket::path is neither the path in use nor the standby counts as in flight nowhere.
  void on_packet_sent(SentPacket packet);
  // A packet that carried nothing to send again did not leave this machine: it takes no room, its acknowledgement is
  // not waited for, and it was not lost. If it is not waited for any more, nothing happens.
  void on_packet_refused(PacketNumber number);
  // The window had room but there was nothing to send: what is under way now must not make the window grow.
  void on_application_limited();
  // Whether that is known of all packets so far.
  bool application_limit_is_noted() const { return path_->application_limit() == PacketNumber(packets_.next()); }

  // PROTOCOL_VIOLATION, with nothing changed, for an ACK of a number that was never sent (threat t01). `frame` must
  // have been checked by the frame reader. Its counts of ECN marks are judged only if it raises the largest
  // acknowledged number (ecn_validation.h).
  std::expected<Outcome, TransportError> on_ack(Timestamp now, const AckFrame& frame);

  // When on_deadline() must be called; kNever if nothing is waited for.
  Timestamp deadline() const;
  // Too early: nothing happens. Otherwise declares losses by time, or counts a probe timeout (probes_due() becomes 2).
  Outcome on_deadline(Timestamp now);
  // Gives back memory that only a busy time needed. What an earlier Outcome looks into is gone then.
  void shrink();
  // Bytes that the records of packets take.
  std::size_t memory() const { return packets_.memory(); }

  // Probe packets that must go now; each on_packet_sent with PacketKind::loss_probe takes one.
  unsigned probes_due() const { return probes_due_; }
  // Every ack-eliciting packet in flight from the oldest on: visit(const SentPacket&) -> bool, false stops.
  template <typename Visit>
  void for_each_unacknowledged(Visit&& visit) const {
    packets_.for_each_outstanding([&](const SentPacket& packet) { return !packet.ack_eliciting || visit(packet); });
  }
  // Slices of frames before this one belong to no packet any more; nothing when no packet is waited for.
  std::optional<std::uint64_t> oldest_frames_begin() const;

  std::optional<PacketNumber> largest_acknowledged() const;
  bool sees_reordering() const { return loss_.sees_reordering(); }
  std::uint64_t ecn_marked_sent() const { return ecn_.marked_sent(); }  // packets, on all paths
  std::uint64_t ecn_ce_reported() const { return ecn_ce_reported_; }    // CE marks that paths were told of
  unsigned pto_count() const { return probe_timer_.count(); }           // since the last ACK
  // One probe timeout without backoff: smoothed RTT + max(4 × variation, granularity) + the peer's max_ack_delay.
  Duration probe_timeout() const { return ProbeTimer::period(path_->rtt(), peer_max_ack_delay_); }

 private:
  std::expected<void, TransportError> check(const AckFrame& frame) const;
  void begin_outcome();
  void settle_range(AckRange range, Timestamp now);
  void settle_late(Timestamp now, const SentPackets::Late& late);
  bool take_rtt_sample(Timestamp now, std::optional<SentPacket> largest, Duration reported_delay, Outcome& outcome);
  void judge_ecn_counts(const AckFrame& frame);
  void settle_losses(Timestamp now, Outcome& outcome);
  void finish(Timestamp now);
  bool is_overfull() const { return packets_.span() > SentPackets::kMaxSpan; }
  bool is_on_path(const SentPacket& packet) const { return packet.path == path_->id(); }
  // Null: it was sent on a path that is neither in use nor the standby.
  PathControl* path_of(const SentPacket& packet) const;
  // Of a packet that teaches nothing.
  void forget(const SentPacket& packet);

  PathControl* path_;
  PathControl* standby_ = nullptr;
  Duration peer_max_ack_delay_ = std::chrono::milliseconds(25);
  bool handshake_confirmed_ = false;

  SentPackets packets_;
  LossDetector loss_;
  ProbeTimer probe_timer_;
  EcnLedger ecn_;
  std::uint64_t ecn_ce_reported_ = 0;

  std::uint64_t eliciting_in_flight_ = 0;  // packets, on all paths
  std::optional<std::uint64_t> largest_acknowledged_;
  Timestamp last_eliciting_sent_at_{};
  unsigned probes_due_ = 0;

  // Reused by every call. The first two are what Outcome looks into; the others are those of them that teach the path
  // in use, and are filled only where some do not.
  std::vector<SentPacket> acknowledged_;
  std::vector<LostPacket> lost_;
  std::vector<SentPacket> acknowledged_on_path_;
  std::vector<LostPacket> lost_on_path_;
  std::uint64_t acknowledged_before_ = 0;  // the largest number, before the ACK being settled
  std::uint64_t spurious_ = 0;
  bool eliciting_acknowledged_ = false;
  bool others_acknowledged_ = false;  // packets of another path
};

}  // namespace mxp
