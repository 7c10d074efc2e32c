#include "udp/clock.h"

#include <time.h>

#include "mxp/trace_clock.h"

namespace mxp {

Timestamp monotonic_now() {
  timespec time{};
  clock_gettime(CLOCK_MONOTONIC, &time);  // cannot fail with this clock and a valid pointer
  return Timestamp(std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec));
}

TraceClock system_trace_clock() {
  timespec time{};
  clock_gettime(CLOCK_REALTIME, &time);
  return {monotonic_now(),
          static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(time.tv_nsec)};
}

}  // namespace mxp
