// Handshakes that did not come about, and copies of their messages.
#include <fmt/format.h>

#include "common/counted.h"
#include "mxp-dump/analysis/judges.h"

namespace mxp::dump {
namespace {

using tools::counted;
using Mac = Surroundings::Mac;

// Our choice: a client that hears nothing repeats itself after 300 ms, and confirms an answer at once. After so long it
// would have done one or the other.
constexpr std::int64_t kHeardByNowNs = 400'000'000;

void judge_unanswered(const Story& story, const Surroundings& around, Findings& findings) {
  const HandshakeStory& handshake = story.handshake;
  const std::int64_t waited = *handshake.last_initial_ns - *handshake.first_initial_ns;
  const std::string sent =
      fmt::format("message 1 was sent {} to {} over {}, and nothing came back", counted(handshake.initials, "time"),
                  story.server.to_string(), milliseconds_text(waited));
  const std::vector<std::uint64_t> frames = handshake.initial_frames.frames();
  if (around.mac == Mac::does_not_fit) {
    findings.push_back({"handshake-wrong-key", 0.98, 1,
                        sent + "; its mac1 is not made with the server's key that was given", frames,
                        "compare the key in the client's URL with `mxp-cat pubkey` on the server"});
    return;
  }
  if (around.only_small_pass && handshake.initials > 1) {
    findings.push_back(
        {"handshake-blocked-by-size", 0.75, 1,
         sent + ", while small packets passed between the same machines in both directions", frames,
         "send 1228 bytes with DF (ping -M do -s 1200 HOST); look for a tunnel with a small MTU on the path"});
    findings.push_back(
        {"handshake-unanswered", 0.4, 0.9, sent, frames, "capture at the server too: does message 1 arrive?"});
    return;
  }
  if (handshake.fragmented && handshake.initials > 1)
    findings.push_back({"handshake-blocked-by-size", 0.7, 1, sent + "; IP cut message 1 into fragments", frames,
                        "look for a link with an MTU below 1228 bytes, and for a filter that drops fragments"});
  if (around.server_answers_others && around.mac != Mac::fits) {
    findings.push_back({"handshake-wrong-key", 0.7, 1,
                        sent + ", though the server answered another client in this capture", frames,
                        "run this with --server-key KEY, which checks message 1 against the server's key"});
    findings.push_back(
        {"handshake-unanswered", 0.35, 1, sent, frames, "capture at the server too: does message 1 arrive?"});
    return;
  }
  const std::string key = around.mac == Mac::fits ? "; its mac1 fits the server's key" : "";
  findings.push_back({"handshake-unanswered", handshake.initials > 1 ? 0.9 : 0.5, 1, sent + key, frames,
                      "capture at the server too: does message 1 arrive there? If it does, the server has another key, "
                      "another suite, or no room"});
}

void judge_unconfirmed(const Story& story, const Surroundings& around, Findings& findings) {
  const HandshakeStory& handshake = story.handshake;
  std::vector<std::uint64_t> frames = handshake.response_frames.frames();
  if (handshake.initials_after_response > 0) {
    const std::string what =
        fmt::format("the server answered {}, and the client asked again {} after that",
                    counted(handshake.responses, "time"), counted(handshake.initials_after_response, "time"));
    if (handshake.fragmented || around.only_small_pass)
      findings.push_back({"handshake-blocked-by-size", 0.75, 1, what + "; small packets do pass", frames,
                          "send 1228 bytes with DF from the server to the client (ping -M do -s 1200 HOST)"});
    findings.push_back({"handshake-answer-lost", 0.8, 0.95, what, frames,
                        "capture at the client: does message 2 arrive? A filter there, or a path that carries no 1228 "
                        "bytes, stops it"});
    return;
  }
  const bool waited = around.capture_end_ns - *handshake.last_response_ns > kHeardByNowNs;
  findings.push_back({"handshake-refused", waited ? 0.85 : 0.6, 1,
                      fmt::format("the server answered {} after message 1, and the client said nothing more{}",
                                  milliseconds_text(*handshake.first_response_ns -
                                                    handshake.first_initial_ns.value_or(*handshake.first_response_ns)),
                                  waited ? "" : " (the capture ends there)"),
                      std::move(frames),
                      "the client's own message has the code: its key may not be allowed, or the server is full"});
}

}  // namespace

void judge_handshake(const Story& story, const Surroundings& around, Findings& findings) {
  const HandshakeStory& handshake = story.handshake;
  const bool nothing_more = !handshake.confirmed_ns && handshake.server_short_packets == 0;
  if (handshake.initials > 0 && handshake.responses == 0 && nothing_more) {
    // Where nothing of any server was captured, its silence says nothing.
    if (around.server_packets > 0 || handshake.initials > 1 ||
        around.capture_end_ns - *handshake.first_initial_ns > kHeardByNowNs)
      judge_unanswered(story, around, findings);
  } else if (handshake.responses > 0 && nothing_more) {
    judge_unconfirmed(story, around, findings);
  }
  if (const std::uint64_t copies = handshake.copies.count(); copies > 0 && handshake.initials > 1) {
    std::string what = fmt::format("{} of message 1", counted(copies, "copy", "copies"));
    if (handshake.from_other_sources > 0)
      what += fmt::format(", {} from another address than the first", handshake.from_other_sources);
    if (handshake.initials_after_confirmation > 0)
      what += fmt::format(", {} after the client had been let in", handshake.initials_after_confirmation);
    findings.push_back({"handshake-replayed", handshake.from_other_sources > 0 ? 0.9 : 0.8, 0.85, std::move(what),
                        handshake.copies.frames(),
                        "the server's count of initials answered from memory; who sends from these addresses?"});
  }
}

}  // namespace mxp::dump
