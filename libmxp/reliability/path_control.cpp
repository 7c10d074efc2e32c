#include "reliability/path_control.h"

#include <algorithm>

#include "mxp/require.h"

namespace mxp {
namespace {

bool is_paced(const RecoveryConfig& config) {
  return config.pacing && config.congestion_control != CongestionControl::none;
}

// Who marks promises to give way (RFC 3168 §5).
bool may_mark(const RecoveryConfig& config) {
  return config.ecn && config.congestion_control != CongestionControl::none;
}

}  // namespace

PathControl::PathControl(PathId id, const RecoveryConfig& config, std::size_t datagram_bytes)
    : id_(id),
      datagram_bytes_(datagram_bytes),
      rtt_(config.initial_rtt),
      pacer_(datagram_bytes, is_paced(config)),
      controller_(make_congestion_controller(config.congestion_control, datagram_bytes, is_paced(config))),
      ecn_(may_mark(config)) {
  update_pacing(Timestamp::min());
}

PathControl::PathControl(PathId id, const PathControl& like)
    : id_(id),
      datagram_bytes_(like.datagram_bytes_),
      rtt_(like.rtt_),
      pacer_(like.pacer_),
      sampler_(like.sampler_),
      controller_(like.controller_->clone()),
      ecn_(like.ecn_.carried_on()),
      app_limited_until_(like.app_limited_until_) {}

void PathControl::set_datagram_size(Timestamp now, std::size_t bytes) {
  if (bytes == datagram_bytes_) return;
  datagram_bytes_ = bytes;
  controller_->on_datagram_size(bytes);
  pacer_.set_datagram_size(now, bytes);
  update_pacing(now);
}

void PathControl::seed_rtt(Timestamp now, Duration round_trip) {
  if (rtt_.has_sample()) return;
  rtt_.on_sample(now, round_trip, Duration::zero());
  controller_->on_handshake_round_trip();
  update_pacing(now);
}

SendPermit PathControl::permit(Timestamp now) const {
  const std::uint64_t window = controller_->window();
  if (in_flight_bytes_ + datagram_bytes_ > window) return {.reason = BlockedBy::congestion};
  const std::uint64_t room = window - in_flight_bytes_;
  const std::uint64_t credit = pacer_.available(now);
  // A sender that waits is woken for a batch, not for a packet; but never made to wait for more than it may send.
  const std::uint64_t worth_waking =
      std::min({pacer_.quantum(), room, std::max<std::uint64_t>(window / 4, datagram_bytes_)});
  if (credit < worth_waking) return {.reason = BlockedBy::pacing, .retry_at = pacer_.ready_at(now, worth_waking)};
  return {.bytes = std::min(room, credit)};
}

void PathControl::on_packet_sent(SentPacket& packet) {
  MXP_REQUIRE(packet.in_flight);
  packet.delivery = sampler_.on_packet_sent(packet.sent_at, in_flight_bytes_, packet.size_bytes);
  // The algorithm may want another rate at once, not only with the next ACK.
  if (controller_->on_packet_sent(packet, in_flight_bytes_)) update_pacing(packet.sent_at);
  pacer_.on_sent(packet.sent_at, packet.size_bytes);
  in_flight_bytes_ += packet.size_bytes;
  if (packet.ecn_marked) ecn_.on_marked_sent();
}

void PathControl::on_application_limited(PacketNumber next) {
  // Nearly full counts as full: a sender that refills in small steps is limited by the window all the same.
  const std::uint64_t window = controller_->window();
  if (in_flight_bytes_ + std::max<std::uint64_t>(window / 8, datagram_bytes_) > window) return;
  app_limited_until_ = next;
  sampler_.on_application_limited(next.value());
}

void PathControl::begin_update() {
  in_flight_before_ = in_flight_bytes_;
  acknowledged_bytes_ = 0;
  largest_acknowledged_ = PacketNumber{};
  marked_acknowledged_ = 0;
  ecn_ce_ = 0;
}

void PathControl::on_acknowledged(const SentPacket& packet) {
  if (packet.number >= largest_acknowledged_) {
    largest_acknowledged_ = packet.number;
    largest_sent_at_ = packet.sent_at;
  }
  if (!packet.in_flight) return;
  if (packet.ecn_marked) {
    ++marked_acknowledged_;
    ecn_.on_marked_gone();
  }
  in_flight_bytes_ -= packet.size_bytes;
  acknowledged_bytes_ += packet.size_bytes;
  sampler_.on_acknowledged(packet);
}

std::uint64_t PathControl::on_ecn_counts(const EcnLedger::Growth& growth) {
  if (marked_acknowledged_ != 0) ecn_ce_ = ecn_.on_ack(marked_acknowledged_, growth);
  return ecn_ce_;
}

void PathControl::finish_ack(Timestamp now, std::span<const SentPacket> acknowledged, bool rtt_sampled) {
  if (acknowledged_bytes_ == 0) return;
  controller_->on_ack({.now = now,
                       .acknowledged = acknowledged,
                       .bytes = acknowledged_bytes_,
                       .largest = largest_acknowledged_,
                       .largest_sent_at = largest_sent_at_,
                       .rtt_sampled = rtt_sampled,
                       .app_limited = is_application_limited(),
                       .in_flight_before = in_flight_before_,
                       .in_flight = in_flight_bytes_,
                       .rate = sampler_.finish_ack(now),
                       .ecn_ce = ecn_ce_},
                      rtt_);
}

bool PathControl::on_rtt_sample(Timestamp now, Duration sample, Duration reported_delay) {
  return rtt_.on_sample(now, sample, reported_delay);
}

PathControl::LossVerdict PathControl::on_lost(Timestamp now, std::span<const LostPacket> lost) {
  std::uint64_t packets = 0;
  std::uint64_t bytes = 0;
  Timestamp latest = Timestamp::min();
  for (const LostPacket& it : lost) {
    if (!it.packet.in_flight) continue;
    ++packets;
    bytes += it.packet.size_bytes;
    latest = std::max(latest, it.packet.sent_at);
    if (it.packet.ecn_marked) ecn_.on_marked_lost();
  }
  in_flight_bytes_ -= bytes;
  sampler_.on_lost(bytes);
  LossVerdict verdict;
  if (packets == 0) return verdict;
  verdict.new_episode = controller_->on_loss({.now = now,
                                              .lost = lost,
                                              .bytes = bytes,
                                              .packets = packets,
                                              .latest_sent_at = latest,
                                              .in_flight_before = in_flight_before_,
                                              .total_lost = sampler_.lost()},
                                             rtt_);
  if (verdict.new_episode) {
    verdict.previous_had_late_arrivals = episode_spurious_ != 0;
    ++episode_;
    episode_lost_ = episode_spurious_ = 0;
  }
  episode_lost_ += packets;
  return verdict;
}

void PathControl::forget(const SentPacket& packet) {
  in_flight_bytes_ -= packet.size_bytes;
  if (packet.ecn_marked) ecn_.on_marked_gone();
}

void PathControl::on_persistent_congestion() {
  controller_->on_persistent_congestion();
  rtt_.on_persistent_congestion();
}

void PathControl::on_late_arrival(const SentPacket& packet, std::uint32_t episode) {
  sampler_.on_late_arrival(packet.size_bytes);
  if (episode == episode_) controller_->on_late_arrival(++episode_spurious_, episode_lost_);
}

bool PathControl::is_application_limited() const {
  // Half: in slow start a window is sent in the time in which half of it is acknowledged. This holds even where nobody
  // calls on_application_limited().
  return 2 * in_flight_before_ < controller_->window() || largest_acknowledged_ < app_limited_until_;
}

}  // namespace mxp
