// The sender's side of reliability: one packet number space, RFC 9002. It keeps a record of every packet that is under
// way, learns from ACKs and from time what arrived and what was lost, and says how much may be sent when.
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
#include <memory>
#include <optional>
#include <vector>

#include "core/frames.h"
#include "mxp/config.h"
#include "mxp/error.h"
#include "mxp/time.h"
#include "reliability/congestion_controller.h"
#include "reliability/loss_detector.h"
#include "reliability/outcome.h"
#include "reliability/pacer.h"
#include "reliability/permit.h"
#include "reliability/probe_timer.h"
#include "reliability/rate_sampler.h"
#include "reliability/rtt_estimator.h"
#include "reliability/sent_packet.h"
#include "reliability/sent_packets.h"

namespace mxp {

// RFC 9002 §6.2.4: two, so that the loss of one does not cost another timeout.
inline constexpr unsigned kProbesPerTimeout = 2;

class Recovery {
 public:
  // `max_datagram_bytes`: UDP payload of a full packet; the unit of the congestion window.
  Recovery(const RecoveryConfig& config, std::size_t max_datagram_bytes);

  // max_ack_delay of the peer's parameters; 25 ms until set. Used for probe timeouts and to bound its reported delays.
  void set_peer_max_ack_delay(Duration delay) { peer_max_ack_delay_ = delay; }
  // Until then the peer's reported delays are believed even beyond its max_ack_delay (RFC 9002 §5.3).
  void set_handshake_confirmed() { handshake_confirmed_ = true; }
  // Full datagrams have this size from now on (UDP payload).
  void set_datagram_size(Timestamp now, std::size_t bytes);
  // A first sample from a handshake round trip that was not retransmitted. Ignored once there is a sample.
  void seed_rtt(Timestamp now, Duration round_trip);

  // May a packet be sent now, and how much? Probes come first; then the window; then the pacer.
  // Packets that are not in flight (ACK and CLOSE only) need no permit.
  SendPermit permit(Timestamp now) const;
  // REQUIRES: numbers strictly increase. A gap is a number skipped on purpose: its acknowledgement is an offence.
  void on_packet_sent(SentPacket packet);
  // The window had room but there was nothing to send: what is under way now must not make the window grow.
  void on_application_limited();

  // PROTOCOL_VIOLATION, with nothing changed, for an ACK of a number that was never sent (threat t01). `frame` must
  // have been checked by the frame reader. ECN counts are not used: our packets carry no mark.
  std::expected<Outcome, TransportError> on_ack(Timestamp now, const AckFrame& frame);

  // When on_deadline() must be called; kNever if nothing is waited for.
  Timestamp deadline() const;
  // Too early: nothing happens. Otherwise declares losses by time, or counts a probe timeout (probes_due() becomes 2).
  Outcome on_deadline(Timestamp now);
  // Gives back memory that only a busy time needed. What an earlier Outcome looks into is gone then.
  void shrink();

  // Probe packets that must go now; each on_packet_sent with SentPacket::probe takes one.
  unsigned probes_due() const { return probes_due_; }
  // Every ack-eliciting packet in flight from the oldest on: visit(const SentPacket&) -> bool, false stops.
  template <typename Visit>
  void for_each_unacknowledged(Visit&& visit) const {
    packets_.for_each_outstanding([&](const SentPacket& packet) { return !packet.ack_eliciting || visit(packet); });
  }
  // Slices of frames before this one belong to no packet any more; nothing when no packet is waited for.
  std::optional<std::uint64_t> oldest_frames_begin() const;

  const RttEstimator& rtt() const { return rtt_; }
  std::uint64_t congestion_window() const { return controller_->window(); }  // bytes
  bool in_slow_start() const { return controller_->in_slow_start(); }
  std::uint64_t bytes_in_flight() const { return in_flight_bytes_; }
  std::optional<PacketNumber> largest_acknowledged() const;
  unsigned pto_count() const { return probe_timer_.count(); }  // since the last ACK
  // One probe timeout without backoff: smoothed RTT + max(4 × variation, granularity) + the peer's max_ack_delay.
  Duration probe_timeout() const { return ProbeTimer::period(rtt_, peer_max_ack_delay_); }

 private:
  std::expected<void, TransportError> check(const AckFrame& frame) const;
  void begin_outcome();
  void settle_range(Timestamp now, AckRange range);
  void settle_late(Timestamp now, const SentPackets::Late& late);
  std::optional<Duration> take_rtt_sample(Timestamp now, const SentPacket& largest, Duration reported_delay);
  std::optional<Duration> take_overtaken_sample(Timestamp now);
  void settle_losses(Timestamp now, std::uint64_t in_flight_before, Outcome& outcome);
  void finish(Timestamp now);
  void update_pacing(Timestamp now);
  bool is_application_limited(std::uint64_t in_flight_before) const;
  bool is_overfull() const { return packets_.span() > SentPackets::kMaxSpan; }

  std::size_t max_datagram_bytes_;
  Duration peer_max_ack_delay_ = std::chrono::milliseconds(25);
  bool handshake_confirmed_ = false;

  SentPackets packets_;
  RttEstimator rtt_;
  LossDetector loss_;
  ProbeTimer probe_timer_;
  Pacer pacer_;
  RateSampler sampler_;
  std::unique_ptr<CongestionController> controller_;

  std::uint64_t in_flight_bytes_ = 0;
  std::uint64_t eliciting_in_flight_ = 0;  // packets
  std::optional<std::uint64_t> largest_acknowledged_;
  Timestamp last_eliciting_sent_at_{};
  unsigned probes_due_ = 0;
  std::uint64_t app_limited_until_ = 0;  // packets below it were sent by an application that had no more

  // One loss episode: from the packet whose loss cut the window to the next cut. When enough of its losses turn out to
  // be late arrivals, the controller undoes the cut (CongestionController::on_late_arrival).
  std::uint32_t episode_ = 0;
  std::uint64_t episode_lost_ = 0;
  std::uint64_t episode_spurious_ = 0;

  // Reused by every call: what Outcome looks into.
  std::vector<SentPacket> acknowledged_;
  std::vector<LostPacket> lost_;
  std::uint64_t acknowledged_before_ = 0;  // the largest number, before the ACK being settled
  std::uint64_t acknowledged_bytes_ = 0;   // in flight, by the ACK being settled
  std::uint64_t spurious_ = 0;
  PacketNumber largest_newly_acknowledged_;
  bool eliciting_acknowledged_ = false;
};

}  // namespace mxp
