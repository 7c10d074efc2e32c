#include "reliability/loss_detector.h"

#include <algorithm>

namespace mxp {

Duration LossDetector::delay(const RttEstimator& rtt) const {
  const Duration round_trip = std::max(rtt.smoothed(), rtt.latest());
  // Where packets overtake each other by far, only the overtaking ones give RTT samples. Those that were overtaken need
  // longer than any sample says.
  const Duration overtaken =
      std::min(longest_late_ * kTimeThresholdEighths / 8, kMaxLateTimeouts * (rtt.smoothed() + 4 * rtt.variation()));
  return std::max({round_trip * time_threshold_eighths_ / 8, overtaken, kTimerGranularity});
}

void LossDetector::detect(SentPackets& packets, Timestamp now, std::uint64_t largest_acknowledged,
                          const RttEstimator& rtt, std::vector<LostPacket>& lost) {
  loss_time_.reset();
  const Duration after = delay(rtt);
  for (std::uint64_t number = packets.first_outstanding(); number < largest_acknowledged;
       number = packets.first_outstanding(number + 1)) {
    const SentPacket& packet = packets.packet(number);
    const Timestamp lost_at = packet.sent_at + after;
    // By both rules older packets are lost first, so no packet after one that is not lost is lost.
    if (largest_acknowledged - number >= packet_threshold_) {
      lost.push_back({packet, LossReason::reordering});
    } else if (lost_at <= now) {
      lost.push_back({packet, LossReason::time});
    } else {
      loss_time_ = lost_at;
      return;
    }
  }
}

void LossDetector::on_late_arrival(LossReason reason, std::uint64_t distance, Duration took) {
  if (reason == LossReason::reordering) {
    packet_threshold_ = std::clamp(distance + 1, packet_threshold_, kMaxPacketThreshold);
  } else {
    time_threshold_eighths_ = std::min(time_threshold_eighths_ + 1, kMaxTimeThresholdEighths);
    longest_late_ = std::max(longest_late_, took);
  }
}

void LossDetector::on_reordering(std::uint64_t distance) {
  if (distance >= kPacketThreshold) reordered_in_episode_ = true;
}

void LossDetector::on_episode(bool previous_had_late_arrivals) {
  genuine_episodes_ = previous_had_late_arrivals || reordered_in_episode_ ? 0 : genuine_episodes_ + 1;
  reordered_in_episode_ = false;
  if (genuine_episodes_ < kEpisodesToForget) return;
  packet_threshold_ = kPacketThreshold;
  time_threshold_eighths_ = kTimeThresholdEighths;
  longest_late_ = Duration::zero();
  genuine_episodes_ = 0;
}

bool is_persistent_congestion(const SentPackets& packets, const std::vector<LostPacket>& lost, Duration duration,
                              std::optional<Timestamp> first_sample_at) {
  if (!first_sample_at) return false;
  const SentPacket* begin = nullptr;     // the oldest ack-eliciting loss of the current unbroken run
  const SentPacket* previous = nullptr;  // the loss that was looked at before this one
  for (const LostPacket& it : lost) {
    const SentPacket& packet = it.packet;
    if (packet.sent_at <= *first_sample_at) continue;
    if (previous != nullptr && packets.any_acknowledged(previous->number.value() + 1, packet.number.value() - 1))
      begin = nullptr;
    previous = &packet;
    if (!packet.ack_eliciting) continue;
    if (begin == nullptr) begin = &packet;
    if (packet.sent_at - begin->sent_at > duration) return true;
  }
  return false;
}

}  // namespace mxp
