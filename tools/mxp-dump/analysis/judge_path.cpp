// Where the client is, and whether the path was there at all.
#include <fmt/format.h>

#include "common/counted.h"
#include "mxp-dump/analysis/judges.h"

namespace mxp::dump {
namespace {

using tools::counted;

void judge_moves(const Story& story, Findings& findings) {
  const PathStory& path = story.path;
  if (path.returns > 4 * path.move_count) return;  // captured on both sides of a relay
  std::uint64_t knowingly = 0;
  std::vector<std::uint64_t> moved, rebound;
  const PathStory::Move* example = nullptr;
  for (const PathStory::Move& move : path.moves) {
    if (move.knowingly) ++knowingly;
    (move.knowingly ? moved : rebound).push_back(move.frame);
    if (example == nullptr || !move.knowingly) example = &move;
  }
  if (example != nullptr) {
    const std::string what =
        fmt::format("{}, first from {} to {}", counted(path.move_count, "change of address", "changes of address"),
                    path.moves.front().from.to_string(), path.moves.front().to.to_string());
    if (!rebound.empty())
      findings.push_back({"nat-rebinding", 0.9, 0.84,
                          what + ", with the same connection id: the client does not know of it", std::move(rebound),
                          "the idle time of entries in the NAT before the client; a keep-alive below it"});
    if (knowingly > 0)
      findings.push_back({"client-moved", 0.9, 0.8, what + ", with a new connection id: the client moved by itself",
                          std::move(moved), "the client's log: its interface or its network changed"});
  } else if (path.server_challenges > 0 && !path.client_challenged) {
    findings.push_back(
        {"nat-rebinding", 0.75, 0.84,
         fmt::format("the server asked {} whether the path works, though the client's address is the same here: "
                     "it changed between here and the server",
                     counted(path.server_challenges, "time")),
         path.challenges.frames(), "a capture at the server shows the addresses"});
  }
}

}  // namespace

void judge_path(const Story& story, Findings& findings) {
  judge_moves(story, findings);
  const std::int64_t round_trip = story.smoothed_round_trip_ns();
  std::uint64_t count = 0;
  std::int64_t total = 0, longest = 0;
  std::vector<std::uint64_t> frames;
  const auto add = [&](const SilenceStory::Span& span) {
    ++count;
    total += span.length_ns();
    longest = std::max(longest, span.length_ns());
    if (frames.size() + 2 <= Evidence::kMaxFrames) frames.insert(frames.end(), {span.frame_before, span.frame_after});
  };
  for (const SilenceStory::Span& span : story.silence.unanswered) {
    if (span.length_ns() > 8 * round_trip && story.handshake.confirmed_ns &&
        span.from_ns >= *story.handshake.confirmed_ns)
      add(span);
  }
  // At the receiver's end nobody is heard; that the sender had something to repair says that it did speak.
  if (count == 0) {
    for (const SilenceStory::Span& span : story.silence.both) {
      if (span.repaired && span.length_ns() > 8 * round_trip && story.handshake.confirmed_ns &&
          span.from_ns >= *story.handshake.confirmed_ns)
        add(span);
    }
  }
  if (count == 0) return;
  findings.push_back(
      {"outage", 0.85, 0.88,
       fmt::format("{}, {} in all, {} at longest, in which nothing came through although there was something to send",
                   counted(count, "pause"), milliseconds_text(total), milliseconds_text(longest)),
       std::move(frames), "the logs of links and radios for these times"});
}

}  // namespace mxp::dump
