// BBR's start-up: what it begins with, how it ends, by a full pipe or by loss, and how it goes on where the loss was no
// congestion.
#include <algorithm>

#include "reliability/bbr.h"
#include "reliability/scaled.h"

namespace mxp {
namespace {

// From the specification.
constexpr double kFullPipeGrowth = 1.25;
constexpr unsigned kFullPipeRounds = 3;
// Our choice: the window to begin with where the round trip is known and packets are spread over it, so that they come
// as no burst. Ten packets are what RFC 9002 §7.2 recommends; 32 save 1.7 round trips, and senders of the Web begin
// with as many. Start-up itself comes to send twice what a path carries, so that a path for which 32 are too
// many has two round trips less to wait for that.
constexpr std::uint64_t kPacedDatagrams = 32;
constexpr std::uint64_t kPacedBytes = kPacedDatagrams * 1472;  // of large datagrams two, as in the formula there

}  // namespace

std::uint64_t Bbr::first_window() const {
  if (!first_window_is_paced_) return initial_window(segment_);
  return std::min(kPacedDatagrams * segment_, std::max(kPacedBytes, 2 * segment_));
}

// §5.3.1.2: the rate has not grown by a quarter for three round trips.
void Bbr::look_for_full_pipe(const AckSample& sample) {
  // Only while the flow goes faster than it is told that the path takes: a slow phase shows no growth either.
  if (full_pipe_now_ || sample.rate.app_limited || !round_start_ || !probes_for_rate()) return;
  // Nor while a gentle `up` goes hardly faster than the path takes.
  if (state_ == State::up && up_is_gentle_ && up_gain_ < kFullPipeGrowth) return;
  if (sample.rate.rate >= scaled(full_pipe_rate_, kFullPipeGrowth)) {
    full_pipe_rate_ = sample.rate.rate;
    rounds_without_growth_ = 0;
    return;
  }
  full_pipe_now_ = ++rounds_without_growth_ >= kFullPipeRounds;
  if (!full_pipe_now_) return;
  full_pipe_reached_ = true;
  startup_ended_by_loss_ = false;  // it is as full as it looked
}

// Our choice: where the connection carries urgent data, start-up does not fill the queue (train_search.h). But where
// the queue is longer than ours should be, the data wait in any case: others keep it, or the path is so slow that even
// the first window was too much. There the ordinary start-up gets a share, and ends soon. Returns whether it is replaced.
bool Bbr::search_gently(const AckSample& sample, const RttEstimator& rtt) {
  const bool is_possible = state_ == State::startup && !full_pipe_reached_ && carries_urgent_data(sample.now) &&
                           model_.min_rtt() >= TrainSearch::kLeastRoundTrip && !search_.was_given_up();
  if (!is_possible) {
    search_.end();
    return false;
  }
  if (has_long_queue()) {
    if (search_) search_.drop();
    return false;
  }
  if (!search_)
    search_.begin(
        std::max(scaled(model_.rate(), 1.0 / (1.0 - own_loss())), ByteRate::over(first_window(), model_.min_rtt())),
        ByteRate::over(minimum_window(), model_.min_rtt()));
  // Packets that are not in flight have no DeliveryState.
  const auto newest = std::ranges::find_if(sample.acknowledged.rbegin(), sample.acknowledged.rend(),
                                           [](const SentPacket& it) { return it.in_flight; });
  if (newest == sample.acknowledged.rend()) return true;
  const bool is_sampled = sample.rtt_sampled && newest->number == sample.largest;
  switch (search_->on_ack(*newest, is_sampled ? std::optional(rtt.latest_adjusted()) : std::nullopt)) {
    case TrainSearch::Verdict::goes_on: break;
    case TrainSearch::Verdict::given_up: search_.give_up(); break;
    case TrainSearch::Verdict::found:
      // The model has samples of its own of what was delivered at that rate.
      full_pipe_reached_ = true;
      search_.end();
  }
  return true;
}

void Bbr::end_startup_by_loss(const LossJudge::Charge& charge) {
  search_.end();  // its rate is not proven
  charge_ = charge;
  startup_loss_ = static_cast<double>(charge.lost) / static_cast<double>(charge.sent);
  full_pipe_reached_ = true;
  startup_ended_by_loss_ = true;
  model_.bounds.inflight_limit = std::max(bdp(1.0), model_.latest_delivered());
}

void Bbr::enter_drain(Timestamp now) {
  state_ = State::drain;
  phase_rounds_ = 0;
  rounds_.restart(now, delivered_);
  losses_.begin_slow_phase();
}

void Bbr::resume_startup() {
  startup_ended_by_loss_ = false;
  state_ = State::startup;
  full_pipe_reached_ = full_pipe_now_ = false;
  full_pipe_rate_ = ByteRate{};
  rounds_without_growth_ = 0;
  model_.bounds = {};
}

}  // namespace mxp
