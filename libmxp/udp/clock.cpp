#include "udp/clock.h"

#include <time.h>

namespace mxp {

Timestamp monotonic_now() {
  timespec time{};
  clock_gettime(CLOCK_MONOTONIC, &time);  // cannot fail with this clock and a valid pointer
  return Timestamp(std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec));
}

}  // namespace mxp
