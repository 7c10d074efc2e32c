#include "netem/timeline.h"

#include <algorithm>
#include <cmath>

namespace mxp::netem {
namespace {

Duration between(Duration from, Duration to, double part) {
  return from + Duration(std::llround(static_cast<double>((to - from).count()) * part));
}

// A chance that one of them does not have is 0 there; its correlation is then that of the other.
Chance between(const Chance& from, const Chance& to, double part) {
  return {.p = std::lerp(from.p, to.p, part), .correlation = to.p > 0 ? to.correlation : from.correlation};
}

std::optional<Chance> as_chance(const LossModel& loss) {
  if (std::holds_alternative<NoLoss>(loss)) return Chance{};
  if (const auto* random = std::get_if<RandomLoss>(&loss)) return *random;
  return std::nullopt;
}

LossModel between(const LossModel& from, const LossModel& to, double part) {
  if (from == to) return to;
  const auto from_chance = as_chance(from);
  const auto to_chance = as_chance(to);
  if (from_chance && to_chance) return between(*from_chance, *to_chance, part);
  const auto* from_chain = std::get_if<GilbertElliott>(&from);
  const auto* to_chain = std::get_if<GilbertElliott>(&to);
  if (from_chain == nullptr || to_chain == nullptr) return to;
  return GilbertElliott{.p = std::lerp(from_chain->p, to_chain->p, part),
                        .r = std::lerp(from_chain->r, to_chain->r, part),
                        .loss_in_bad = std::lerp(from_chain->loss_in_bad, to_chain->loss_in_bad, part),
                        .loss_in_good = std::lerp(from_chain->loss_in_good, to_chain->loss_in_good, part)};
}

}  // namespace

LinkSpec between(const LinkSpec& from, const LinkSpec& to, double part) {
  if (part >= 1) return to;
  LinkSpec spec = to;
  spec.delay.mean = between(from.delay.mean, to.delay.mean, part);
  spec.delay.jitter = between(from.delay.jitter, to.delay.jitter, part);
  spec.loss = between(from.loss, to.loss, part);
  spec.duplicate = between(from.duplicate, to.duplicate, part);
  spec.corrupt = between(from.corrupt, to.corrupt, part);
  if (!from.rate.is_zero() && !to.rate.is_zero()) {
    spec.rate = ByteRate::bytes_per_second(static_cast<std::uint64_t>(std::llround(std::lerp(
        static_cast<double>(from.rate.bytes_per_second()), static_cast<double>(to.rate.bytes_per_second()), part))));
  }
  return spec;
}

void apply(const LinkChange& change, Link& up, Link& down) {
  Link& link = change.direction == Direction::up ? up : down;
  if (change.blocked) link.set_blocked(*change.blocked);
  if (change.spec) link.change(*change.spec, change.path);
}

TimelinePlayer::TimelinePlayer(const Timeline& timeline) : timeline_(timeline) {
  states_ = {LinkState{.spec = timeline_.up}, LinkState{.spec = timeline_.down}};
}

Timestamp TimelinePlayer::time_of_event() const {
  return next_event_ < timeline_.events.size() ? begin_ + timeline_.events[next_event_].at : kNever;
}

Timestamp TimelinePlayer::time_of_new_beginning() const {
  return timeline_.repeat.count() > 0 ? begin_ + timeline_.repeat : kNever;
}

Timestamp TimelinePlayer::next_change() const {
  if (down_begins_anew_) return begin_;
  Timestamp next = std::min(time_of_event(), time_of_new_beginning());
  for (const auto& ramp : ramps_) {
    if (ramp) next = std::min(next, ramp->due());
  }
  return next;
}

std::optional<LinkChange> TimelinePlayer::take(Timestamp now) {
  const Timestamp next = next_change();
  if (next == kNever || next > now) return std::nullopt;
  if (down_begins_anew_ || next == time_of_new_beginning()) return take_new_beginning();
  // An event ends the ramp of its direction, so it comes before a step of the same time.
  if (next == time_of_event()) return take_event();
  return take_ramp_step(ramps_[0] && ramps_[0]->due() == next ? Direction::up : Direction::down);
}

LinkChange TimelinePlayer::take_event() {
  const Timestamp due = time_of_event();
  const TimelineEvent& event = timeline_.events[next_event_++];
  LinkState& link = state(event.direction);
  LinkChange change{
      .direction = event.direction, .spec = {}, .path = event.path, .blocked = event.blocked, .rebind = event.rebind};
  if (event.blocked) link.blocked = *event.blocked;
  if (!event.spec) return change;
  ramp(event.direction).reset();
  if (event.ramp.count() == 0) {
    link.spec = *event.spec;
  } else {
    const auto steps = static_cast<std::uint32_t>(
        std::clamp<Duration::rep>(event.ramp / kRampStep, 1, static_cast<Duration::rep>(kMostRampSteps)));
    ramp(event.direction) =
        Ramp{.from = link.spec, .to = *event.spec, .begin = due, .length = event.ramp, .steps = steps};
    link.spec = between(link.spec, *event.spec, 0);
  }
  change.spec = link.spec;
  return change;
}

LinkChange TimelinePlayer::take_ramp_step(Direction direction) {
  std::optional<Ramp>& current = ramp(direction);
  LinkState& link = state(direction);
  link.spec = between(current->from, current->to, static_cast<double>(current->next) / current->steps);
  if (current->next++ == current->steps) current.reset();
  return {.direction = direction, .spec = link.spec};
}

LinkChange TimelinePlayer::take_new_beginning() {
  if (!down_begins_anew_) {
    begin_ += timeline_.repeat;
    next_event_ = 0;
    ramps_ = {};
  }
  const Direction direction = down_begins_anew_ ? Direction::down : Direction::up;
  down_begins_anew_ = !down_begins_anew_;
  LinkState& link = state(direction);
  link = {.spec = direction == Direction::up ? timeline_.up : timeline_.down};
  return {.direction = direction, .spec = link.spec, .blocked = false};
}

}  // namespace mxp::netem
