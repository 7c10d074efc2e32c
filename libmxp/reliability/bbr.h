// BBR, the default: a model of the path instead of a reaction to loss. After draft-ietf-ccwg-bbr (version 3 of the
// algorithm; section numbers below are its); "our choice" marks where it departs.
//
// The model has two numbers: how fast the path delivers (the largest rate of the last two cycles) and how long its
// round trip is without a queue (the shortest of ten seconds). Their product is what the path holds (BDP). The flow
// sends at the rate, and keeps about one product in flight:
//
//   startup ──rate no longer grows──▶ drain ──queue gone──▶ ┌─▶ down ──▶ cruise ──▶ refill ──▶ up ─┐
//   (doubles each round trip)                               └──────────────────────────────────────┘
//        ▲                                                    any of them ◀──▶ probe_rtt
//
//   cruise   at the rate, most of the time (2 to 3 s, or so many round trips that a Reno flow keeps its share)
//   refill   one round trip at the full rate, so that `up` meets a full path and not an empty one
//   up       a quarter faster until the queue shows or packets are lost beyond what the link loses by itself; where the
//            connection carries urgent data as well, only as much faster as builds a queue of two milliseconds in a
//            round trip, and half as much again in each further one that shows no queue
//   down     a tenth slower until the queue that `up` made is gone; also when the link's own loss is measured
//   probe_rtt  every 5 s (25 long round trips) without a sight of the shortest one: half a BDP for 200 ms, so that all
//            flows see it
//
// Departures, all ours (docs/decisions/0019). The first two because the specification loses most of a link that drops
// 5 % of all packets:
//   - loss is congestion only by the verdict of LossJudge, and what a verdict cut is given back when so many of the
//     packets arrive after all that the verdict would have been another one
//   - packets are sent faster by as much as the link loses by itself, so that what arrives is the estimated rate
//   - the round trip of the model is a mean, not the shortest sample (path_model.h), and where packets overtake others
//     a queue is only what exceeds chance (loss_judge.h)
//   - where the connection carries urgent data (the critical class), which would wait in a queue, `up` is gentle, a
//     shorter queue is given way to, and probe_rtt is put off while the queue is seen to be empty (decision 0028);
//     start-up sends short trains of packets instead of doubling its rate (train_search.h, decision 0032). Start-up and
//     `up` are ordinary ones where a long queue is seen
//   - a flow with more than a few packets in a standing queue gives way (give_way in bbr.cpp)
//   - a rate is given up at once when a round delivers a quarter of it with a long queue, not after two cycles
//   - start-up begins with 32 packets instead of ten where the handshake has measured the round trip, over which they
//     are paced
//   - start-up that the link's own loss ended goes on once that loss is measured, and `up` ends when its queue is seen
//
// One connection, one thread. Cost: for each ACK that of looking at its packets; a search is allocated, nothing else.
#pragma once

#include <cstdint>
#include <optional>

#include "reliability/congestion_controller.h"
#include "reliability/loss_judge.h"
#include "reliability/path_model.h"
#include "reliability/queue_watch.h"
#include "reliability/round_counter.h"
#include "reliability/train_search.h"

namespace mxp {

class Bbr final : public CongestionController {
 public:
  explicit Bbr(std::size_t max_datagram_bytes);

  bool on_packet_sent(const SentPacket& packet, std::uint64_t in_flight_before) override;
  void on_ack(const AckSample& sample, const RttEstimator& rtt) override;
  bool on_loss(const LossSample& sample, const RttEstimator& rtt) override;
  void on_persistent_congestion() override;
  void on_late_arrival(std::uint64_t late, std::uint64_t lost) override;
  void on_handshake_round_trip() override;
  void on_urgent_data(Timestamp now) override;
  void on_datagram_size(std::size_t bytes) override;
  std::uint64_t window() const override { return window_; }
  bool in_slow_start() const override { return state_ == State::startup; }
  ByteRate pacing_rate(const RttEstimator& rtt) const override;
  std::unique_ptr<CongestionController> clone() const override { return std::make_unique<Bbr>(*this); }

  enum class State : std::uint8_t { startup, drain, down, cruise, refill, up, probe_rtt };
  State state() const { return state_; }
  const PathModel& model() const { return model_; }
  double own_loss() const { return losses_.own_loss(); }

 private:
  bool in_probe_cycle() const { return state_ >= State::down && state_ <= State::up; }
  bool probes_for_rate() const { return state_ == State::startup || state_ == State::refill || state_ == State::up; }

