#include "reliability/bbr.h"

#include <algorithm>
#include <utility>

#include "reliability/scaled.h"

namespace mxp {
namespace {

// From the specification.
constexpr double kStartupPacingGain = 2.77;  // 4 × ln 2: doubles in each round trip
constexpr double kDrainPacingGain = 0.5;
constexpr double kDownPacingGain = 0.9;
constexpr double kWindowGain = 2.0;
constexpr double kUpWindowGain = 2.25;
constexpr double kPacingMargin = 0.99;        // so that a queue is not kept by an estimate that is a little high
constexpr double kHeadroom = 0.85;            // of what the path was seen to hold: room for others
constexpr std::uint64_t kQueueOfOneFlow = 6;  // packets
constexpr double kMuchSlower = 0.25;          // of the estimated rate
constexpr Duration kLongQueue = std::chrono::milliseconds(20);
constexpr std::uint64_t kEpisodeRounds = 3;
constexpr double kCruiseStep = 0.02;
constexpr double kMinCruiseGain = 0.8;
// Our choice: how long after the last urgent data we heed them.
constexpr Duration kUrgentTime = std::chrono::seconds(10);
// §5.6.3: bytes that leave the host in one go, times this, may always be in flight.
constexpr std::uint64_t kOffloadBursts = 3;
constexpr Duration kBurstTime = std::chrono::milliseconds(1);
constexpr std::uint64_t kMaxBurst = 64u << 10;

// Of all packets together. The time that the peer held the ACK back is subtracted from those without a gap up to the
// largest. Behind a gap, the largest may have come long before the others, and waited longer than they did.
Duration total_round_trips(const AckSample& sample, const RttEstimator& rtt) {
  const Duration held = sample.rtt_sampled ? rtt.latest() - rtt.latest_adjusted() : Duration::zero();
  const auto& packets = sample.acknowledged;
  std::size_t largest = 0;
  while (largest + 1 < packets.size() && packets[largest].number < sample.largest) ++largest;
  std::size_t first = largest;
  while (first > 0 && packets[first - 1].number.value() + 1 == packets[first].number.value()) --first;
  Duration sum{};
  for (std::size_t i = 0; i < packets.size(); ++i) {
    const Duration waited = i >= first && i <= largest ? held : Duration::zero();
    sum += std::max(sample.now - packets[i].sent_at - waited, Duration(1));
  }
  return sum;
}

}  // namespace

Bbr::Bbr(std::size_t max_datagram_bytes) : segment_(max_datagram_bytes), window_(initial_window(max_datagram_bytes)) {}

// ---- what is heard

bool Bbr::on_packet_sent(const SentPacket& packet, std::uint64_t in_flight_before) {
  const bool is_idle = in_flight_before == 0;
  // §5.4.1: after a pause the flow goes on at the rate that it had, neither faster nor slower.
  if (is_idle && packet.delivery.app_limited) {
    idle_restart_ = true;
    model_.on_idle_restart(packet.sent_at);
    if (in_probe_cycle() && pacing_rate_) pacing_rate_ = scaled(model_.rate(), kPacingMargin / (1.0 - own_loss()));
    else if (state_ == State::probe_rtt && probe_rtt_done_at_ && packet.sent_at > *probe_rtt_done_at_)
      leave_probe_rtt(packet.sent_at);
  }
  const bool gain_changed = is_searching() && search_->on_packet_sent(packet, model_.min_rtt(), segment_);
  if (gain_changed) pacing_rate_ = pacing_rate_in_search();
  return is_idle || gain_changed;
}

bool Bbr::on_loss(const LossSample& sample, const RttEstimator&) {
  // What arrives late is heard of a round trip or two later: an episode lasts as long.
  const bool new_episode = rounds_.count() >= episode_round_ + kEpisodeRounds;
  if (new_episode) {
    episode_round_ = rounds_.count();
    bounds_before_loss_ = model_.bounds;
  }
  losses_.on_loss(sample.bytes, sample.packets);
  for (auto lost = sample.lost.rbegin(); lost != sample.lost.rend(); ++lost) {
    if (!lost->packet.in_flight) continue;
    // §5.5.10.2: how much was lost of what was in flight with the newest of them. What is probed for is given up at
    // once; a round that was congested without probing is judged when it ends.
    const DeliveryState& sent = lost->packet.delivery;
    const LossJudge::Charge charge = losses_.charge(sample.total_lost - sent.lost, sent.in_flight);
    if (probes_for_rate() && losses_.is_congestion(charge)) on_inflight_too_high(sample.now, sent, charge);
    break;
  }
  return new_episode;
}

void Bbr::on_ack(const AckSample& sample, const RttEstimator& rtt) {
  delivered_ = sample.rate.total_delivered;
  const auto overtaken = std::count_if(sample.acknowledged.begin(), sample.acknowledged.end(),
                                       [this](const SentPacket& it) { return it.number < largest_acknowledged_; });
  largest_acknowledged_ = std::max(largest_acknowledged_, sample.largest);
  losses_.on_ack(sample.bytes, sample.acknowledged.size(), total_round_trips(sample, rtt),
                 static_cast<std::uint64_t>(overtaken));
  if (sample.rtt_sampled) queue_.on_sample(sample.now, rtt.latest_adjusted());
  model_.on_delivery(sample.rate.rate, sample.rate.delivered);
  model_.on_rate(sample.rate.rate, sample.rate.app_limited);
  round_start_ = rounds_.on_ack(sample.now, sample.rate.prior_delivered, sample.rate.total_delivered, model_.min_rtt());
  // ECN: the round is congested, whatever was lost (RFC 9002 §7.1). `up` has found its queue.
  queue_was_marked_ |= sample.ecn_ce != 0;
  if (round_start_) begin_round(sample);
  model_.on_acknowledged(sample.now, sample.bytes, window_, round_start_, !full_pipe_reached_);
  if (!search_gently(sample, rtt)) look_for_full_pipe(sample);
  advance(sample);
  look_at_min_rtt(sample);
  if (sample.rate.delivered > 0) idle_restart_ = false;
  set_pacing_rate(rtt);
  set_window(sample);
}

void Bbr::begin_round(const AckSample& sample) {
  ++phase_rounds_;
  ++rounds_since_probe_;
  const bool marked = std::exchange(queue_was_marked_, false);
  if (marked || losses_.round_is_congested()) {
    if (state_ == State::startup) {
      end_startup_by_loss(losses_.round_charge());
    } else if (!probes_for_rate()) {
      charge_ = losses_.round_charge();
      model_.cut(window_);
    }
    if (marked) {
      // A router has said so: no packet that arrives late makes it untrue.
      startup_ended_by_loss_ = false;
      bounds_before_loss_ = model_.bounds;
    }
  } else if (state_ == State::startup && rounds_without_growth_ == 0 && !(search_ && search_->has_shown_queue())) {
    losses_.measure_round();  // the pipe is not full yet: what is lost is the link's own loss
  }
  if (state_ == State::cruise) give_way(sample.now);
  look_for_slower_path(sample);
  if (const auto mean = losses_.settled_rtt()) model_.on_rtt(sample.now, *mean, losses_.delivered_packets());
  losses_.begin_round(model_.min_rtt());
  model_.begin_round(sample.rate.rate, sample.rate.delivered);
}

// Our choice: flows that share a link keep a queue together, in which each has room in proportion to what it had
// before. Who has more than a few packets in it sends a little less; who has less does not. So shares converge, and the
// queue goes. A flow that fills the queue whatever we do (CUBIC) takes no more than the bound leaves it.
void Bbr::give_way(Timestamp now) {
  const bool has_grown =
      losses_.queue_has_grown() || (carries_urgent_data(now) && queue_.delay() > visible_to_urgent_data());
  const bool queue_is_ours = has_grown && model_.rate().bytes_in(losses_.queue_delay()) > kQueueOfOneFlow * segment_;
  cruise_gain_ = std::clamp(cruise_gain_ + (queue_is_ours ? -kCruiseStep : kCruiseStep), kMinCruiseGain, 1.0);
}

// Our choice: the specification keeps the largest rate of two cycles, five seconds in which a path that takes a tenth
// of it is overfilled. It is given up when a whole round delivered so much less, with a queue that is longer than the
// path, and longer than a busy host makes one: a process that waits some milliseconds for its processor looks like such
// a path for a few of the round trips of a local network. Where packets overtake others, the mean of a round says too
// little for that.
void Bbr::look_for_slower_path(const AckSample& sample) {
  if (!full_pipe_reached_ || state_ == State::probe_rtt || sample.rate.app_limited) return;
  if (losses_.queue_delay() <= std::max(model_.min_rtt(), kLongQueue) || losses_.chance() > LossJudge::kQueueFloor)
    return;
  if (model_.latest_rate() >= scaled(model_.max_rate(), kMuchSlower)) return;
  model_.forget_rate();
  enter_down(sample.now);
}

// ---- the machine

void Bbr::advance(const AckSample& sample) {
  if (state_ == State::startup && full_pipe_reached_) enter_drain(sample.now);
  if (state_ == State::drain && sample.in_flight <= inflight(1.0)) enter_down(sample.now);
  if (full_pipe_reached_) advance_probe_cycle(sample);
}

void Bbr::on_inflight_too_high(Timestamp now, const DeliveryState& when_sent, const LossJudge::Charge& charge) {
  if (state_ == State::startup) {
    end_startup_by_loss(charge);
    enter_drain(now);
    return;
  }
  charge_ = charge;
  if (!when_sent.app_limited)
    model_.bounds.inflight_limit = std::max(when_sent.in_flight, scaled(std::min(bdp(1.0), window_), PathModel::kBeta));
  if (state_ == State::up) enter_down(now);
}

// ---- what is sent

double Bbr::pacing_gain() const {
  switch (state_) {
    case State::startup: return kStartupPacingGain;
    case State::drain: return kDrainPacingGain;
    case State::down: return kDownPacingGain;
    case State::up: return up_waits_ ? 1.0 : up_gain_;
    case State::cruise: return cruise_gain_;
    case State::refill:
    case State::probe_rtt: return 1.0;
  }
  return 1.0;
}

double Bbr::window_gain() const {
  if (state_ == State::up) return kUpWindowGain;
  return state_ == State::probe_rtt ? kProbeRttGain : kWindowGain;
}

// In flight when the path is full: what arrives, and what the link loses by itself until that is known.
std::uint64_t Bbr::bdp(double gain) const {
  if (model_.min_rtt() == Duration::zero()) return initial_window(segment_);
  const std::uint64_t known = scaled(model_.rate().bytes_in(model_.min_rtt()), gain / (1.0 - own_loss()));
  return is_searching() ? std::max(known, scaled(search_->rate().bytes_in(model_.min_rtt()), gain)) : known;
}

std::uint64_t Bbr::inflight(double gain) const {
  const std::uint64_t burst = std::clamp<std::uint64_t>(pacing_rate_ ? pacing_rate_->bytes_in(kBurstTime) : 0, segment_,
                                                        std::max(kMaxBurst, segment_));
  std::uint64_t bytes = std::max({bdp(gain), kOffloadBursts * burst, minimum_window()});
  if (state_ == State::up) bytes += 2 * segment_;
  return bytes;
}

std::uint64_t Bbr::inflight_with_headroom() const {
  const std::uint64_t limit = model_.bounds.inflight_limit;
  if (limit == PathModel::kUnbounded) return limit;
  return std::max(std::min(scaled(limit, kHeadroom), limit - std::min(limit, segment_)), minimum_window());
}

void Bbr::set_pacing_rate(const RttEstimator& rtt) {
  if (model_.rate().is_zero()) return;
  if (is_searching()) {
    pacing_rate_ = pacing_rate_in_search();
    return;
  }
  const ByteRate rate = scaled(model_.rate(), pacing_gain() * kPacingMargin / (1.0 - own_loss()));
  // §5.6.2: in start-up it never falls. The first ACK tells of a single packet, which is no rate at all.
  if (full_pipe_reached_) pacing_rate_ = rate;
  else if (pacing_rate_ || first_window_is_paced_) pacing_rate_ = std::max(rate, pacing_rate(rtt));
  else pacing_rate_ = rate;
}

ByteRate Bbr::pacing_rate(const RttEstimator& rtt) const {
  if (pacing_rate_) return *pacing_rate_;
  // §5.6.2: nothing is known yet. One initial window in a round trip, which before a sample is taken for 1 ms.
  const Duration round_trip =
      rtt.has_sample() ? std::max(rtt.smoothed(), Duration(1000)) : Duration(std::chrono::milliseconds(1));
  return scaled(ByteRate::over(window_, round_trip), kStartupPacingGain);
}

void Bbr::set_window(const AckSample& sample) {
  const std::uint64_t wanted = inflight(window_gain()) + (state_ == State::probe_rtt ? 0 : model_.extra_acked());
  if (full_pipe_reached_) window_ = std::min(window_ + sample.bytes, wanted);
  else if (window_ < wanted || delivered_ < first_window()) window_ += sample.bytes;

  std::uint64_t bound = PathModel::kUnbounded;
  if (state_ == State::probe_rtt)
    bound = std::min(std::max(bdp(kProbeRttGain), minimum_window()), inflight_with_headroom());
  else if (state_ == State::cruise) bound = inflight_with_headroom();
  else if (in_probe_cycle()) bound = model_.bounds.inflight_limit;
  bound = std::min(bound, model_.bounds.inflight);
  window_ = std::max(std::min(window_, bound), minimum_window());
}

ByteRate Bbr::pacing_rate_in_search() const { return scaled(search_->rate(), search_->pacing_gain() * kPacingMargin); }

// ---- trouble

void Bbr::on_persistent_congestion() {
  // §5.6.4.4: what is in flight is gone; the window grows again with every ACK up to what the model says.
  window_ = minimum_window();
}

// Our choice: half of them are enough, or so many that what is left was no congestion. On a path that loses packets as
// well as letting them overtake each other they never all arrive.
void Bbr::on_late_arrival(std::uint64_t late, std::uint64_t lost) {
  losses_.on_late_arrival(segment_);
  const bool had_cut = charge_.lost_packets > 0;
  if (had_cut) --charge_.lost_packets;
  charge_.lost -= std::min<std::uint64_t>(charge_.lost, segment_);
  if (2 * late < lost && (!had_cut || losses_.is_congestion(charge_))) return;
  charge_ = {};
  PathModel::Bounds& bounds = model_.bounds;
  bounds.rate = std::max(bounds.rate, bounds_before_loss_.rate);
  bounds.inflight = std::max(bounds.inflight, bounds_before_loss_.inflight);
  bounds.inflight_limit = std::max(bounds.inflight_limit, bounds_before_loss_.inflight_limit);
  full_pipe_now_ = false;
  rounds_without_growth_ = 0;
  if (startup_ended_by_loss_ && (state_ == State::drain || in_probe_cycle())) resume_startup();
}

void Bbr::on_handshake_round_trip() {
  if (delivered_ != 0 || window_ != initial_window(segment_)) return;
  first_window_is_paced_ = true;
  window_ = first_window();
}

void Bbr::on_urgent_data(Timestamp now) { urgent_until_ = now + kUrgentTime; }

void Bbr::on_datagram_size(std::size_t bytes) {
  const bool untouched = window_ == first_window() && delivered_ == 0;
  segment_ = bytes;
  window_ = untouched ? first_window() : std::max(window_, minimum_window());
}

}  // namespace mxp
