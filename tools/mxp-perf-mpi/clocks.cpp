#include "mxp-perf-mpi/clocks.h"

#include <algorithm>
#include <cmath>

namespace mxp::perf_mpi {

void ClockQuestions::add(double asked, double theirs, double answered) {
  const double half = (answered - asked) / 2;
  // The clock of day may be set back meanwhile: such a question tells nothing.
  if (half >= 0 && half < best_.error_seconds) best_ = {.seconds = theirs - asked - half, .error_seconds = half};
}

std::optional<double> RankClock::drift_seconds() const {
  return after && !lost() ? std::optional(after->seconds - before.seconds) : std::nullopt;
}

double RankClock::error_seconds() const {
  if (lost()) return kUnknownClockError;
  const auto drift = drift_seconds();
  return drift ? std::max(before.error_seconds, std::abs(*drift) + after->error_seconds) : before.error_seconds;
}

}  // namespace mxp::perf_mpi
