#include "mxp-dump/analysis/silence_story.h"

#include <algorithm>

namespace mxp::dump {

void SilenceStory::add(const PacketRecord& record, std::int64_t time_ns, Span::UnderWay under_way, bool repairs) {
  Voice& own = voices[index(record.direction)];
  Voice& other = voices[index(reverse(record.direction))];
  const auto keep = [&](std::vector<Span>& spans, const Voice& since) {
    if (since.last_ns == 0 || time_ns - since.last_ns < kLeastNs || spans.size() == kMaxSpans) return;
    spans.push_back({since.last_ns, time_ns, since.last_frame, record.frame, own.asked_since, own.longest_pause_ns,
                     repairs, under_way});
  };
  if (own.asked_since >= 2) {
    keep(unanswered, own);
    if (!unanswered.empty() && unanswered.back().to_ns == time_ns && !asked_steadily(unanswered.back()))
      unanswered.pop_back();
  }
  keep(both, own.last_ns > other.last_ns ? own : other);
  if (other.asked_since == 0) other.first_asked_ns = time_ns;
  const std::int64_t before = std::max(other.last_ns, other.last_asked_ns);
  if (before != 0) other.longest_pause_ns = std::max(other.longest_pause_ns, time_ns - before);
  other.last_asked_ns = time_ns;
  ++other.asked_since;
  own = Voice{};
  own.last_ns = time_ns;
  own.last_frame = record.frame;
}

}  // namespace mxp::dump
