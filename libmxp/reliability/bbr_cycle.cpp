// BBR's cycle: the probes for more bandwidth, gentle where the connection carries urgent data, and the looks for the
// shortest round trip.
#include <algorithm>

#include "core/split_mix.h"
#include "reliability/bbr.h"

namespace mxp {
namespace {

// From the specification.
constexpr double kUpPacingGain = 1.25;
constexpr double kOwnPartOfStartupLoss = 0.25;  // a short measurement says less than there is
constexpr Duration kProbeRttDuration = std::chrono::milliseconds(200);
constexpr Duration kProbeWait = std::chrono::seconds(2);
constexpr Duration kProbeWaitSpread = std::chrono::seconds(1);
constexpr std::uint64_t kMaxDownRounds = 8;  // our choice: where so few packets go that a measurement takes long
constexpr int kVisibleQueueDivisor = 10;     // of the round trip
constexpr std::uint64_t kMaxRenoRounds = 63;
// Our choice: what urgent data may find in the queue because of us.
constexpr Duration kShortQueue = std::chrono::milliseconds(2);
constexpr double kLeastUpPacingGain = 1.02;  // with the margin still more than the path takes
constexpr unsigned kGentleUps = 8;
constexpr double kGentleGrowth = 1.5;  // of what exceeds the rate, for each round trip that shows no queue
constexpr unsigned kMaxPutOffs = 12;   // of looks for the shortest round trip, each for five seconds

// Where flows that share a link must differ and a run must still be repeatable: spread by a hash of the time.
std::uint64_t spread(Timestamp now, std::uint64_t salt) {
  return split_mix(static_cast<std::uint64_t>(now.time_since_epoch().count()) + salt * kGoldenGamma);
}

double share(Duration part, Duration whole) {
  return static_cast<double>(part.count()) / static_cast<double>(std::max(whole, Duration(1)).count());
}

}  // namespace

void Bbr::enter_down(Timestamp now) {
  state_ = State::down;
  const std::uint64_t chance = spread(now, delivered_);
  probe_wait_ =
      kProbeWait + Duration(static_cast<Duration::rep>(chance % static_cast<std::uint64_t>(kProbeWaitSpread.count())));
  rounds_since_probe_ = chance >> 63;
  phase_began_at_ = now;
  phase_rounds_ = 0;
  feedback_ = Feedback::stopping;
  rounds_.restart(now, delivered_);
  losses_.begin_slow_phase();
  model_.begin_round(ByteRate{}, 0);
}

void Bbr::enter_cruise() {
  state_ = State::cruise;
  cruise_gain_ = 1.0;
  losses_.end_slow_phase();
}

void Bbr::enter_refill(Timestamp now) {
  state_ = State::refill;
  losses_.end_slow_phase();
  model_.lift_short_term();
  phase_rounds_ = 0;
  up_rounds_ = 0;
  up_acknowledged_ = 0;
  feedback_ = Feedback::refilling;
  rounds_.restart(now, delivered_);
}

void Bbr::enter_up(Timestamp now, const RateSample& rate) {
  state_ = State::up;
  phase_began_at_ = now;
  phase_rounds_ = 0;
  up_waits_ = false;
  // One in eight is an ordinary one: where round trips vary by themselves, a gentle one never finds anything.
  up_is_gentle_ = carries_urgent_data(now) && !has_long_queue() && ++gentle_ups_ % kGentleUps != 0;
  up_gain_ = kUpPacingGain;
  // So much faster for a round trip, in which nothing is heard of it yet, makes the queue that long.
  if (up_is_gentle_)
    up_gain_ = std::clamp(1.0 + share(kShortQueue, model_.min_rtt()), kLeastUpPacingGain, kUpPacingGain);
  queue_before_up_ = queue_.delay();
  rtt_before_up_ = losses_.round_rtt().value_or(model_.min_rtt());
  feedback_ = Feedback::starting;
  rounds_.restart(now, delivered_);
  full_pipe_now_ = false;
  full_pipe_rate_ = rate.rate;
  rounds_without_growth_ = 0;
}

void Bbr::advance_probe_cycle(const AckSample& sample) {
  if (round_start_) {
    if (feedback_ == Feedback::starting) feedback_ = Feedback::probing;
    if (feedback_ == Feedback::stopping) {
      feedback_ = Feedback::none;
      if (in_probe_cycle() && !sample.rate.app_limited) model_.advance_cycle();
    }
  }
  // Our choice: what ended startup was no congestion if as much is lost when less is sent than the path takes.
  if (startup_ended_by_loss_ && in_probe_cycle() && losses_.has_measured()) {
    if (!startup_judged_again_ && own_loss() > startup_loss_ * kOwnPartOfStartupLoss) {
      startup_judged_again_ = true;
      return resume_startup();
    }
    startup_ended_by_loss_ = false;
  }
  raise_inflight_limit(sample);
  switch (state_) {
    case State::down:
      if (is_time_to_probe(sample.now)) enter_refill(sample.now);
      // Our choice: until the link's own loss has been measured, and never longer than so many round trips.
      else if (phase_rounds_ >= kMaxDownRounds ||
               (losses_.has_measured() && sample.in_flight <= std::min(inflight_with_headroom(), inflight(1.0))))
        enter_cruise();
      break;
    case State::cruise:
      if (is_time_to_probe(sample.now)) enter_refill(sample.now);
      break;
    case State::refill:
      if (round_start_ && phase_rounds_ > 0) enter_up(sample.now, sample.rate);
      break;
    case State::up:
      if (is_time_to_go_down(sample)) enter_down(sample.now);
      break;
    case State::startup:
    case State::drain:
    case State::probe_rtt: break;
  }
}

bool Bbr::is_time_to_probe(Timestamp now) const {
  // §5.3.3.5.1: as often as a Reno flow would have grown by what it lost, so that it keeps its share.
  const std::uint64_t reno_rounds = std::min(std::min(bdp(1.0), window_) / segment_, kMaxRenoRounds);
  return now > phase_began_at_ + probe_wait_ || rounds_since_probe_ >= reno_rounds;
}

// As version 2 of the algorithm does, `up` is over when the queue that was asked for is there; but our choice is to see
// it. A product made of too short a round trip is in flight at once, without any queue. So the flow goes no faster for
// one round trip, and goes on probing if that shows no queue.
bool Bbr::is_time_to_go_down(const AckSample& sample) {
  if (full_pipe_now_ || sample.ecn_ce != 0) return true;
  if (up_is_gentle_) return is_time_to_go_down_gently(sample);
  if (sample.now < phase_began_at_ + model_.min_rtt() || sample.in_flight_before < inflight(kUpPacingGain)) {
    up_waits_ = false;
    return false;
  }
  const auto round_trip = losses_.round_rtt();
  const Duration visible = std::max(model_.min_rtt() / kVisibleQueueDivisor, losses_.chance());
  if (round_trip && *round_trip > rtt_before_up_ + visible) return true;
  if (!up_waits_ || round_start_) up_waits_ = !up_waits_;
  return false;
}

// How long a queue must be for us to heed it for the sake of urgent data.
Duration Bbr::visible_to_urgent_data() const {
  return std::max(std::min(kShortQueue / 2, model_.min_rtt() / kVisibleQueueDivisor), losses_.chance());
}

// The queue is looked for from the first round trip on that may show it, and a shorter one is enough.
bool Bbr::is_time_to_go_down_gently(const AckSample& sample) {
  if (sample.now < phase_began_at_ + model_.min_rtt()) return false;
  if (queue_.delay() > queue_before_up_ + visible_to_urgent_data()) return true;
  if (round_start_ && phase_rounds_ > 1) up_gain_ = std::min(1.0 + kGentleGrowth * (up_gain_ - 1.0), kUpPacingGain);
  return false;
}

// §5.3.3.5.4: the flow uses all that it is allowed, and nothing is lost: it is allowed more, twice as much each round.
void Bbr::raise_inflight_limit(const AckSample& sample) {
  std::uint64_t& limit = model_.bounds.inflight_limit;
  if (limit == PathModel::kUnbounded) return;
  if (!losses_.is_congestion(losses_.charge(sample.rate.lost, sample.rate.in_flight)))
    limit = std::max(limit, sample.rate.in_flight);
  if (state_ != State::up || sample.in_flight_before + segment_ < window_ || window_ < limit) return;
  const std::uint64_t for_each_segment = std::max<std::uint64_t>(window_ >> std::min<std::uint64_t>(up_rounds_, 30), 1);
  up_acknowledged_ += sample.bytes * segment_;
  limit += up_acknowledged_ / for_each_segment;
  up_acknowledged_ %= for_each_segment;
  if (round_start_) ++up_rounds_;
}

// ---- the shortest round trip

void Bbr::look_at_min_rtt(const AckSample& sample) {
  const bool expired = model_.misses_min_rtt(sample.now) && !put_off_probe_rtt(sample.now);
  if (expired && state_ != State::probe_rtt && !idle_restart_) {
    window_before_probe_rtt_ = window_;
    state_ = State::probe_rtt;
    probe_rtt_done_at_.reset();
    feedback_ = Feedback::stopping;
    rounds_.restart(sample.now, delivered_);
  } else if (state_ == State::probe_rtt) {
    advance_probe_rtt(sample);
  }
}

// A look for the shortest round trip closes the window, and urgent data would wait for it. So it is put off where the
// latest samples show an empty queue; but not for ever, since a path that has become longer shows the same after a
// while.
bool Bbr::put_off_probe_rtt(Timestamp now) {
  const bool may = carries_urgent_data(now) && state_ != State::probe_rtt &&
                   queue_.delay() <= visible_to_urgent_data() && model_.is_near_min_rtt(queue_.shortest()) &&
                   put_offs_ < kMaxPutOffs;
  if (!may) return false;
  ++put_offs_;
  model_.on_probe_rtt_done(now);
  return true;
}

void Bbr::advance_probe_rtt(const AckSample& sample) {
  if (!probe_rtt_done_at_) {
    if (sample.in_flight > std::max(bdp(kProbeRttGain), minimum_window())) return;
    probe_rtt_done_at_ = sample.now + kProbeRttDuration;
    probe_rtt_round_done_ = false;
    rounds_.restart(sample.now, delivered_);
    return;
  }
  probe_rtt_round_done_ |= round_start_;
  if (probe_rtt_round_done_ && sample.now > *probe_rtt_done_at_) leave_probe_rtt(sample.now);
}

void Bbr::leave_probe_rtt(Timestamp now) {
  model_.on_probe_rtt_done(now);
  put_offs_ = 0;
  window_ = std::max(window_, window_before_probe_rtt_);
  model_.lift_short_term();
  if (full_pipe_reached_) {
    enter_down(now);
    enter_cruise();
  } else {
    state_ = State::startup;
  }
}

}  // namespace mxp
