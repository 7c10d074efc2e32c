// A pair of links that changes over time: steps, ramps, black-outs, hand-overs, new source ports. Values only, and a
// player without clocks, so that mxp-netem and the simulator play the same.
//
//     TimelinePlayer player(timeline);
//     player.start(now);                                   // links made from player.link(Direction::up), …
//     wake_at(player.next_change());
//     while (const auto change = player.take(now)) apply(*change, up, down);
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "mxp/time.h"
#include "netem/link.h"
#include "netem/spec.h"

namespace mxp::netem {

struct LinkState {
  LinkSpec spec;
  bool blocked = false;
  bool operator==(const LinkState&) const = default;
};

struct TimelineEvent {
  Duration at{};  // since the beginning
  Direction direction = Direction::up;
  std::optional<LinkSpec> spec;  // what the link becomes
  Duration ramp{};               // … over this time, from what it is then; zero: at once
  Link::Path path = Link::Path::same;
  std::optional<bool> blocked{};
  bool rebind = false;  // clients get another source port towards the target; the direction does not matter
};

struct Timeline {
  LinkSpec up;  // at the beginning
  LinkSpec down;
  std::vector<TimelineEvent> events;  // by time
  Duration repeat{};                  // after this time it begins again; zero: never
};

// Between two links, at `part` 0..1 of the way: delay, jitter, rate, and the chances of loss, copies and corruption.
// What cannot lie between (a word that only one of them has, another loss model) is that of `to`.
LinkSpec between(const LinkSpec& from, const LinkSpec& to, double part);

struct LinkChange {
  Direction direction = Direction::up;
  std::optional<LinkSpec> spec{};
  Link::Path path = Link::Path::same;
  std::optional<bool> blocked{};
  bool rebind = false;
};
void apply(const LinkChange& change, Link& up, Link& down);

class TimelinePlayer {
 public:
  // Our choices: a ramp is a staircase of steps this long, and of so many at most.
  static constexpr Duration kRampStep = std::chrono::milliseconds(10);
  static constexpr std::uint32_t kMostRampSteps = 1000;

  // `timeline` outlives it: a recorded one has a million events.
  explicit TimelinePlayer(const Timeline& timeline);
  explicit TimelinePlayer(Timeline&&) = delete;
  void start(Timestamp now) { begin_ = now; }

  // kNever once nothing is left to come.
  Timestamp next_change() const;
  // The next change that is due by `now`.
  std::optional<LinkChange> take(Timestamp now);
  // As it is after all changes taken: what a link that is made now begins with.
  const LinkState& link(Direction direction) const { return states_[static_cast<std::size_t>(direction)]; }

 private:
  struct Ramp {
    LinkSpec from;
    LinkSpec to;
    Timestamp begin;
    Duration length{};
    std::uint32_t steps = 1;
    std::uint32_t next = 1;
    Timestamp due() const { return begin + length / steps * next; }
  };
  LinkState& state(Direction direction) { return states_[static_cast<std::size_t>(direction)]; }
  std::optional<Ramp>& ramp(Direction direction) { return ramps_[static_cast<std::size_t>(direction)]; }
  LinkChange take_event();
  LinkChange take_ramp_step(Direction direction);
  LinkChange take_new_beginning();
  Timestamp time_of_event() const;
  Timestamp time_of_new_beginning() const;

  const Timeline& timeline_;
  Timestamp begin_{};
  std::size_t next_event_ = 0;
  // Of a new beginning, which is one change for each direction.
  bool down_begins_anew_ = false;
  std::array<LinkState, 2> states_;
  std::array<std::optional<Ramp>, 2> ramps_;
};

}  // namespace mxp::netem
