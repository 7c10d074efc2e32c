// When to probe a peer that has gone silent: RFC 9002 §6.2.
#pragma once

#include <algorithm>

#include "mxp/time.h"
#include "reliability/rtt_estimator.h"

namespace mxp {

class ProbeTimer {
 public:
  // RFC 9002 §6.2.1.
  static Duration period(const RttEstimator& rtt, Duration max_ack_delay) {
    return rtt.smoothed() + std::max<Duration>(4 * rtt.variation(), kTimerGranularity) + max_ack_delay;
  }
  // `last_sent` is when the latest ack-eliciting packet was sent.
  Timestamp deadline(Timestamp last_sent, const RttEstimator& rtt, Duration max_ack_delay) const;

  void on_fired(Timestamp now);
  void on_acknowledged() { count_ = 0; }
  unsigned count() const { return count_; }

 private:
  // Doubling stops after this many timeouts in a row, only so that the arithmetic cannot overflow. The idle timeout
  // ends a connection long before.
  static constexpr unsigned kMaxBackoffShift = 16;

  unsigned count_ = 0;  // timeouts since the last acknowledgement
  Timestamp fired_at_{};
};

}  // namespace mxp
