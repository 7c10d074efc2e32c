// When a datagram reached its socket, on the monotonic clock that the link runs on. The kernel stamps arriving
// datagrams with the wall clock (SO_TIMESTAMPNS), which may be set forward or back at any moment, so the way from one
// clock to the other is measured again and again. Time comes in as an argument: nothing here reads a clock but
// read_clocks().
#pragma once

#include <optional>

#include "mxp/time.h"

namespace mxp::tools {

struct ClockReading {
  Timestamp monotonic;
  Duration wall;  // since the Unix epoch
};

// Both clocks at one moment, to within a few microseconds even if the process is interrupted between two readings.
ClockReading read_clocks();

class ArrivalClock {
 public:
  // Before arrivals are asked for, and then at least once for each batch of datagrams.
  void synchronise(const ClockReading& reading);

  // `stamp`: what the kernel wrote, since the Unix epoch. `now`: the time when the datagram was read. A datagram
  // without a stamp arrived when it was read. Never later than `now`.
  // REQUIRES: synchronise() was called.
  Timestamp arrival(std::optional<Duration> stamp, Timestamp now) const;

 private:
  Duration offset_{};                      // wall - monotonic
  std::optional<Duration> former_offset_;  // before the wall clock was set
  Timestamp former_until_{};
  bool synchronised_ = false;
};

}  // namespace mxp::tools
