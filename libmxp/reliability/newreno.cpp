#include "reliability/newreno.h"

#include <algorithm>

namespace mxp {

NewReno::NewReno(std::size_t max_datagram_bytes, bool paced)
    : segment_(max_datagram_bytes), paced_(paced), window_(initial_window(max_datagram_bytes)) {}

void NewReno::on_ack(const AckSample& sample, const RttEstimator&) {
  // What a router marked has arrived: no late arrival takes this cut back.
  if (sample.ecn_ce != 0 && cut(sample.now, sample.largest_sent_at)) window_before_cut_ = 0;
  if (sample.app_limited) return;
  std::uint64_t bytes = 0;
  for (const SentPacket& packet : sample.acknowledged)
    if (packet.in_flight && (!recovery_start_ || packet.sent_at > *recovery_start_)) bytes += packet.size_bytes;
  if (in_slow_start()) {
    // RFC 9002 §7.7 wants bursts limited where nothing is paced. HyStart++ limits them to eight segments for an ACK.
    window_ += paced_ ? bytes : std::min(bytes, 8 * segment_);
    return;
  }
  // §7.3.3: one segment for each window that was acknowledged.
  acknowledged_ += bytes;
  if (acknowledged_ < window_) return;
  acknowledged_ -= window_;
  window_ += segment_;
}

bool NewReno::on_loss(const LossSample& sample, const RttEstimator&) { return cut(sample.now, sample.latest_sent_at); }

bool NewReno::cut(Timestamp now, Timestamp sent_at) {
  if (recovery_start_ && sent_at <= *recovery_start_) return false;
  recovery_start_ = now;
  window_before_cut_ = window_;
  threshold_before_cut_ = slow_start_threshold_;
  slow_start_threshold_ = window_ = std::max(window_ / 2, minimum_window());
  acknowledged_ = 0;
  return true;
}

void NewReno::on_persistent_congestion() {
  window_ = minimum_window();
  recovery_start_.reset();
  window_before_cut_ = 0;
}

void NewReno::on_late_arrival(std::uint64_t late, std::uint64_t lost) {
  if (late < lost || window_before_cut_ == 0) return;
  window_ = std::max(window_, window_before_cut_);
  slow_start_threshold_ = threshold_before_cut_;
  window_before_cut_ = 0;
  recovery_start_.reset();
}

void NewReno::on_datagram_size(std::size_t bytes) {
  segment_ = bytes;
  window_ = anything_sent_ ? std::max(window_, minimum_window()) : initial_window(bytes);
}

ByteRate NewReno::pacing_rate(const RttEstimator& rtt) const {
  // §7.7: a little more than one window in a round trip; two windows in slow start, where the window doubles in that
  // time.
  const std::uint64_t bytes = in_slow_start() ? 2 * window_ : window_ + window_ / 4;
  return ByteRate::over(bytes, std::max(rtt.smoothed(), Duration(std::chrono::microseconds(1))));
}

}  // namespace mxp
