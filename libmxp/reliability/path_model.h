// What BBR believes of the path (draft-ietf-ccwg-bbr §5.5): its rate, its round trip, how much its ACKs come in
// bunches, and what recent trouble says must not be exceeded for now.
//
// One connection, one thread. Cost: constant for each call.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <limits>

#include "mxp/rate.h"
#include "mxp/time.h"

namespace mxp {

// The largest value of the present and of the previous period.
template <typename Value>
class MaxOfTwoPeriods {
 public:
  void update(Value value) { present_ = std::max(present_, value); }
  void advance() {
    previous_ = present_;
    present_ = Value{};
  }
  Value best() const { return std::max(present_, previous_); }

 private:
  Value present_{};
  Value previous_{};
};

class PathModel {
 public:
  static constexpr std::uint64_t kUnbounded = std::numeric_limits<std::uint64_t>::max();
  // From the specification.
  static constexpr double kBeta = 0.7;
  static constexpr Duration kMinRttWindow = std::chrono::seconds(10);
  static constexpr Duration kProbeRttInterval = std::chrono::seconds(5);
  static constexpr unsigned kExtraAckedRounds = 10;
  // Our choice: both are at least as many round trips as 5 and 10 s are at 200 ms. A look for the shortest round trip
  // costs one or two of them, and on a path of ten seconds there would be nothing but such looks.
  static constexpr int kProbeRttRounds = 25;
  // Our choice: a sample that is longer than the shortest by no more than this says that the queue is empty, so that
  // nothing has to be stopped to see it.
  static constexpr int kRttTolerance = 16;
  static constexpr std::uint64_t kPacketsForRtt = 8;

  // -- the rate
  // `app_limited`: the sample is of a sender that had no more to send. It counts only upwards.
  void on_rate(ByteRate rate, bool app_limited);
  // A cycle of probing is over: rates of the cycle before the last count no more.
  void advance_cycle() { max_rate_.advance(); }
  // The path has become much slower: all but the latest round counts no more.
  void forget_rate() {
    max_rate_ = {};
    max_rate_.update(latest_rate_);
  }
  ByteRate max_rate() const { return max_rate_.best(); }
  // With what recent trouble allows.
  ByteRate rate() const;

  // -- the round trip
  // The mean of all packets of one round trip. Our choice: the specification takes the shortest sample. Where packets
  // overtake others that is a round trip which most packets never see, and a product made of it starves the flow.
  // A mean of few packets counts only until there is a better one.
  void on_rtt(Timestamp now, Duration mean, std::uint64_t packets);
  // Whether the shortest round trip was not seen for so long that it has to be looked for.
  bool misses_min_rtt(Timestamp now) const { return has_rtt_ && now > recent_min_rtt_at_ + probe_rtt_interval(); }
  bool is_near_min_rtt(Duration sample) const { return sample <= min_rtt_ + min_rtt_ / kRttTolerance; }
  void on_probe_rtt_done(Timestamp now) { recent_min_rtt_at_ = now; }
  Duration min_rtt() const { return min_rtt_; }  // 0 before the first sample

  // -- bunches of ACKs (§5.5.9): how much more than the rate allows was acknowledged at once
  void on_acknowledged(Timestamp now, std::uint64_t bytes, std::uint64_t window, bool round_start, bool startup);
  void on_idle_restart(Timestamp now) {
    bunch_began_at_ = now;
    bunch_bytes_ = 0;
  }
  std::uint64_t extra_acked() const { return extra_acked_.best(); }  // bytes

  // -- bounds
  struct Bounds {
    std::uint64_t rate = kUnbounded;            // bytes per second, until the next probe (bw_shortterm)
    std::uint64_t inflight = kUnbounded;        // bytes, until the next probe (inflight_shortterm)
    std::uint64_t inflight_limit = kUnbounded;  // bytes, what the path was seen to hold (inflight_longterm)
  };
  Bounds bounds;
  // What the latest round delivered: trouble never cuts below it.
  void on_delivery(ByteRate rate, std::uint64_t delivered);
  // A round was congested while nothing was probed for.
  void cut(std::uint64_t window);
  void lift_short_term() { bounds.rate = bounds.inflight = kUnbounded; }
  // The next round begins with this ACK's values.
  void begin_round(ByteRate rate, std::uint64_t delivered) {
    latest_rate_ = rate;
    latest_delivered_ = delivered;
  }
  ByteRate latest_rate() const { return latest_rate_; }
  std::uint64_t latest_delivered() const { return latest_delivered_; }

 private:
  Duration probe_rtt_interval() const { return std::max(kProbeRttInterval, kProbeRttRounds * min_rtt_); }
  Duration min_rtt_window() const { return std::max(kMinRttWindow, 2 * kProbeRttRounds * min_rtt_); }

  MaxOfTwoPeriods<ByteRate> max_rate_;
  ByteRate latest_rate_;
  std::uint64_t latest_delivered_ = 0;

  Duration min_rtt_{};
  Timestamp min_rtt_at_{};
  Duration recent_min_rtt_{};  // the candidate, of the last interval
  Timestamp recent_min_rtt_at_{};
  bool has_rtt_ = false;
  bool rtt_is_provisional_ = true;

  MaxOfTwoPeriods<std::uint64_t> extra_acked_;
  unsigned extra_acked_rounds_ = 0;
  Timestamp bunch_began_at_{};
  std::uint64_t bunch_bytes_ = 0;
};

}  // namespace mxp
