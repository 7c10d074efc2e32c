// Senders that hold themselves back: nothing to send, a window cut by marks, a fixed pace, the wrong thing first.
#include <fmt/format.h>

#include "common/counted.h"
#include "mxp-dump/analysis/judges.h"

namespace mxp::dump {
namespace {

using tools::counted;

// Our choices: a connection that carries less, or lasts shorter, is not one that somebody finds slow.
constexpr std::uint64_t kBulk = 256 * 1024;
constexpr std::int64_t kLongEnoughNs = 2'000'000'000;

}  // namespace

void judge_sender(const Story& story, Findings& findings) {
  if (!story.readable()) return;
  if (const CallStory& calls = story.calls;
      calls.held_behind() >= 3 && calls.held_behind() * 10 >= calls.answered() * 3) {
    findings.push_back({"priority-inversion", 0.8, 0.82,
                        fmt::format("{} of {} came late, after up to {}, behind up to {} KiB of lower classes",
                                    calls.held_behind(), counted(calls.answered(), "answer"),
                                    milliseconds_text(calls.longest_ns()), calls.most_bytes_between() / 1024),
                        calls.evidence().frames(),
                        "the weights of the classes (SchedulerConfig) and the class of the bulk"});
  }
  const DirectionStory& direction = story.direction(story.main_direction());
  if (direction.data_bytes < kBulk || story.length_ns() < kLongEnoughNs) return;
  const std::string_view way = direction_phrase(story.main_direction());
  const TimeAccount::Sums sums = story.time_sums();
  // Many pauses, of which none is most of the time: a program that feeds its data slowly. One that sends and then waits
  // for its user is none.
  const TimeAccount& account = direction.account;
  const double idle = sums.share(Limit::application);
  const auto idle_ns = sums.ns[static_cast<std::size_t>(Limit::application)];
  if (idle > 0.4 && account.pauses() >= 10 && account.longest_pause_ns() * 4 < idle_ns) {
    findings.push_back(
        {"application-limited",
         0.8,
         0.6,
         fmt::format("{}: in {:.0f} % of the time the sender had nothing to send, in {}, {} at longest", way,
                     100 * idle, counted(account.pauses(), "pause"), milliseconds_text(account.longest_pause_ns())),
         {},
         "the sending program's own profile; its writes are small and far between"});
  }
  if (direction.marks > 10 && direction.marks * 50 > direction.opened) {
    findings.push_back(
        {"congestion-limited", 0.8, 0.68,
         fmt::format("{}: {} arrived with a mark of congestion (ECN CE); the window held the sender back"
                     " in {:.0f} % of the time",
                     way, counted(direction.marks, "packet"), 100 * sums.share(Limit::congestion_window)),
         direction.marked.frames(), "which router marks: its queue is full, or its threshold low"});
  }
  if (sums.share(Limit::pacing) > 0.6 && direction.full_packets * 2 > direction.data_packets) {
    findings.push_back(
        {"pacing-limited",
         0.7,
         0.6,
         fmt::format(
             "{}: full packets leave at a steady pace in {:.0f} % of the time, {:.2f} Mbit/s, while the path shows no "
             "queue and no loss",
             way, 100 * sums.share(Limit::pacing),
             8e-6 * static_cast<double>(direction.bytes) * 1e9 / static_cast<double>(story.length_ns())),
         {},
         "the sender's rate limit (DatagramConfig::rate, --rate), or a congestion control with a wrong idea of the "
         "path"});
  }
}

}  // namespace mxp::dump
