#include "reliability/cubic.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace mxp {
namespace {

double seconds(Duration span) { return std::chrono::duration<double>(span).count(); }

}  // namespace

CubicCurve CubicCurve::from(double start, double plateau) {
  if (plateau <= start) return {.w_max = start, .k = 0.0};
  return {.w_max = plateau, .k = std::cbrt((plateau - start) / kC)};
}

double CubicCurve::at(double t) const {
  const double distance = t - k;
  return kC * distance * distance * distance + w_max;
}

Cubic::Cubic(std::size_t max_datagram_bytes, bool paced)
    : segment_(static_cast<double>(max_datagram_bytes)), paced_(paced) {
  state_.window = static_cast<double>(initial_window(max_datagram_bytes));
  state_.slow_start_threshold = std::numeric_limits<double>::infinity();
}

bool Cubic::on_packet_sent(const SentPacket& packet, std::uint64_t) {
  next_number_ = packet.number.value() + 1;
  return false;
}

// Packets sent before the cut say nothing about the window after it (RFC 9002 §7.3.2).
std::uint64_t Cubic::bytes_after_recovery(const AckSample& sample) const {
  if (!recovery_start_) return sample.bytes;
  std::uint64_t bytes = 0;
  for (const SentPacket& packet : sample.acknowledged) {
    if (packet.in_flight && packet.sent_at > *recovery_start_) bytes += packet.size_bytes;
  }
  return bytes;
}

void Cubic::on_ack(const AckSample& sample, const RttEstimator& rtt) {
  // What a router marked has arrived: no late arrival takes this cut back.
  if (sample.ecn_ce != 0 && cut(sample.now, sample.largest_sent_at)) can_undo_ = false;
  const std::uint64_t bytes = bytes_after_recovery(sample);
  if (sample.app_limited) {
    // RFC 9438 §5.8: time in which the window was not put to the test does not count.
    if (state_.in_epoch && sample.now > last_growth_at_) state_.epoch_start += sample.now - last_growth_at_;
    last_growth_at_ = sample.now;
    return;
  }
  if (bytes == 0) return;
  if (in_slow_start()) {
    slow_start(bytes, sample, rtt);
  } else {
    avoid_congestion(bytes, sample.now, rtt);
  }
  last_growth_at_ = sample.now;
}

void Cubic::slow_start(std::uint64_t bytes, const AckSample& sample, const RttEstimator& rtt) {
  double growth = static_cast<double>(bytes);
  if (!paced_) growth = std::min(growth, HyStart::kUnpacedLimit * segment_);
  // RFC 9406 §4.3: this is for the first slow start only; a later one ends at a threshold that a loss has set.
  if (!recovery_start_ && std::isinf(state_.slow_start_threshold)) {
    const auto sampled = sample.rtt_sampled ? std::optional(rtt.latest_adjusted()) : std::nullopt;
    switch (hystart_.on_ack(sample.largest.value(), next_number_, sampled)) {
      case HyStart::Verdict::grow: break;
      case HyStart::Verdict::grow_conservatively: growth /= HyStart::kGrowthDivisor; break;
      case HyStart::Verdict::leave: state_.slow_start_threshold = state_.window; return;
    }
  }
  state_.window = std::min(state_.window + growth, std::max(state_.slow_start_threshold, state_.window));
}

void Cubic::avoid_congestion(std::uint64_t bytes, Timestamp now, const RttEstimator& rtt) {
  if (!state_.in_epoch) {
    state_.in_epoch = true;
    state_.epoch_start = now;
    state_.reno_window = state_.window;
    // RFC 9438 §4.8, §4.10: after slow start without a loss there is no plateau yet, so it is here.
    state_.curve = CubicCurve::from(state_.window / segment_, state_.plateau / segment_);
    state_.plateau = state_.curve.w_max * segment_;
  }
  const double acknowledged = static_cast<double>(bytes) / state_.window;  // measured in windows
  const double t = seconds(std::max(now - state_.epoch_start, Duration::zero()));

  // RFC 9438 §4.3: the window that Reno would have.
  const double alpha = state_.reno_window >= state_.window_before_cut ? 1.0 : CubicCurve::kRenoAlpha;
  state_.reno_window += alpha * segment_ * acknowledged;
  if (state_.curve.at(t) * segment_ < state_.reno_window) {
    state_.window = std::max(state_.window, state_.reno_window);
    return;
  }
  // RFC 9438 §4.2, §4.4, §4.5: where the curve will be one round trip from now, but at most half as much again as now.
  const double target =
      std::clamp(state_.curve.at(t + seconds(rtt.smoothed())) * segment_, state_.window, 1.5 * state_.window);
  state_.window += (target - state_.window) * acknowledged;
}

bool Cubic::on_loss(const LossSample& sample, const RttEstimator&) { return cut(sample.now, sample.latest_sent_at); }

bool Cubic::cut(Timestamp now, Timestamp sent_at) {
  if (recovery_start_ && sent_at <= *recovery_start_) return false;
  recovery_start_ = now;
  before_cut_ = state_;
  can_undo_ = true;

  const double window = state_.window;
  // RFC 9438 §4.7, fast convergence: a flow that is cut below its last plateau makes room for a newcomer.
  state_.plateau = window < state_.plateau ? window * (1.0 + CubicCurve::kBeta) / 2.0 : window;
  state_.window_before_cut = window;
  state_.slow_start_threshold = std::max(window * CubicCurve::kBeta, minimum_window());
  state_.window = state_.slow_start_threshold;
  state_.in_epoch = false;
  return true;
}

void Cubic::on_persistent_congestion() {
  state_.window = minimum_window();
  state_.plateau = 0.0;  // RFC 9438 §4.8
  state_.in_epoch = false;
  recovery_start_.reset();  // RFC 9002 §B.8
  can_undo_ = false;
}

void Cubic::on_late_arrival(std::uint64_t late, std::uint64_t lost) {
  if (late < lost || !can_undo_) return;
  can_undo_ = false;
  const double grown = state_.window;
  state_ = before_cut_;
  state_.window = std::max(state_.window, grown);
  state_.in_epoch = false;  // a new curve starts here: the time of the wrong recovery must not count as growth
  recovery_start_.reset();
}

void Cubic::on_datagram_size(std::size_t bytes) {
  segment_ = static_cast<double>(bytes);
  const bool nothing_sent = next_number_ == 0;
  state_.window = nothing_sent ? static_cast<double>(initial_window(bytes)) : std::max(state_.window, minimum_window());
}

ByteRate Cubic::pacing_rate(const RttEstimator& rtt) const {
  // RFC 9002 §7.7: a little more than one window in a round trip, so that pacing is not what limits. In slow start it
  // is two windows, because the window doubles in that time.
  const double gain = in_slow_start() ? 2.0 : 1.25;
  const double round_trip = std::max(seconds(rtt.smoothed()), 1e-6);
  return ByteRate::bytes_per_second(static_cast<std::uint64_t>(gain * state_.window / round_trip));
}

}  // namespace mxp
