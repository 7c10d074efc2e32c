// Packets that do not arrive: of either direction, at random, in bursts, by a full queue, by a policer, by their size.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "common/counted.h"
#include "mxp-dump/analysis/judges.h"

namespace mxp::dump {
namespace {

using tools::counted;

// Our choices. Below this a loss is nothing that slows a connection down, and may be the fault of a receiver's buffer.
constexpr std::uint64_t kLeastLost = 4;
constexpr double kLeastShare = 0.003;

// How bad a share of losses is: a hundredth is felt, a tenth is hardly bearable.
double gravity(double share) { return std::min(0.55 + std::sqrt(share), 0.9); }

std::string pattern_text(const LossPattern& pattern) {
  return fmt::format(
      "{} of {} ({:.1f} %), in {} of {:.1f} packets in the mean, {} at most (Gilbert: p {:.4f}, r {:.2f})",
      pattern.lost_packets(), counted(pattern.lost_packets() + pattern.delivered_packets(), "packet"),
      100 * pattern.share(), counted(pattern.runs(), "run"), pattern.mean_run(), pattern.longest_run(),
      pattern.to_bad(), pattern.to_good());
}

// Losses that belong to something else that is told: the pauses of an outage, the moves of a client.
bool explained_otherwise(const Story& story, const LossPattern& pattern) {
  const std::uint64_t events = story.path.move_count + story.path.server_challenges + story.silence.unanswered.size() +
                               story.silence.both.size();
  return events > 0 && pattern.runs() <= 3 * events;
}

void judge_one(const Story& story, TrafficDirection which, Findings& findings) {
  const DirectionStory& direction = story.direction(which);
  const LossPlace place = loss_place(direction);
  if (place.pattern == nullptr) return;
  const LossPattern& pattern = *place.pattern;
  if (pattern.lost_packets() < kLeastLost || pattern.share() < kLeastShare) return;
  // Lost acknowledgements are another finding, and what came damaged did come.
  if (acknowledges_only(direction) && which != story.main_direction()) return;
  const std::uint64_t broken = direction.damaged.count() + direction.unread.count();
  if (place.before_here && broken * 10 >= pattern.lost_packets() * 6) return;
  if (direction.sizes.black_hole() || direction.sizes.arrivals_changed() || explained_otherwise(story, pattern)) return;
  const std::string where = fmt::format("{}, {}: ", direction_phrase(which),
                                        place.before_here ? "between the sender and the place of this capture"
                                                          : "between the place of this capture and the receiver");
  const std::string what = where + pattern_text(pattern);
  std::vector<std::uint64_t> frames = pattern.evidence().frames();
  const double share = gravity(pattern.share());
  const bool waits_for_credit =
      direction.credit.waits(Credit::Kind::stream).count + direction.credit.waits(Credit::Kind::connection).count > 0;
  LossCause cause = place.before_here ? LossCause::unknown : loss_cause(direction);
  // A window makes a steady rate too.
  if (cause == LossCause::policer && waits_for_credit) cause = LossCause::unknown;
  switch (cause) {
    case LossCause::policer:
      findings.push_back(
          {"policing", 0.85, std::max(share, 0.9),
           fmt::format("{}; about {:.2f} Mbit/s pass, what is more is dropped at once, and no packet waits", what,
                       8e-6 * sustained_rate(direction.history, direction.round_trip.shortest_ns())),
           std::move(frames), "send below that rate: the losses stop; ask who polices the line"});
      return;
    case LossCause::queue:
      findings.push_back({"congestion-loss", 0.75, std::min(share, 0.75),
                          fmt::format("{}; nearly all of them while packets waited in a queue", what),
                          std::move(frames),
                          "the same transfer at another time of day, or at half the rate, loses nothing"});
      return;
    case LossCause::none:
    case LossCause::unknown: break;
  }
  const bool bursty = pattern.bursty();
  const double sure = std::min(0.7 + 0.02 * static_cast<double>(pattern.runs()), 0.9);
  findings.push_back(
      {bursty ? "loss-bursts" : "loss-random", sure, share, what, std::move(frames),
       bursty ? "a radio link, an overloaded receiver (its socket buffer), or outages of some milliseconds: "
                "look at drops of interfaces and sockets on the way"
              : "errors of interfaces and lines on the way; a capture at the other end and `mxp-dump -r` "
                "there say on which side"});
}

}  // namespace

void judge_loss(const Story& story, Findings& findings) {
  if (!story.readable()) return;
  for (const TrafficDirection which : kDirections) judge_one(story, which, findings);
  for (const TrafficDirection which : kDirections) {
    const DirectionStory& direction = story.direction(which);
    // An outage swallows large and small alike, and its end is often seen by small probes first.
    if (!story.silence.unanswered.empty()) continue;
    if (direction.sizes.black_hole()) {
      findings.push_back(
          {"pmtu-black-hole", 0.9, 0.98,
           fmt::format("{}: datagrams of up to {} bytes arrived at first; then {} vanished while {} arrived",
                       direction_phrase(which), direction.sizes.largest_delivered(),
                       counted(direction.sizes.missing_count(), "datagram of more than 1200 bytes",
                               "datagrams of more than 1200 bytes"),
                       counted(direction.sizes.small_count(), "smaller one", "smaller ones")),
           direction.sizes.evidence().frames(),
           "ping -M do -s SIZE HOST: small ones are answered, large ones are not"});
    } else if (direction.sizes.arrivals_changed()) {
      findings.push_back(
          {"pmtu-black-hole", 0.75, 0.98,
           fmt::format("{}: datagrams of more than 1200 bytes came at first; since then only smaller ones, "
                       "after numbers that are missing",
                       direction_phrase(which)),
           direction.sizes.changed().frames(), "a capture at the sender: does it still send large datagrams?"});
    }
  }
}

}  // namespace mxp::dump
