// The round-trip time, as RFC 9002 §5 estimates it.
#pragma once

#include <optional>

#include "mxp/time.h"

namespace mxp {

// Timers are not set finer than this (RFC 9002 §6.1.2).
inline constexpr Duration kTimerGranularity = std::chrono::milliseconds(1);

class RttEstimator {
 public:
  // `initial` is what is assumed before the first sample (RFC 9002 §6.2.2).
  explicit RttEstimator(Duration initial) : smoothed_(initial), variation_(initial / 2), latest_(initial) {}

  // `sample` is the time from sending to the ACK, the delay included. A negative one means that time went backwards,
  // and is ignored. `ack_delay` is how long the peer says it held the ACK back, already limited by its max_ack_delay; a
  // negative one counts as 0. Returns whether the sample was taken.
  bool on_sample(Timestamp now, Duration sample, Duration ack_delay);

  // The path may have changed, so its shortest round trip is measured anew (RFC 9002 §5.2).
  void on_persistent_congestion() { min_ = latest_; }

  bool has_sample() const { return first_sample_at_.has_value(); }
  std::optional<Timestamp> first_sample_at() const { return first_sample_at_; }
  Duration smoothed() const { return smoothed_; }  // assumed before the first sample, never 0
  // The same without the assumption: 0 before the first sample.
  Duration measured() const { return has_sample() ? smoothed_ : Duration::zero(); }
  Duration variation() const { return variation_; }
  Duration latest() const { return latest_; }  // raw, delay included
  Duration latest_adjusted() const {
    return adjusted_;
  }  // delay subtracted where min() allows it; 0 before the first sample
  Duration min() const { return min_; }  // 0 before the first sample

 private:
  Duration smoothed_;
  Duration variation_;
  Duration latest_;
  Duration adjusted_{};
  Duration min_{};
  std::optional<Timestamp> first_sample_at_;
};

}  // namespace mxp
