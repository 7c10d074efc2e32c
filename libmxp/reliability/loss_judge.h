// Is this loss congestion? What BBR asks where others cut for every lost packet.
//
// The specification (draft-ietf-ccwg-bbr §5.1.4) calls a round trip in which more than 2 % are lost congested. Then a
// radio link that loses 5 % whatever is sent is "congested" in every round, and the flow collapses to its minimum. So
// loss counts as congestion here only together with a second sign:
//
//   * more than 2 % are lost beyond the link's own loss, and the queue has grown: the round trip of the latest packets
//     was clearly longer than the path's
//   * or more than 15 % beyond the link's own loss, whatever the queue: a queue too short to be seen, or a policer
//
// The link's own loss is what stays when less is sent than the path takes: BBR measures it in the phases in which it
// sends at nine tenths of the estimated rate or less, and in the rounds of start-up before the path is full. Loss that
// we cause ourselves ends in such a phase, within a few cycles; loss that nobody causes does not. That is why a policer
// is not taken for a radio link.
//
// One connection, one thread. Cost: constant for each ACK.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>

#include "mxp/time.h"

namespace mxp {

class LossJudge {
 public:
  // Our choice, with the reasons above; the first from the specification (LossThresh).
  static constexpr double kLossThreshold = 0.02;
  static constexpr double kHeavyLoss = 0.15;
  // The queue has grown when the round trip is longer than the path's by an eighth, and by half a millisecond.
  static constexpr int kQueueDivisor = 8;
  static constexpr Duration kQueueFloor = std::chrono::microseconds(500);
  // Where packets overtake others, the means of rounds differ by chance, and a queue is what exceeds that.
  static constexpr int kDeviationsOfQueue = 4;
  static constexpr int kRoundsOfDeviation = 8;
  static constexpr int kRoundsOfMean = 4;
  // More than this is not believed to be the link's own: half of what is sent would be lost on purpose.
  static constexpr double kMaxOwnLoss = 0.4;
  // A measurement takes so many packets, if the slow phase is long enough, and counts twice as much as what was
  // believed before.
  static constexpr std::uint64_t kPacketsToMeasure = 64;
  static constexpr double kPriorPackets = 32;
  // Nor is what chance explains: so many standard deviations of the number of lost packets. Fewer lost packets than
  // this in a round are chance, whatever their share (StartupFullLossCnt of the specification).
  static constexpr double kDeviations = 2.0;
  static constexpr std::uint64_t kMinLostPackets = 6;

  // A round trip begins; `min_rtt` of the path.
  void begin_round(Duration min_rtt);
  // Each ACK: what it newly delivered, and the round trips of all these packets, added up. `overtaken`: of the packets,
  // those that a later one had overtaken.
  void on_ack(std::uint64_t bytes, std::uint64_t packets, Duration round_trips, std::uint64_t overtaken = 0);
  void on_loss(std::uint64_t bytes, std::uint64_t packets);
  // A packet of so many bytes was not lost after all.
  void on_late_arrival(std::uint64_t bytes);

  // What was lost, and whether that happened with a queue.
  struct Charge {
    std::uint64_t lost = 0;          // bytes
    std::uint64_t sent = 0;          // bytes, the lost ones included
    std::uint64_t lost_packets = 0;  // of them
    bool with_queue = false;
  };
  // Whether that is too much.
  bool is_congestion(const Charge& charge) const;
  // `lost` of `sent` bytes, now.
  Charge charge(std::uint64_t lost, std::uint64_t sent) const {
    return {.lost = lost, .sent = sent, .lost_packets = lost_packets_, .with_queue = queue_has_grown()};
  }
  // What was lost since the round began.
  Charge round_charge() const { return charge(lost_, lost_ + delivered_); }
  bool round_is_congested() const { return is_congestion(round_charge()); }
  // The share of bytes that this round lost so far.
  double round_loss() const {
    return lost_ == 0 ? 0.0 : static_cast<double>(lost_) / static_cast<double>(lost_ + delivered_);
  }
  // The mean of this round so far; before its first packet that of the last.
  std::optional<Duration> round_rtt() const;
  // By how much the mean of a round may exceed that of another by chance: zero where packets keep their order.
  Duration chance() const { return std::min(kDeviationsOfQueue * deviation_, min_rtt_ / 2); }
  // The round trip from which the path's shortest is taken: the mean of one round, or of several rounds where the means
  // of single ones differ by chance.
  std::optional<Duration> settled_rtt() const;
  // How much longer than the path's it is.
  Duration queue_delay() const;
  bool queue_has_grown() const;
  // Since the round began.
  std::uint64_t lost_packets() const { return lost_packets_; }
  std::uint64_t delivered_packets() const { return delivered_packets_; }

  // Packets are sent more slowly than the path takes them, from the round trip on that begins now, until
  // end_slow_phase(): what they lose is the link's own loss.
  void begin_slow_phase() {
    if (slow_ == Phase::none) slow_ = Phase::first_round;
  }
  void end_slow_phase() {
    if (slow_ == Phase::measuring) believe(measured_lost_, measured_);
    slow_ = Phase::none;
  }
  // The round that ends was sent while the path was not full: what it lost is the link's own loss.
  void measure_round();
  // own_loss() is what the latest slow phase said.
  bool has_measured() const { return slow_ == Phase::none; }

  // The share of packets that the link loses by itself, 0 to kMaxOwnLoss.
  double own_loss() const { return own_loss_; }

 private:
  // Loss is heard of a round trip after it happened: the first round of a slow phase still tells of the time before.
  enum class Phase : std::uint8_t { none, first_round, measuring };

  void settle_round();
  bool loses_less_than_believed() const;
  void believe(std::uint64_t lost, std::uint64_t packets);

  Duration min_rtt_{};
  Duration round_trips_{};                // of all packets delivered in this round, added up
  std::optional<Duration> previous_rtt_;  // mean of the round before
  Duration smoothed_rtt_{};               // of the means of rounds
  Duration deviation_{};                  // of those from each other, by chance
  std::uint64_t lost_ = 0;                // bytes, this round
  std::uint64_t delivered_ = 0;           // bytes, this round
  std::uint64_t lost_packets_ = 0;        // this round
  std::uint64_t delivered_packets_ = 0;   // this round
  std::uint64_t overtaken_ = 0;           // packets, this round
  Phase slow_ = Phase::none;
  std::uint64_t measured_lost_ = 0;  // packets, while measuring
  std::uint64_t measured_ = 0;       // packets, while measuring
  double own_loss_ = 0.0;
};

}  // namespace mxp
