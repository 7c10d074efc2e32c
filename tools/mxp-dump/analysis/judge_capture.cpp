// What is wrong with the capture rather than with the network.
#include <fmt/format.h>

#include "common/counted.h"
#include "mxp-dump/analysis/judges.h"

namespace mxp::dump {

using tools::counted;

void judge_capture(const Story& story, const Surroundings& around, Findings& findings) {
  if (around.clock_jumps > 0) {
    findings.push_back(
        {"clock-jump",
         0.95,
         0.93,
         fmt::format("the times of the capture go back {}, by {} at most; they are taken to go on from there",
                     counted(around.clock_jumps, "time"), milliseconds_text(around.clock_jump_ns)),
         {around.clock_jump_frame},
         "the log of the machine that captured: its clock was set then"});
  }
  for (const SilenceStory::Span& span : story.silence.both) {
    // Data was under way, which a sender probes for after two or three round trips; and yet nobody repeated anything.
    if (span.under_way == SilenceStory::Span::UnderWay::no || span.repaired || span.length_ns() < 3'000'000'000 ||
        span.length_ns() < 6 * story.smoothed_round_trip_ns() || !story.readable())
      continue;
    const bool sure = span.under_way == SilenceStory::Span::UnderWay::yes;
    findings.push_back(
        {"clock-jump",
         sure ? 0.8 : 0.65,
         0.93,
         fmt::format("nothing for {}, while data was under way, and then it went on as if no time had passed",
                     milliseconds_text(span.length_ns())),
         {span.frame_before, span.frame_after},
         "the log of the machine that captured: its clock was set, or it slept"});
    break;
  }
  std::uint64_t missed = 0;
  std::vector<std::uint64_t> frames;
  for (const DirectionStory& each : story.directions) {
    missed += each.gaps.not_captured();
    if (frames.empty()) frames = each.gaps.holes().frames();
  }
  if (missed >= 3) {
    const double share = static_cast<double>(missed) / static_cast<double>(missed + story.opened);
    findings.push_back(
        {"capture-incomplete", 0.95, 0.5 + 0.5 * share,
         fmt::format("{} arrived that the capture does not hold ({:.1f} %): counts and times are less exact",
                     counted(missed, "packet"), 100 * share),
         std::move(frames),
         "tcpdump says at its end how many packets the kernel dropped; give it a larger buffer (-B)"});
  }
  const bool up = story.direction(TrafficDirection::client_to_server).packets > 0;
  const bool down = story.direction(TrafficDirection::server_to_client).packets > 0;
  // Our choice: so many packets without any answer are not a connection, unless the other half goes elsewhere.
  if (up != down && story.packets >= 10 && story.handshake.initials < story.packets) {
    findings.push_back({"one-sided-capture",
                        0.9,
                        0.9,
                        fmt::format("{}, and none the other way",
                                    counted(story.packets, "packet") + " " +
                                        std::string(direction_phrase(up ? TrafficDirection::client_to_server
                                                                        : TrafficDirection::server_to_client))),
                        {story.first_frame},
                        "capture on all interfaces; the way back may be another one"});
  }
}

}  // namespace mxp::dump
