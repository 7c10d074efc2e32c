#include "mxp-perf-mpi/spans.h"

#include <algorithm>
#include <cmath>

namespace mxp::perf_mpi {

double seconds_of_all(std::span<const RankSpan> spans) {
  double begin = spans.front().begin_seconds, end = begin;
  for (const RankSpan& one : spans) {
    begin = std::min(begin, one.begin_seconds);
    end = std::max(end, one.begin_seconds + one.seconds);
  }
  return end - begin;
}

bool began_together(std::span<const RankSpan> spans) {
  double first = spans.front().begin_seconds, last = first, longest = 0;
  for (const RankSpan& one : spans) {
    first = std::min(first, one.begin_seconds - one.error_seconds);
    last = std::max(last, one.begin_seconds + one.error_seconds);
    longest = std::max(longest, one.seconds);
  }
  return last - first <= longest * (perf::kRateTolerance - 1);
}

std::optional<double> rate_of_all(std::span<const RankCount> counts) {
  std::vector<RankSpan> spans;
  double total = 0;
  std::optional<double> last_rate;
  for (const RankCount& one : counts) {
    // What came after the end of the test alone has a count and no rate.
    if (!(one.count > 0) || one.per_second == 0.0) continue;
    total += one.count;
    last_rate = one.per_second;
    const double rate = one.per_second.value_or(0);
    spans.push_back({.begin_seconds = one.begin_seconds, .seconds = rate > 0 ? one.count / rate : 0});
  }
  if (spans.size() == 1) return last_rate;  // as it was told, and not but for the last bit of it
  const double seconds = spans.empty() ? 0 : seconds_of_all(spans);
  return seconds > 0 ? std::optional(total / seconds) : std::nullopt;
}

std::vector<perf::IntervalRate> intervals_of_all(std::span<const RankIntervals> ranks) {
  std::vector<perf::IntervalRate> all;
  if (ranks.empty()) return all;
  const auto n = static_cast<double>(ranks.size());
  for (std::size_t i = 0; i != ranks.front().rates.size(); ++i) {
    perf::IntervalRate mean;
    double count = 0;
    for (const RankIntervals& rank : ranks) {
      if (rank.rates.size() != ranks.front().rates.size()) return {};
      const perf::IntervalRate& one = rank.rates[i];
      mean.begin_seconds += (rank.begin_seconds + one.begin_seconds) / n;
      mean.end_seconds += (rank.begin_seconds + one.end_seconds) / n;
      count += one.per_second * (one.end_seconds - one.begin_seconds);
    }
    const double seconds = mean.end_seconds - mean.begin_seconds;
    if (!(seconds > 0)) return {};
    for (const RankIntervals& rank : ranks)
      if (std::abs(rank.begin_seconds + rank.rates[i].begin_seconds - mean.begin_seconds) > kSameInterval * seconds ||
          std::abs(rank.begin_seconds + rank.rates[i].end_seconds - mean.end_seconds) > kSameInterval * seconds)
        return {};
    mean.per_second = count / seconds;
    all.push_back(mean);
  }
  return all;
}

}  // namespace mxp::perf_mpi
