// Packets that wait, paths that carry little, and the way back.
#include <fmt/format.h>

#include "common/counted.h"
#include "mxp-dump/analysis/judges.h"

namespace mxp::dump {
namespace {

// Our choices: less data says nothing of a rate, and a line of today that carries less than 2 Mbit/s is worth a word.
constexpr std::uint64_t kEnoughData = 256 * 1024;
constexpr std::int64_t kEnoughTimeNs = 2'000'000'000;
constexpr double kLowRate = 250'000;  // bytes a second
// Senders leave out a number for about 80 packets at most (docs/protocol.md §6), so this much is more.
constexpr double kAcknowledgementsLost = 0.04;

}  // namespace

void judge_delay(const Story& story, Findings& findings) {
  if (!story.readable()) return;
  const TrafficDirection main = story.main_direction();
  const DirectionStory& direction = story.direction(main);
  const DirectionStory& answering = story.direction(reverse(main));
  const RoundTrip& round_trip = direction.round_trip;
  const bool stands = queue_stands(direction);
  const double unheard = acknowledgements_lost(answering);
  if (acknowledges_only(answering) && unheard > kAcknowledgementsLost) {
    const std::string what = fmt::format("{}: {:.1f} % of the packets are missing, nearly all of them acknowledgements",
                                         direction_phrase(reverse(main)), 100 * unheard);
    const std::vector<std::uint64_t> frames = answering.gaps.lost_before().evidence().frames();
    if (stands)
      findings.push_back(
          {"reverse-path-thin", 0.85, 0.85,
           fmt::format("{}; the round trip grows from {} to {}", what, milliseconds_text(round_trip.shortest_ns()),
                       milliseconds_text(round_trip.quantile_ns(0.5))),
           frames, "load the way back alone: what does it carry?"});
    else findings.push_back({"ack-loss", 0.8, 0.7, what, frames, "a capture at the receiver shows them leave"});
    if (stands) return;
  }
  if (stands) {
    // Twice the round trip is felt, four times is bad.
    const double growth =
        static_cast<double>(round_trip.quantile_ns(0.5)) / static_cast<double>(round_trip.shortest_ns());
    findings.push_back(
        {"queueing-delay",
         0.85,
         std::min(0.6 + 0.06 * (growth - 1), 0.8),
         fmt::format("{}: the round trip is {} at least, {} in the middle and {} at most while data is under way",
                     direction_phrase(main), milliseconds_text(round_trip.shortest_ns()),
                     milliseconds_text(round_trip.quantile_ns(0.5)), milliseconds_text(round_trip.longest_ns())),
         {},
         "ping beside the transfer and without it"});
  }
  const double rate = sustained_rate(direction.history, round_trip.shortest_ns());
  const TimeAccount::Sums sums = story.time_sums();
  if (rate > 0 && rate < kLowRate && direction.data_bytes >= kEnoughData && story.length_ns() > kEnoughTimeNs &&
      sums.share(Limit::path_rate) > 0.5) {
    findings.push_back({"rate-limited",
                        0.8,
                        0.72,
                        fmt::format("{}: the path carries {:.3f} Mbit/s, and that is {:.0f} % of the connection's time",
                                    direction_phrase(main), 8e-6 * rate, 100 * sums.share(Limit::path_rate)),
                        {},
                        "mxp-perf over the same path reaches no more; ask what the line is meant to carry"});
  }
}

}  // namespace mxp::dump
