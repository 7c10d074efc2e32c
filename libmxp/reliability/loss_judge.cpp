#include "reliability/loss_judge.h"

#include <algorithm>
#include <cmath>

namespace mxp {

void LossJudge::begin_round(Duration min_rtt) {
  if (slow_ == Phase::measuring) {
    // With a queue it may be that others overfill it.
    if (!queue_has_grown()) {
      measured_lost_ += lost_packets_;
      measured_ += lost_packets_ + delivered_packets_;
    }
    if (measured_ >= kPacketsToMeasure) end_slow_phase();
  } else if (slow_ == Phase::first_round) {
    slow_ = Phase::measuring;
    measured_lost_ = measured_ = 0;
  }
  min_rtt_ = min_rtt;
  previous_rtt_ = round_rtt();
  round_trips_ = Duration::zero();
  lost_ = delivered_ = 0;
  lost_packets_ = delivered_packets_ = 0;
}

void LossJudge::on_ack(std::uint64_t bytes, std::uint64_t packets, Duration round_trips) {
  delivered_ += bytes;
  delivered_packets_ += packets;
  round_trips_ += round_trips;
}

void LossJudge::on_loss(std::uint64_t bytes, std::uint64_t packets) {
  lost_ += bytes;
  lost_packets_ += packets;
}

void LossJudge::measure_round() {
  if (!queue_has_grown()) believe(lost_packets_, lost_packets_ + delivered_packets_);
}

void LossJudge::believe(std::uint64_t lost, std::uint64_t packets) {
  if (packets == 0) return;
  const double share = std::min(static_cast<double>(lost) / static_cast<double>(packets), kMaxOwnLoss);
  own_loss_ += (share - own_loss_) * static_cast<double>(packets) / (static_cast<double>(packets) + kPriorPackets);
}

std::optional<Duration> LossJudge::round_rtt() const {
  if (delivered_packets_ == 0) return previous_rtt_;
  return round_trips_ / static_cast<Duration::rep>(delivered_packets_);
}

Duration LossJudge::queue_delay() const {
  const auto rtt = round_rtt();
  return rtt && min_rtt_ > Duration::zero() ? std::max(*rtt - min_rtt_, Duration::zero()) : Duration::zero();
}

void LossJudge::on_late_arrival(std::uint64_t bytes) {
  if (lost_packets_ == 0) return;
  --lost_packets_;
  lost_ -= std::min(lost_, bytes);
}

bool LossJudge::queue_has_grown() const { return queue_delay() > std::max(min_rtt_ / kQueueDivisor, kQueueFloor); }

bool LossJudge::is_congestion(std::uint64_t lost, std::uint64_t sent, std::uint64_t lost_packets) const {
  if (lost_packets < kMinLostPackets || sent == 0) return false;
  const double share = static_cast<double>(lost) / static_cast<double>(sent);
  const double packets = static_cast<double>(lost_packets) / share;
  const double chance = kDeviations * std::sqrt(std::max(own_loss_, kLossThreshold) / packets);
  const double excess = share - own_loss_ - chance;
  return excess > kHeavyLoss || (excess > kLossThreshold && queue_has_grown());
}

}  // namespace mxp
