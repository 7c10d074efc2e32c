#include "reliability/loss_judge.h"

#include <algorithm>
#include <cmath>

namespace mxp {

void LossJudge::begin_round(Duration min_rtt) {
  if (delivered_packets_ > 0) settle_round();
  if (slow_ == Phase::measuring) {
    // With a queue it may be that others overfill it, or that we do. The link's own loss is no more than that.
    if (!queue_has_grown() || loses_less_than_believed()) {
      measured_lost_ += lost_packets_;
      measured_ += lost_packets_ + delivered_packets_;
    }
    if (measured_ >= kPacketsToMeasure) end_slow_phase();
  } else if (slow_ == Phase::first_round) {
    slow_ = Phase::measuring;
    measured_lost_ = measured_ = 0;
  }
  min_rtt_ = min_rtt;
  round_trips_ = Duration::zero();
  lost_ = delivered_ = 0;
  lost_packets_ = delivered_packets_ = overtaken_ = 0;
}

// Only where packets overtake others do the means differ by chance. Elsewhere it is queues that come and go. And only
// a mean that is shorter than the last shows chance: a longer one may be our queue, which goes in slow phases.
void LossJudge::settle_round() {
  const Duration mean = *round_rtt();
  if (previous_rtt_ && slow_ == Phase::none) {
    const bool by_chance = overtaken_ > 0;
    const Duration shorter = by_chance ? std::max(*previous_rtt_ - mean, Duration::zero()) : Duration::zero();
    deviation_ += (shorter - deviation_) / kRoundsOfDeviation;
  }
  smoothed_rtt_ += previous_rtt_ ? (mean - smoothed_rtt_) / kRoundsOfMean : mean;
  previous_rtt_ = mean;
}

void LossJudge::on_ack(std::uint64_t bytes, std::uint64_t packets, Duration round_trips, std::uint64_t overtaken) {
  overtaken_ += overtaken;
  delivered_ += bytes;
  delivered_packets_ += packets;
  round_trips_ += round_trips;
}

void LossJudge::on_loss(std::uint64_t bytes, std::uint64_t packets) {
  lost_ += bytes;
  lost_packets_ += packets;
}

// By more than chance.
bool LossJudge::loses_less_than_believed() const {
  const auto packets = static_cast<double>(lost_packets_ + delivered_packets_);
  if (packets == 0) return false;
  return static_cast<double>(lost_packets_) / packets + kDeviations * std::sqrt(own_loss_ / packets) < own_loss_;
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

std::optional<Duration> LossJudge::settled_rtt() const {
  const auto mean = round_rtt();
  if (!mean || chance() <= std::max(min_rtt_ / kQueueDivisor, kQueueFloor)) return mean;
  return std::max(*mean, smoothed_rtt_ + (*mean - smoothed_rtt_) / kRoundsOfMean);
}

bool LossJudge::queue_has_grown() const {
  return queue_delay() > std::max({min_rtt_ / kQueueDivisor, kQueueFloor, chance()});
}

bool LossJudge::is_congestion(const Charge& charge) const {
  if (charge.lost_packets < kMinLostPackets || charge.sent == 0 || charge.lost == 0) return false;
  const double share = static_cast<double>(charge.lost) / static_cast<double>(charge.sent);
  const double packets = static_cast<double>(charge.lost_packets) / share;
  const double chance = kDeviations * std::sqrt(std::max(own_loss_, kLossThreshold) / packets);
  const double excess = share - own_loss_ - chance;
  return excess > kHeavyLoss || (excess > kLossThreshold && charge.with_queue);
}

}  // namespace mxp
