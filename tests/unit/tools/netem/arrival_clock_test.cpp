// From the kernel's wall-clock stamps to the link's time, with clocks that the test makes up and sets.
#include "mxp-netem/arrival_clock.h"

#include <boost/test/unit_test.hpp>

namespace mxp::tools {
namespace {

using namespace std::chrono_literals;

constexpr Timestamp kNow{1000s};
constexpr Duration kWall = 1'700'000'000s;  // the wall clock at kNow

// The wall clock's reading at a monotonic time, if it has been set forward by `set_by`.
Duration wall_at(Timestamp at, Duration set_by = {}) { return kWall + (at - kNow) + set_by; }

ArrivalClock synchronised() {
  ArrivalClock clock;
  clock.synchronise({.monotonic = kNow, .wall = kWall});
  return clock;
}

BOOST_AUTO_TEST_SUITE(arrival_clock)

BOOST_AUTO_TEST_CASE(a_datagram_that_waited_in_its_socket_arrived_when_the_kernel_took_it) {
  const ArrivalClock clock = synchronised();
  BOOST_TEST((clock.arrival(wall_at(kNow - 300ms), kNow) == kNow - 300ms));
  BOOST_TEST((clock.arrival(wall_at(kNow), kNow) == kNow));
}

BOOST_AUTO_TEST_CASE(a_datagram_without_a_stamp_arrived_when_it_was_read) {
  BOOST_TEST((synchronised().arrival(std::nullopt, kNow) == kNow));
}

BOOST_AUTO_TEST_CASE(nothing_arrives_in_the_future) {
  const ArrivalClock clock = synchronised();
  BOOST_TEST((clock.arrival(wall_at(kNow + 3us), kNow) == kNow));
  BOOST_TEST((clock.arrival(wall_at(kNow + 3h), kNow) == kNow));
}

BOOST_AUTO_TEST_CASE(setting_the_wall_clock_moves_no_arrival) {
  for (const Duration step : {Duration(1h), Duration(-1h), Duration(40ms), Duration(-40ms), Duration(2ms)}) {
    ArrivalClock clock = synchronised();
    const Timestamp later = kNow + 10ms;  // the clock was set in between, and then both were read again
    clock.synchronise({.monotonic = later, .wall = wall_at(later, step)});
    const Timestamp before_step = later - 8ms;
    const Timestamp after_step = later - 1ms;
    const auto error_before = std::chrono::abs(clock.arrival(wall_at(before_step), later) - before_step);
    const auto error_after = std::chrono::abs(clock.arrival(wall_at(after_step, step), later) - after_step);
    // A step of 2 ms is too small to tell which side of it a stamp is on: it may be wrong by as much.
    const Duration bound = std::chrono::abs(step) < 8ms ? std::chrono::abs(step) : Duration(0);
    BOOST_TEST((error_before <= bound), step.count() << " ns: " << error_before.count());
    BOOST_TEST((error_after <= bound), step.count() << " ns: " << error_after.count());
  }
}

BOOST_AUTO_TEST_CASE(a_step_is_forgotten_when_no_stamp_can_be_from_before_it) {
  ArrivalClock clock = synchronised();
  clock.synchronise({.monotonic = kNow, .wall = wall_at(kNow, 40ms)});
  // With the old offset this one would have come 40 ms later than it did.
  const Timestamp much_later = kNow + 20s;
  clock.synchronise({.monotonic = much_later, .wall = wall_at(much_later, 40ms)});
  BOOST_TEST((clock.arrival(wall_at(much_later - 300ms, 40ms), much_later) == much_later - 300ms));
}

BOOST_AUTO_TEST_CASE(a_clock_that_is_slewed_is_followed) {
  ArrivalClock clock = synchronised();
  Duration slewed{};
  for (Timestamp at = kNow; at < kNow + 60s; at += 100ms) {
    slewed += 50us;  // 500 ppm, the most that adjtimex(2) allows
    clock.synchronise({.monotonic = at, .wall = wall_at(at, slewed)});
    BOOST_REQUIRE((clock.arrival(wall_at(at - 5ms, slewed), at) == at - 5ms));
  }
}

BOOST_AUTO_TEST_CASE(the_real_clocks_are_read_together) {
  const ClockReading first = read_clocks();
  const ClockReading second = read_clocks();
  BOOST_TEST((second.monotonic >= first.monotonic));
  BOOST_TEST((first.wall > Duration(1'500'000'000s)));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace mxp::tools
