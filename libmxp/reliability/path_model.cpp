#include "reliability/path_model.h"

namespace mxp {

void PathModel::on_rate(ByteRate rate, bool app_limited) {
  if (rate.is_zero() || (app_limited && rate < max_rate())) return;
  max_rate_.update(rate);
}

ByteRate PathModel::rate() const {
  return ByteRate::bytes_per_second(std::min(max_rate().bytes_per_second(), bounds.rate));
}

void PathModel::on_rtt(Timestamp now, Duration mean, std::uint64_t packets) {
  const bool is_good = packets >= kPacketsForRtt;
  if (!is_good && !rtt_is_provisional_) return;
  if (is_good && rtt_is_provisional_) has_rtt_ = rtt_is_provisional_ = false;
  if (!has_rtt_ || mean < recent_min_rtt_ || misses_min_rtt(now)) {
    recent_min_rtt_ = mean;
    recent_min_rtt_at_ = now;
  } else if (mean <= recent_min_rtt_ + recent_min_rtt_ / kRttTolerance) {
    recent_min_rtt_at_ = now;
    if (recent_min_rtt_ <= min_rtt_ + min_rtt_ / kRttTolerance) min_rtt_at_ = now;
  }
  if (!has_rtt_ || recent_min_rtt_ < min_rtt_ || now > min_rtt_at_ + min_rtt_window()) {
    min_rtt_ = recent_min_rtt_;
    min_rtt_at_ = recent_min_rtt_at_;
  }
  has_rtt_ = true;
}

void PathModel::on_acknowledged(Timestamp now, std::uint64_t bytes, std::uint64_t window, bool round_start,
                                bool startup) {
  // In startup the rate grows from round to round: only the last one counts then.
  if (round_start && ++extra_acked_rounds_ >= (startup ? 1 : kExtraAckedRounds / 2)) {
    extra_acked_rounds_ = 0;
    extra_acked_.advance();
  }
  const std::uint64_t expected = rate().bytes_in(now - bunch_began_at_);
  if (bunch_bytes_ <= expected) {
    bunch_began_at_ = now;
    bunch_bytes_ = 0;
  }
  bunch_bytes_ += bytes;
  const std::uint64_t expected_now = rate().bytes_in(now - bunch_began_at_);
  extra_acked_.update(std::min(bunch_bytes_ > expected_now ? bunch_bytes_ - expected_now : 0, window));
}

void PathModel::on_delivery(ByteRate rate, std::uint64_t delivered) {
  latest_rate_ = std::max(latest_rate_, rate);
  latest_delivered_ = std::max(latest_delivered_, delivered);
}

void PathModel::cut(std::uint64_t window) {
  const auto lower = [](std::uint64_t bound, std::uint64_t otherwise, std::uint64_t at_least) {
    const auto from = static_cast<double>(bound == kUnbounded ? otherwise : bound);
    return std::max(at_least, static_cast<std::uint64_t>(kBeta * from));
  };
  bounds.rate = lower(bounds.rate, max_rate().bytes_per_second(), latest_rate_.bytes_per_second());
  bounds.inflight = lower(bounds.inflight, window, latest_delivered_);
}

}  // namespace mxp
