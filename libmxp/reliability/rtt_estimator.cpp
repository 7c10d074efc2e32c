#include "reliability/rtt_estimator.h"

#include <algorithm>

namespace mxp {

bool RttEstimator::on_sample(Timestamp now, Duration sample, Duration ack_delay) {
  if (sample < Duration::zero()) return false;
  latest_ = sample;
  if (!has_sample()) {  // RFC 9002 §5.3: the first sample replaces what was assumed, and no delay is subtracted
    first_sample_at_ = now;
    min_ = smoothed_ = adjusted_ = sample;
    variation_ = sample / 2;
    return true;
  }
  min_ = std::min(min_, sample);
  // The peer's word is taken only if it does not bring the sample below the smallest that was ever seen.
  const Duration delay = std::max(ack_delay, Duration::zero());
  adjusted_ = sample - min_ >= delay ? sample - delay : sample;
  const Duration difference = smoothed_ > adjusted_ ? smoothed_ - adjusted_ : adjusted_ - smoothed_;
  variation_ = (3 * variation_ + difference) / 4;
  smoothed_ = (7 * smoothed_ + adjusted_) / 8;
  return true;
}

}  // namespace mxp
