#include "mxp-netem/arrival_clock.h"

#include <algorithm>
#include <chrono>
#include <ctime>

#include "udp/clock.h"

namespace mxp::tools {
namespace {

using namespace std::chrono_literals;

// Our choice: between two readings the wall clock drifts by microseconds; whoever sets it moves it further.
constexpr Duration kStep = 500us;
// Our choice: a stamp from before the step is read within this time, even if the relay was stopped for a while.
constexpr Duration kFormerFor = 10s;
// How far a stamp may seem to be ahead of us only because the two clocks were not read at the very same moment.
constexpr Duration kTolerance = 50us;

Duration wall_now() {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  return std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
}

}  // namespace

ClockReading read_clocks() {
  constexpr int kAttempts = 5;
  constexpr Duration kCloseEnough = 5us;
  ClockReading best;
  Duration narrowest = Duration::max();
  for (int attempt = 0; attempt < kAttempts && narrowest > kCloseEnough; ++attempt) {
    const Timestamp before = monotonic_now();
    const Duration wall = wall_now();
    const Duration width = monotonic_now() - before;
    if (width >= narrowest) continue;
    narrowest = width;
    best = {.monotonic = before + width / 2, .wall = wall};
  }
  return best;
}

void ArrivalClock::synchronise(const ClockReading& reading) {
  const Duration offset = reading.wall - reading.monotonic.time_since_epoch();
  if (former_offset_ && reading.monotonic >= former_until_) former_offset_.reset();
  if (synchronised_ && std::chrono::abs(offset - offset_) >= kStep) {
    former_offset_ = offset_;
    former_until_ = reading.monotonic + kFormerFor;
  }
  offset_ = offset;
  synchronised_ = true;
}

// A stamp may be from before or from after the wall clock was set. The wrong one of the two offsets puts it either into
// the future, which is impossible, or further into the past than the right one does. So of the possible times the later
// one is right.
Timestamp ArrivalClock::arrival(std::optional<Duration> stamp, Timestamp now) const {
  if (!stamp) return now;
  std::optional<Timestamp> latest;
  const auto consider = [&](Duration offset) {
    const Timestamp candidate{*stamp - offset};
    if (candidate <= now + kTolerance && (!latest || candidate > *latest)) latest = candidate;
  };
  consider(offset_);
  if (former_offset_) consider(*former_offset_);
  return std::min(latest.value_or(now), now);
}

}  // namespace mxp::tools
