#include "reliability/hystart.h"

#include <algorithm>

namespace mxp {

void HyStart::begin_round(std::uint64_t next) {
  round_end_ = next;
  last_round_min_ = round_min_;
  round_min_.reset();
  samples_ = 0;
}

HyStart::Verdict HyStart::on_ack(std::uint64_t acknowledged, std::uint64_t next, std::optional<Duration> rtt) {
  if (rtt) {
    round_min_ = round_min_ ? std::min(*round_min_, *rtt) : *rtt;
    ++samples_;
  }
  if (samples_ >= kRttSamples) {
    if (conservative_baseline_) {
      if (*round_min_ < *conservative_baseline_) {  // the rise was a false alarm
        conservative_baseline_.reset();
        conservative_rounds_ = 0;
      }
    } else if (last_round_min_) {
      const Duration threshold = std::clamp(*last_round_min_ / kMinRttDivisor, kMinRttThreshold, kMaxRttThreshold);
      if (*round_min_ >= *last_round_min_ + threshold) conservative_baseline_ = *round_min_;
    }
  }
  if (acknowledged + 1 >= round_end_) {
    begin_round(next);
    // The round in which conservative slow start began counts as one, however short its remainder was.
    if (conservative_baseline_ && ++conservative_rounds_ >= kConservativeRounds) return Verdict::leave;
  }
  return conservative_baseline_ ? Verdict::grow_conservatively : Verdict::grow;
}

}  // namespace mxp