  // §5.3, the machine.
  void begin_round(const AckSample& sample);
  void end_startup_by_loss(const LossJudge::Charge& charge);
  void resume_startup();
  void give_way(Timestamp now);
  void look_for_slower_path(const AckSample& sample);
  void look_for_full_pipe(const AckSample& sample);
  bool search_gently(const AckSample& sample, const RttEstimator& rtt);
  void advance(const AckSample& sample);
  void advance_probe_cycle(const AckSample& sample);
  void enter_drain(Timestamp now);
  void enter_down(Timestamp now);
  void enter_cruise();
  void enter_refill(Timestamp now);
  void enter_up(Timestamp now, const RateSample& rate);
  void look_at_min_rtt(const AckSample& sample);
  bool put_off_probe_rtt(Timestamp now);
  void advance_probe_rtt(const AckSample& sample);
  void leave_probe_rtt(Timestamp now);
  bool is_time_to_probe(Timestamp now) const;
  bool is_time_to_go_down(const AckSample& sample);
  bool carries_urgent_data(Timestamp now) const { return now < urgent_until_; }
  Duration visible_to_urgent_data() const;
  bool is_searching() const { return search_ && state_ == State::startup; }
  // A queue that is longer than those that we make while we are gentle, on a path that takes a few Mbit/s and more.
  // Of a queue that others have kept for ten seconds nothing is seen.
  bool has_long_queue() const { return queue_.delay() > 3 * TrainSearch::length_at(model_.min_rtt()) / 2; }
  bool is_time_to_go_down_gently(const AckSample& sample);
  void on_inflight_too_high(Timestamp now, const DeliveryState& when_sent, const LossJudge::Charge& charge);

  // §5.5, §5.6, what is sent.
  double pacing_gain() const;
  double window_gain() const;
  std::uint64_t bdp(double gain) const;
  std::uint64_t inflight(double gain) const;
  std::uint64_t inflight_with_headroom() const;
  std::uint64_t first_window() const;
  void raise_inflight_limit(const AckSample& sample);
  void set_pacing_rate(const RttEstimator& rtt);
  ByteRate pacing_rate_in_search() const;
  void set_window(const AckSample& sample);
  // Four packets (MinPipeCwnd). Our choice for large datagrams: two. What does not hold four of them is a reason to
  // send smaller ones (connection/datagram_size_search.h), and a path of 65,535 bytes may come to take 1 Mbit/s.
  std::uint64_t minimum_window() const { return std::max(2 * segment_, std::min(4 * segment_, kLargestOfFour)); }

  static constexpr double kProbeRttGain = 0.5;                              // of the BDP
  static constexpr std::uint64_t kLargestOfFour = std::uint64_t{4} * 1500;  // Ethernet

  std::uint64_t segment_;  // bytes
  State state_ = State::startup;
  PathModel model_;
  LossJudge losses_;
  QueueWatch queue_;
  RoundCounter rounds_;
  bool round_start_ = false;     // with the ACK being looked at
  std::uint64_t delivered_ = 0;  // bytes in total, with the latest ACK
  PacketNumber largest_acknowledged_;
  std::uint64_t window_;
  std::optional<ByteRate> pacing_rate_;  // nothing until the first rate sample

  TrainSearchSlot search_;  // start-up, where the connection carries urgent data

  // Full pipe (§5.3.1.2).
  bool full_pipe_reached_ = false;  // once: startup is over
  bool full_pipe_now_ = false;      // in this probe
  ByteRate full_pipe_rate_;
  unsigned rounds_without_growth_ = 0;
  bool startup_ended_by_loss_ = false;  // and nothing else has shown yet that the pipe was full
  double startup_loss_ = 0.0;           // the share that ended it
  bool first_window_is_paced_ = false;  // over a round trip that the handshake measured
  // Once: on a lossy link with a shallow queue it would go on again and again.
  bool startup_judged_again_ = false;

  // The cycle (§5.3.3).
  Timestamp phase_began_at_{};
  std::uint64_t phase_rounds_ = 0;
  Duration probe_wait_{};
  double cruise_gain_ = 1.0;
  std::uint64_t rounds_since_probe_ = 0;
  enum class Feedback : std::uint8_t { none, refilling, starting, probing, stopping };
  Feedback feedback_ = Feedback::none;  // of which phase the ACKs tell
  std::uint64_t up_rounds_ = 0;
  bool up_waits_ = false;          // for the queue to show
  bool queue_was_marked_ = false;  // ECN: routers marked packets in this round
  bool up_is_gentle_ = false;      // urgent data would wait in the queue that it makes
  std::uint8_t gentle_ups_ = 0;
  std::uint8_t put_offs_ = 0;  // of looks for the shortest round trip, one after the other
  double up_gain_ = 0.0;
  Duration rtt_before_up_{};
  Duration queue_before_up_{};
  std::uint64_t up_acknowledged_ = 0;

  Timestamp urgent_until_{};

  // The shortest round trip (§5.3.4).
  std::optional<Timestamp> probe_rtt_done_at_;
  bool probe_rtt_round_done_ = false;
  std::uint64_t window_before_probe_rtt_ = 0;
  bool idle_restart_ = false;

  // What an episode's losses cut, in case that they arrive after all (§5.5.10.4 there: spurious loss).
  std::uint64_t episode_round_ = 0;
  PathModel::Bounds bounds_before_loss_;
  LossJudge::Charge charge_;  // for which the bounds were cut last or start-up ended, without what arrived since
};

}  // namespace mxp
