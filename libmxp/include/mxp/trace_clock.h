// What o'clock it is, for sinks that write it down: the library reads no clock, so who makes a sink says it once.
#pragma once

#include <cstdint>

#include "mxp/time.h"

#pragma GCC visibility push(default)
namespace mxp {

// One moment on two clocks.
struct TraceClock {
  Timestamp at{};                    // the driver's
  std::uint64_t unix_nanoseconds{};  // since 1970, UTC

  std::uint64_t unix_time(Timestamp moment) const {
    return unix_nanoseconds + static_cast<std::uint64_t>((moment - at).count());
  }
};

// Now, for an endpoint that an EventLoop drives.
TraceClock system_trace_clock();

}  // namespace mxp
#pragma GCC visibility pop
