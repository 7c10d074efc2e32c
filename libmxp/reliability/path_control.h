// How much may be under way on one path, and how fast: its round trip, its congestion controller, its pacer, the bytes
// in flight, and whether it carries ECN marks. What travels on another path teaches it nothing and takes none of its
// room (RFC 9000 §9.4), so each path has one of these, while the history of sent packets is the connection's alone
// (recovery.h).
//
//   permit ──▶ on_packet_sent ──▶ begin_update, on_acknowledged for each packet, on_ecn_counts, on_lost, finish_ack
//
// Recovery calls it with the packets of this path only. One connection, one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "mxp/config.h"
#include "mxp/ids.h"
#include "mxp/time.h"
#include "reliability/congestion_controller.h"
#include "reliability/ecn_validation.h"
#include "reliability/outcome.h"
#include "reliability/pacer.h"
#include "reliability/permit.h"
#include "reliability/rate_sampler.h"
#include "reliability/rtt_estimator.h"
#include "reliability/sent_packet.h"

namespace mxp {

class PathControl {
 public:
  // `id`: what packets of this path carry in SentPacket::path; no two paths of a connection have the same.
  // `datagram_bytes`: UDP payload of a full packet; the unit of the congestion window.
  PathControl(PathId id, const RecoveryConfig& config, std::size_t datagram_bytes);
  // A path on which nothing was sent yet, and of which all is expected that is known of `like`. From here on the two
  // learn for themselves.
  PathControl(PathId id, const PathControl& like);

  PathId id() const { return id_; }
  std::size_t datagram_size() const { return datagram_bytes_; }
  // Full datagrams have this size from now on (UDP payload).
  void set_datagram_size(Timestamp now, std::size_t bytes);
  // A first sample from a handshake round trip that was not retransmitted. Ignored once there is a sample.
  void seed_rtt(Timestamp now, Duration round_trip);

  // May a packet that counts be sent now, and how much? The window decides, then the pacer.
  SendPermit permit(Timestamp now) const;
  // REQUIRES: packet.in_flight. Fills in what the packet keeps for the rate sampler.
  void on_packet_sent(SentPacket& packet);
  // The window had room but there was nothing to send: what was sent below `next` must not make the window grow.
  void on_application_limited(PacketNumber next);
  PacketNumber application_limit() const { return app_limited_until_; }  // the `next` of the latest of these calls

  // Data of the critical class are among what is sent: the path's queue should stay short for them.
  void on_critical_data(Timestamp now) { controller_->on_urgent_data(now); }

  // An ACK or a timeout is looked at from here on.
  void begin_update();
  // A packet of this path that an ACK acknowledged.
  void on_acknowledged(const SentPacket& packet);
  // Returns whether the estimate took the sample.
  bool on_rtt_sample(Timestamp now, Duration sample, Duration reported_delay);
  // The ACK raised the largest acknowledged number, and its counts of ECN marks grew by `growth`. Called after
  // on_acknowledged for all of its packets. Returns how many new CE marks it told of.
  std::uint64_t on_ecn_counts(const EcnLedger::Growth& growth);
  // Ends the ACK: `acknowledged` are its packets of this path, `rtt_sampled` tells whether it gave an RTT sample.
  void finish_ack(Timestamp now, std::span<const SentPacket> acknowledged, bool rtt_sampled);

  // Packets in flight of this path that were declared lost by one detection, ascending; probes for size are not among
  // them (their loss is no congestion, RFC 9000 §14.4).
  struct LossVerdict {
    bool new_episode = false;
    bool previous_had_late_arrivals = false;  // of the episode before
  };
  LossVerdict on_lost(Timestamp now, std::span<const LostPacket> lost);
  // `count`: probe timeouts in a row by now.
  void on_probe_timeout(unsigned count) { ecn_.on_probe_timeout(count); }
  // The packets that on_lost was just given span the time of persistent congestion (RFC 9002 §7.6.2).
  void on_persistent_congestion();
  // A packet that had been declared lost in `episode` arrived after all.
  void on_late_arrival(const SentPacket& packet, std::uint32_t episode);
  // A packet that was in flight until now and teaches nothing: a lost probe for size, or any packet while the path is
  // not the one in use.
  void forget(const SentPacket& packet);

  void update_pacing(Timestamp now) { pacer_.set_rate(now, controller_->pacing_rate(rtt_)); }

  const RttEstimator& rtt() const { return rtt_; }
  std::uint64_t congestion_window() const { return controller_->window(); }  // bytes
  const EcnValidation& ecn() const { return ecn_; }
  bool in_slow_start() const { return controller_->in_slow_start(); }
  std::uint64_t bytes_in_flight() const { return in_flight_bytes_; }
  // Counts the episodes of loss: what a lost packet keeps, so that on_late_arrival knows which one it belonged to.
  std::uint32_t episode() const { return episode_; }

 private:
  bool is_application_limited() const;

  PathId id_;
  std::size_t datagram_bytes_;
  RttEstimator rtt_;
  Pacer pacer_;
  RateSampler sampler_;
  std::unique_ptr<CongestionController> controller_;
  EcnValidation ecn_;

  std::uint64_t in_flight_bytes_ = 0;
  PacketNumber app_limited_until_;  // packets below it were sent by an application that had no more

  // One loss episode: from the packet whose loss cut the window to the next cut. What was cut is undone when enough of
  // its losses turn out to be late arrivals; how many is the algorithm's choice.
  std::uint32_t episode_ = 0;
  std::uint64_t episode_lost_ = 0;
  std::uint64_t episode_spurious_ = 0;

  // Of the ACK or timeout that is being looked at.
  std::uint64_t in_flight_before_ = 0;
  std::uint64_t acknowledged_bytes_ = 0;
  PacketNumber largest_acknowledged_;
  Timestamp largest_sent_at_{};
  std::uint64_t marked_acknowledged_ = 0;
  std::uint64_t ecn_ce_ = 0;
};

}  // namespace mxp
