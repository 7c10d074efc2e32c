// The time of day, as several clients on several machines share it.
#pragma once

#include <chrono>

#include "mxp/time.h"

namespace mxp::perf {

inline double unix_seconds(std::chrono::system_clock::time_point time = std::chrono::system_clock::now()) {
  return std::chrono::duration<double>(time.time_since_epoch()).count();
}

// REQUIRES: less than the 292 years that a Duration holds.
inline Duration seconds_as_duration(double seconds) {
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(seconds));
}

}  // namespace mxp::perf
