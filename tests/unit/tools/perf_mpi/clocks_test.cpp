// Clocks that are read at constructed times: what questions tell of them, and what became of them during a test.
#include "mxp-perf-mpi/clocks.h"

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <random>

using namespace mxp::perf_mpi;
using boost::test_tools::tolerance;

namespace {

// A clock that was ahead by `offset` at 0, and goes faster by `drift`, over a path whose ways take so long.
struct Clock {
  double offset = 0, drift = 0, to = 20e-6, back = 20e-6;

  double at(double time) const { return time + offset + drift * time; }
  ClockOffset asked(double time, unsigned seed = 1) const {
    std::mt19937 random(seed);
    ClockQuestions questions;
    for (int i = 0; i != 64; ++i, time += 1e-4) {
      const auto delay = [&] { return static_cast<double>(random() % 1000) * 1e-6; };  // others on the machine
      const double came = time + to + delay();
      questions.add(time, at(came), came + back + delay());
    }
    return questions.best();
  }
  RankClock over(double seconds) const { return {.before = asked(0), .after = asked(seconds, 2)}; }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(perf_mpi_clocks)

BOOST_AUTO_TEST_CASE(the_truth_lies_within_the_error_whatever_the_path_and_the_clock) {
  for (const Clock& clock : {Clock{}, Clock{.offset = 3600}, Clock{.offset = -0.02, .to = 5e-3, .back = 1e-3},
                             Clock{.offset = 7, .drift = 100e-6, .to = 1e-6, .back = 300e-6}}) {
    const ClockOffset told = clock.asked(0);
    BOOST_TEST(std::abs(told.seconds - clock.offset) <= told.error_seconds + 1e-6);
    BOOST_TEST(told.error_seconds < (clock.to + clock.back) / 2 + 500e-6);
    BOOST_TEST(told.error_seconds >= (clock.to + clock.back) / 2 - 1e-9);
  }
}

BOOST_AUTO_TEST_CASE(the_question_that_was_answered_soonest_counts_and_one_over_a_clock_set_back_does_not) {
  ClockQuestions questions;
  BOOST_TEST(questions.best().error_seconds == kUnknownClockError);
  questions.add(100, 205, 90);  // by the own clock the answer came before the question
  BOOST_TEST(questions.best().error_seconds == kUnknownClockError);
  questions.add(100, 205, 104);
  questions.add(110, 213, 112);
  questions.add(120, 230, 128);
  BOOST_TEST(questions.best().seconds == 102);
  BOOST_TEST(questions.best().error_seconds == 1);
}

BOOST_AUTO_TEST_CASE(a_clock_that_keeps_its_distance_is_known_as_well_as_before) {
  const RankClock clock = Clock{.offset = 12}.over(10);
  BOOST_TEST(std::abs(clock.drift_seconds().value()) <= clock.before.error_seconds + clock.after->error_seconds);
  BOOST_TEST(clock.error_seconds() < 2e-3);
}

// 200 millionths in ten seconds are two milliseconds, and a clock that was set by three seconds moved by three.
BOOST_AUTO_TEST_CASE(a_clock_that_moves_is_wrong_by_that) {
  const RankClock drifting = Clock{.offset = 12, .drift = 200e-6}.over(10);
  const double within = drifting.before.error_seconds + drifting.after->error_seconds + 2e-6;
  BOOST_TEST(std::abs(drifting.drift_seconds().value() - 2e-3) <= within);
  BOOST_TEST(drifting.error_seconds() >= 2e-3 - within);
  BOOST_TEST(drifting.error_seconds() <= 2e-3 + within);
  const RankClock set = {.before = Clock{.offset = 5}.asked(0), .after = Clock{.offset = 2}.asked(10)};
  BOOST_TEST(set.drift_seconds().value() == -3, tolerance(1e-3));
  BOOST_TEST(set.error_seconds() == 3, tolerance(1e-3));
}

BOOST_AUTO_TEST_CASE(a_clock_that_was_not_compared_again_has_no_drift) {
  const RankClock once{.before = {.seconds = 1, .error_seconds = 0.25}};
  BOOST_TEST(!once.drift_seconds().has_value());
  BOOST_TEST(!once.lost());
  BOOST_TEST(once.error_seconds() == 0.25);
  const RankClock lost{.before = {.seconds = 1, .error_seconds = 0.25},
                       .after = ClockOffset{.error_seconds = kUnknownClockError}};
  BOOST_TEST(lost.lost());
  BOOST_TEST(!lost.drift_seconds().has_value());
  BOOST_TEST(lost.error_seconds() == kUnknownClockError);
}

BOOST_AUTO_TEST_SUITE_END()
