// Flow control: who waits for which credit, and whether the reader or the size of the window is to blame.
#include <fmt/format.h>

#include "common/counted.h"
#include "mxp-dump/analysis/judges.h"

namespace mxp::dump {
namespace {

using tools::counted;

constexpr std::array<std::string_view, Credit::kKinds> kStalls{"connection-credit-stall", "stream-credit-stall",
                                                               "message-credit-stall"};
constexpr std::array<std::string_view, Credit::kKinds> kCredits{
    "the connection's credit (MAX_DATA)", "a stream's credit (MAX_STREAM_DATA)", "credit for messages (MAX_MESSAGES)"};

}  // namespace

void judge_credit(const Story& story, Findings& findings) {
  for (const TrafficDirection which : kDirections) {
    const DirectionStory& direction = story.direction(which);
    const std::int64_t round_trip = direction.round_trip.smoothed_ns();
    for (std::size_t kind = 0; kind < Credit::kKinds; ++kind) {
      const Credit::Waits& waits = direction.credit.waits(static_cast<Credit::Kind>(kind));
      if (waits.count == 0) continue;
      const double share = std::min(
          1.0, static_cast<double>(waits.total_ns) / static_cast<double>(std::max<std::int64_t>(story.length_ns(), 1)));
      // Our choice: a tenth of the time, or half a second, is worth a word. Windows that grow as a connection begins
      // make it wait a moment.
      if (share < 0.1 && waits.total_ns < 500'000'000) continue;
      // A reader that keeps up raises the limit at once, so the wait is a round trip.
      const std::int64_t per_wait = waits.grant_ns / static_cast<std::int64_t>(waits.count);
      const bool slow = per_wait > 2 * round_trip + 50'000'000;
      std::string what = fmt::format(
          "{}: waited {} for {}, {} in all ({:.0f} % of the time), {} at longest; the limit was raised after {} "
          "in the mean, the round trip from here is {}",
          direction_phrase(which), counted(waits.count, "time"), kCredits[kind], milliseconds_text(waits.total_ns),
          100 * share, milliseconds_text(waits.longest_ns), milliseconds_text(per_wait), milliseconds_text(round_trip));
      if (waits.stream) what += fmt::format("; stream {}", waits.stream->value());
      const double gravity = 0.75 + 0.2 * share;
      // Where much is lost, what came waits for what did not, and no reader can take it.
      const bool lossy = direction.lost() * 200 > direction.opened;
      if (slow)
        findings.push_back({"slow-reader", lossy ? 0.5 : 0.85, gravity, what, waits.evidence.frames(),
                            "what the receiving program does meanwhile: it takes data more slowly than it comes"});
      findings.push_back({kStalls[kind], slow ? (lossy ? 0.4 : 0.6) : 0.85, gravity, std::move(what),
                          waits.evidence.frames(),
                          slow ? "the receiving program, first of all"
                               : "a larger window at the receiver (FlowControlConfig, MessageConfig)"});
    }
  }
}

}  // namespace mxp::dump
