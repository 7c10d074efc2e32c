// When ranks measured, and how fast they were together. Each rank's time counts from when that rank was to begin: by
// its own clock as rank 0 had compared it, and after the distance that was meant to lie between them. So ranks that are
// on time measured at one time, and one that began late, or had nothing more to count, makes the span of all longer.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "mxp-perf/result.h"

namespace mxp::perf_mpi {

struct RankSpan {
  double begin_seconds = 0;
  double seconds = 0;        // 0: there was one arrival at most
  double error_seconds = 0;  // by which the begin may be wrong
};
// From the first begin to the last end. REQUIRES: there is one.
double seconds_of_all(std::span<const RankSpan> spans);
// Whether they began so near to each other that all together kept a rate of which each kept its share: within a
// fiftieth of the longest (kRateTolerance), wherever within its error each did.
bool began_together(std::span<const RankSpan> spans);

// What a rank counted, and at which rate in its own span; nothing: it had no span.
struct RankCount {
  double begin_seconds = 0;
  double count = 0;
  std::optional<double> per_second;
};
// All that was counted, by the time from the first begin to the last end of those that counted anything. Nothing: no
// time passed.
std::optional<double> rate_of_all(std::span<const RankCount> counts);

struct RankIntervals {
  double begin_seconds = 0;
  std::vector<perf::IntervalRate> rates;
};
// By how much of its length an interval may lie beside that of another rank, and still be the same one.
inline constexpr double kSameInterval = 0.1;
// One for each that all ranks have at the same time: what they counted in theirs, by the mean of the lengths. Empty:
// they are not the same.
std::vector<perf::IntervalRate> intervals_of_all(std::span<const RankIntervals> ranks);

}  // namespace mxp::perf_mpi
