#include "reliability/probe_timer.h"

namespace mxp {

Timestamp ProbeTimer::deadline(Timestamp last_sent, const RttEstimator& rtt, Duration max_ack_delay) const {
  // Counted from the latest timeout if nothing was sent since, so that one late wake-up does not fire many timeouts at
  // once.
  const Timestamp from = count_ == 0 ? last_sent : std::max(last_sent, fired_at_);
  return from + period(rtt, max_ack_delay) * (std::int64_t{1} << std::min(count_, kMaxBackoffShift));
}

void ProbeTimer::on_fired(Timestamp now) {
  ++count_;
  fired_at_ = now;
}

}  // namespace mxp
