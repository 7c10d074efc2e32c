#include <fmt/format.h>

#include <algorithm>

#include "mxp-dump/analysis/judges.h"

namespace mxp::dump {

std::string milliseconds_text(std::int64_t ns) {
  const double ms = static_cast<double>(ns) / 1e6;
  if (ms >= 10'000) return fmt::format("{:.1f} s", ms / 1e3);
  return fmt::format(fmt::runtime(ms >= 100 ? "{:.0f} ms" : ms >= 1 ? "{:.1f} ms" : "{:.3f} ms"), ms);
}

Findings judge(const Story& story, const Surroundings& around) {
  Findings findings;
  judge_handshake(story, around, findings);
  judge_loss(story, findings);
  judge_delay(story, findings);
  judge_order(story, findings);
  judge_path(story, findings);
  judge_credit(story, findings);
  judge_sender(story, findings);
  judge_end(story, around, findings);
  judge_capture(story, around, findings);
  std::ranges::stable_sort(findings, [](const Finding& a, const Finding& b) { return a.score() > b.score(); });
  return findings;
}

}  // namespace mxp::dump
