// One-way delays of constructed paths and clocks: the truth lies within the error's bound.
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <nlohmann/json.hpp>
#include <random>

#include "mxp-perf/clock/clock_probe.h"

using namespace mxp;
using namespace mxp::perf;

namespace {

// Nanoseconds.
struct Path {
  std::int64_t to_server, to_client;
  std::int64_t jitter = 0;
  std::int64_t offset = 0;  // of the server's clock
  double drift = 0;         // of it
};

OneWayDelay measured(const Path& path, int samples = 500) {
  ClockProbe probe;
  std::mt19937_64 random(7);
  const auto jitter = [&] { return path.jitter == 0 ? 0 : static_cast<std::int64_t>(random() % path.jitter); };
  const auto server_clock = [&](std::int64_t time) {
    return time + path.offset + static_cast<std::int64_t>(path.drift * static_cast<double>(time));
  };
  std::int64_t now = 1'000'000'000;
  for (int i = 0; i < samples; ++i, now += 20'000'000) {
    const std::int64_t came = now + path.to_server + jitter();
    const std::int64_t left = came + 5'000;
    BOOST_REQUIRE(probe.add({now, server_clock(came), server_clock(left), left + path.to_client + jitter()}));
  }
  return probe.delays().value();
}

// The histogram's bins are a mille wide.
bool is_within(double us, std::int64_t truth_ns, const OneWayDelay& delay, double jitter_us) {
  const double truth = static_cast<double>(truth_ns) / 1e3;
  return std::abs(us - truth) <= delay.error_bound_us + 0.0011 * us + jitter_us * 0.05 + 0.2;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(perf_clock)

BOOST_AUTO_TEST_CASE(delays_lie_within_the_error_whatever_the_path_and_the_clocks) {
  for (const Path& path : {Path{20'000, 20'000}, Path{40'000'000, 10'000'000}, Path{1'000'000, 30'000'000, 3'000'000},
                           Path{20'000, 20'000, 5'000, 3'600'000'000'000}, Path{50'000, 20'000, 9'000, -500'000'000},
                           Path{5'000'000, 5'000'000, 100'000, 77, 100e-6}, Path{20'000, 30'000, 2'000, 0, -300e-6}}) {
    const OneWayDelay delay = measured(path);
    BOOST_TEST_CONTEXT(path.to_server << " " << path.to_client << " drift " << path.drift) {
      // Half of the jitter is its median, but for a few per cent of it.
      BOOST_TEST(is_within(percentiles_us(delay.to_server).p50, path.to_server + path.jitter / 2, delay,
                           static_cast<double>(path.jitter) / 1e3));
      BOOST_TEST(is_within(percentiles_us(delay.to_client).p50, path.to_client + path.jitter / 2, delay,
                           static_cast<double>(path.jitter) / 1e3));
      if (path.drift == 0)
        BOOST_TEST(std::abs(delay.clock_offset_us.value() - static_cast<double>(path.offset) / 1e3) <=
                   delay.error_bound_us + 0.01);
      BOOST_TEST(delay.error_bound_us <= static_cast<double>(path.to_server + path.to_client + 2 * path.jitter) / 2e3);
      BOOST_TEST(delay.probes == 500u);
    }
  }
}

BOOST_AUTO_TEST_CASE(the_same_way_there_and_back_is_told_exactly) {
  const OneWayDelay delay = measured({20'000, 20'000, 0, 12'345'000});
  BOOST_TEST(std::abs(delay.clock_offset_us.value() - 12'345.0) < 0.01);
  BOOST_TEST(std::abs(percentiles_us(delay.to_server).p50 - 20) < 0.05);
  BOOST_TEST(std::abs(delay.error_bound_us - 20) < 0.05);
}

BOOST_AUTO_TEST_CASE(times_that_cannot_be_are_not_taken) {
  ClockProbe probe;
  BOOST_TEST(!probe.delays().has_value());
  BOOST_TEST(!probe.add({.sent = 10, .came = 0, .left = 0, .back = 9}));    // back before it was sent
  BOOST_TEST(!probe.add({.sent = 10, .came = 5, .left = 4, .back = 20}));   // left before it came
  BOOST_TEST(!probe.add({.sent = 10, .came = 5, .left = 16, .back = 20}));  // longer there than away
  BOOST_TEST(probe.add({.sent = 10, .came = 5, .left = 15, .back = 20}));
}

BOOST_AUTO_TEST_CASE(lines_come_back_as_they_were_made_and_others_are_none) {
  BOOST_TEST(*parse_clock_question(clock_question(77).dump()) == 77);
  const auto sample = parse_clock_answer(clock_answer(77, 88, 99).dump(), 111);
  BOOST_REQUIRE(sample.has_value());
  BOOST_TEST((sample->sent == 77 && sample->came == 88 && sample->left == 99 && sample->back == 111));
  for (const char* line : {"", "[]", "{}", R"({"time":-1})", R"({"time":1.5})", R"({"time":"x"})",
                           R"({"time":1,"more":2})", R"({"time":9223372036854775807})", R"({"end":true})"})
    BOOST_TEST_CONTEXT(line) BOOST_TEST(!parse_clock_question(line).has_value());
  for (const char* line : {"", R"({"time":1})", R"({"time":1,"came":2})", R"({"time":1,"came":2,"left":-3})",
                           R"({"time":1,"came":2,"left":1e300})", R"({"time":1,"came":2,"left":9223372036854775807})"})
    BOOST_TEST_CONTEXT(line) BOOST_TEST(!parse_clock_answer(line, 5).has_value());
}

BOOST_AUTO_TEST_SUITE_END()
