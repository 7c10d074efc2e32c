// Which outstanding packets are lost: RFC 9002 §6.1, by reordering and by time. Both thresholds adapt. A packet that
// was declared lost and arrives after all shows how much the path reorders. It widens them, up to a cap, so that a
// reordering path is not taken for a lossy one. After a number of genuine loss episodes they fall back.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "core/packet_threshold.h"
#include "mxp/time.h"
#include "mxp/trace.h"
#include "reliability/outcome.h"
#include "reliability/rtt_estimator.h"
#include "reliability/sent_packets.h"

namespace mxp {

class LossDetector {
 public:
  // From the specification (RFC 9002 §6.1.1, §6.1.2).
  static constexpr std::uint64_t kPacketThreshold = mxp::kPacketThreshold;
  static constexpr unsigned kTimeThresholdEighths = 9;
  // Our choice. A path may let one packet overtake all that are under way. From then on time alone decides, and the cap
  // on that is two round trips.
  static constexpr std::uint64_t kMaxPacketThreshold = 1u << 16;
  static constexpr unsigned kMaxTimeThresholdEighths = 16;
  // For how many probe timeouts a packet that once came too late may make us wait for others like it.
  static constexpr int kMaxLateTimeouts = 2;
  // How many loss episodes without a late arrival make the thresholds fall back to those of the specification.
  static constexpr unsigned kEpisodesToForget = 16;

  // Finds what is lost among the outstanding packets below `largest_acknowledged`, appends it to `lost` in ascending
  // order, and notes when the next would be lost by time. The caller marks the packets.
  void detect(SentPackets& packets, Timestamp now, std::uint64_t largest_acknowledged, const RttEstimator& rtt,
              std::vector<LostPacket>& lost);

  // When detect() would declare a loss even without a further ACK.
  std::optional<Timestamp> loss_time() const { return loss_time_; }
  // RFC 9002 §6.1.2: how long after its sending a packet is lost, once a later one is acknowledged.
  Duration delay(const RttEstimator& rtt) const;

  // A packet that was declared lost has arrived. `distance` is how far the largest acknowledged number is ahead of it;
  // `took` is the time from its sending to this ACK.
  void on_late_arrival(LossReason reason, std::uint64_t distance, Duration took);
  // A packet arrived behind others, before it was declared lost. It was overtaken by `distance` numbers.
  void on_reordering(std::uint64_t distance);
  // Whether packets were seen to overtake others by more than losses explain, not long ago.
  bool sees_reordering() const {
    return packet_threshold_ != kPacketThreshold || time_threshold_eighths_ != kTimeThresholdEighths;
  }
  // A new loss episode begins. The argument says whether the one before had late arrivals.
  void on_episode(bool previous_had_late_arrivals);

 private:
  std::uint64_t packet_threshold_ = kPacketThreshold;
  unsigned time_threshold_eighths_ = kTimeThresholdEighths;
  unsigned genuine_episodes_ = 0;
  bool reordered_in_episode_ = false;
  Duration longest_late_{};  // of packets that were declared lost by time and arrived
  std::optional<Timestamp> loss_time_;
};

// RFC 9002 §7.6.2: whether these losses (ascending, of one detection) span the persistent congestion duration without
// an acknowledged packet in between. Packets sent before the first RTT sample, at `first_sample_at`, do not count.
bool is_persistent_congestion(const SentPackets& packets, const std::vector<LostPacket>& lost, Duration duration,
                              std::optional<Timestamp> first_sample_at);

}  // namespace mxp
