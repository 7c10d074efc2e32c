// How the connection ended.
#include <fmt/format.h>

#include "common/counted.h"
#include "mxp-dump/analysis/judges.h"
#include "mxp/error.h"

namespace mxp::dump {

using tools::counted;

void judge_end(const Story& story, const Surroundings&, Findings& findings) {
  if (const auto& close = story.close.first) {
    const std::string reason = close->reason.empty() ? "" : fmt::format(", \"{}\"", close->reason);
    const std::string_view who = close->by == TrafficDirection::client_to_server ? "the client" : "the server";
    if (!close->application && close->code != 0) {
      findings.push_back({"closed-by-transport",
                          0.98,
                          0.95,
                          fmt::format("{} closed the connection with {} ({:#x}){}", who,
                                      to_string(static_cast<TransportErrorCode>(close->code)), close->code, reason),
                          {close->frame},
                          "the log of the side that closed; a transport error is a bug, a limit, or an attack"});
    } else if (close->application && close->code != 0) {
      findings.push_back(
          {"closed-by-application",
           0.95,
           0.86,
           fmt::format("the application of {} closed the connection with code {}{}", who, close->code, reason),
           {close->frame},
           "what that code means to the application that sent it"});
    }
    return;
  }
  for (const TrafficDirection which : kDirections) {
    const SilenceStory::Voice& voice = story.silence.voices[index(which)];
    // Our choice: three packets without an answer, over a second. Probes of a live peer are answered in a round trip.
    if (voice.last_ns == 0 || voice.asked_since < 3 || !story.handshake.confirmed_ns) continue;
    if (story.last_ns - voice.first_asked_ns < std::max<std::int64_t>(1'000'000'000, 4 * story.round_trip_ns()))
      continue;
    findings.push_back(
        {"idle-timeout",
         story.readable() ? 0.9 : 0.7,
         0.97,
         fmt::format("{} fell silent: {} over {} had no answer until the end{}",
                     which == TrafficDirection::client_to_server ? "the client" : "the server",
                     counted(voice.asked_since, "packet"), milliseconds_text(story.last_ns - voice.first_asked_ns),
                     story.readable() ? ", and there was no CLOSE" : ""),
         {voice.last_frame, story.last_frame},
         "was that machine, its program or its network gone at that time?"});
  }
}

}  // namespace mxp::dump
