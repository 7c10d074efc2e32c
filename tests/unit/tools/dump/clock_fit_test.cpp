// Clocks with a known offset and drift, seen through delays that vary.
#include "mxp-dump/join/clock_fit.h"

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <random>

namespace mxp::dump {
namespace {

struct ClockScene {
  double offset_s = 5, drift_ppm = 50, seconds = 60;
  double up_ms = 20, down_ms = 20, jitter_ms = 8;
  int packets = 2000;
};

constexpr std::int64_t kSceneStart = 1'700'000'000'000'000'000;

std::optional<ClockFit::Clocks> fit_of(const ClockScene& scene) {
  std::mt19937_64 dice(7);
  std::exponential_distribution<double> queue(1.0);
  ClockFit fit(kSceneStart);
  for (int i = 0; i < scene.packets; ++i) {
    const double at = scene.seconds * i / scene.packets;
    const auto client = kSceneStart + static_cast<std::int64_t>(at * 1e9);
    const double server_ahead = scene.offset_s * 1e9 + scene.drift_ppm * 1e-6 * at * 1e9;
    const double delay = ((i % 2 == 0 ? scene.up_ms : scene.down_ms) + scene.jitter_ms * queue(dice)) * 1e6;
    if (i % 2 == 0) fit.to_server(client, static_cast<std::int64_t>(server_ahead + delay));
    else fit.to_client(client, static_cast<std::int64_t>(server_ahead - delay));
  }
  return fit.fit();
}

double offset_ms_of(const ClockFit::Clocks& clocks) {
  return (static_cast<double>(clocks.base_ns) + clocks.offset_ns) / 1e6;
}

BOOST_AUTO_TEST_SUITE(clock_fit)

BOOST_AUTO_TEST_CASE(offset_and_drift_are_found_within_the_bounds_that_are_given) {
  for (const double drift : {50.0, -50.0, 0.0, 200.0}) {
    const auto clocks = fit_of({.drift_ppm = drift});
    BOOST_REQUIRE(clocks);
    BOOST_TEST(clocks->consistent);
    BOOST_TEST(std::abs(offset_ms_of(*clocks) - 5000) < 1);
    BOOST_TEST(std::abs(clocks->drift * 1e6 - drift) < 10);
    BOOST_TEST(std::abs(clocks->drift * 1e6 - drift) < *clocks->drift_error * 1e6);
    BOOST_TEST(clocks->error_ns / 1e6 > 20);
    BOOST_TEST(clocks->error_ns / 1e6 < 22);
  }
}

BOOST_AUTO_TEST_CASE(without_queues_the_answer_is_exact) {
  const auto clocks = fit_of({.jitter_ms = 0});
  BOOST_TEST(std::abs(offset_ms_of(*clocks) - 5000) < 0.01);
  BOOST_TEST(std::abs(clocks->drift * 1e6 - 50) < 0.1);
}

BOOST_AUTO_TEST_CASE(an_unequal_path_is_wrong_by_no_more_than_the_bound) {
  const auto clocks = fit_of({.up_ms = 35, .down_ms = 5, .jitter_ms = 1});
  const double error = std::abs(offset_ms_of(*clocks) - 5000);
  BOOST_TEST(error > 14);
  BOOST_TEST(error <= clocks->error_ns / 1e6);
}

BOOST_AUTO_TEST_CASE(a_short_capture_shows_no_drift) {
  const auto clocks = fit_of({.seconds = 2});
  BOOST_TEST(!clocks->drift_error);
  BOOST_TEST(clocks->drift == 0);
}

BOOST_AUTO_TEST_CASE(a_clock_that_was_set_is_noticed) {
  ClockFit fit(kSceneStart);
  for (int i = 0; i < 1000; ++i) {
    const std::int64_t jump = i < 500 ? 0 : 3'000'000'000;
    fit.to_server(kSceneStart + i * 1'000'000, jump + 10'000'000);
    fit.to_client(kSceneStart + i * 1'000'000, jump - 10'000'000);
  }
  BOOST_TEST(!fit.fit()->consistent);
}

BOOST_AUTO_TEST_CASE(one_direction_says_nothing) {
  ClockFit fit(kSceneStart);
  fit.to_server(kSceneStart, 5);
  BOOST_TEST(!fit.fit());
}

BOOST_AUTO_TEST_CASE(a_capture_of_days_takes_no_more_room_and_is_as_exact) {
  const auto clocks = fit_of({.drift_ppm = 20, .seconds = 300'000, .jitter_ms = 0, .packets = 200'000});
  BOOST_TEST(std::abs(clocks->drift * 1e6 - 20) < 0.01);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace mxp::dump
