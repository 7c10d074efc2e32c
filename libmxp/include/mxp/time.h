// Points and spans of time. The library never reads a clock: whoever drives it says what time it is, which is what
// makes the simulator, the fuzzers and every test deterministic. Only the `udp` room turns a real clock into these.
#pragma once

#include <chrono>

namespace mxp {

using Duration = std::chrono::nanoseconds;

// The driver's monotonic time line. Its zero is the driver's choice; only differences mean anything.
struct MonotonicTimeline {
  using rep = Duration::rep;
  using period = Duration::period;
  using duration = Duration;
  using time_point = std::chrono::time_point<MonotonicTimeline, Duration>;
  static constexpr bool is_steady = true;
};

using Timestamp = MonotonicTimeline::time_point;

// "No deadline": later than any other time.
inline constexpr Timestamp kNever = Timestamp::max();

}  // namespace mxp
