// The search for the highest rate, against machines whose capacity is known.
#include "mxp-perf/capacity/rate_search.h"

#include <boost/test/unit_test.hpp>
#include <functional>
#include <random>

#include "mxp-perf/capacity/capacity.h"

using namespace mxp::perf;

namespace {

unsigned run(RateSearch& search, const std::function<bool(double)>& kept) {
  unsigned trials = 0;
  while (const auto rate = search.next()) {
    BOOST_REQUIRE(++trials < 100);
    search.on_trial(kept(*rate));
  }
  return trials;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(perf_rate_search)

BOOST_AUTO_TEST_CASE(it_finds_what_a_machine_can_do_within_two_per_cent) {
  for (const double capacity : {3.0, 90.0, 100.0, 101.0, 12'345.0, 999'999.0}) {
    RateSearch search(100, 1e6);
    const unsigned trials = run(search, [&](double rate) { return rate <= capacity; });
    BOOST_TEST_CONTEXT(capacity) {
      BOOST_REQUIRE(search.best().has_value());
      BOOST_TEST(*search.best() <= capacity);
      BOOST_TEST(*search.best() >= capacity / 1.0201);
      BOOST_TEST(*search.broken() > capacity);
      BOOST_TEST(trials < 30u);
    }
  }
}

BOOST_AUTO_TEST_CASE(it_goes_no_further_than_it_may) {
  RateSearch search(100, 1000);
  const unsigned trials = run(search, [](double) { return true; });
  BOOST_TEST(trials == 5u);  // 100, 200, 400, 800, 1000
  BOOST_TEST(search.reached_most());
  BOOST_TEST(!search.broken().has_value());
}

BOOST_AUTO_TEST_CASE(a_bound_that_nothing_keeps_ends_it) {
  RateSearch search(100, 1e6);
  run(search, [](double rate) {
    BOOST_TEST(rate > 0);
    return false;
  });
  BOOST_TEST(!search.best().has_value());
}

// A rate that was kept by luck is not the last word.
BOOST_AUTO_TEST_CASE(what_was_found_is_tried_again) {
  RateSearch search(100, 1e6);
  bool lucky = false;
  run(search, [&](double rate) {
    if (rate > 1000 && rate < 1045 && !lucky) return lucky = true;
    return rate <= 1000;
  });
  BOOST_TEST(lucky);
  BOOST_TEST(*search.best() <= 1000);
}

BOOST_AUTO_TEST_CASE(a_trial_says_what_broke_the_bound_and_the_verdict_of_its_run) {
  Options options;
  options.capacity.p99 = std::chrono::milliseconds(1);
  options.capacity.loss = 0.01;
  Result result;
  result.wall_seconds = 2;
  result.latency_us = Percentiles{.p99 = 900};
  result.calls = CallCounts{.rate_kept = true, .due = 1000, .answered = 1000};
  BOOST_TEST(judge_trial(options, 500, result).why == "");
  result.calls->answered = 980;
  BOOST_TEST(judge_trial(options, 500, result).why == "2.000% were lost or not sent");
  BOOST_TEST(judge_trial(options, 500, result).limited_by == "none");
  result.latency_us->p99 = 1100;
  result.client = ProcessFigures{.cpu_seconds = 1.9};
  result.verdict = Verdict::network;
  BOOST_TEST(judge_trial(options, 500, result).why == "p99 was 1100.0 us");
  BOOST_TEST(judge_trial(options, 500, result).limited_by == "network");
  result.verdict = Verdict::tool;
  BOOST_TEST(judge_trial(options, 500, result).limited_by == "tool");
  result.latency_us->p99 = 900;
  result.calls = CallCounts{.rate_kept = false, .due = 1000, .answered = 1000};
  BOOST_TEST(judge_trial(options, 500, result).why == "the rate was not reached");
  options.capacity = {.p99 = {}, .loss = 0.01};
  result.calls.reset();
  result.datagrams = DatagramCounts{.rate_kept = false, .sent = 1000, .delivered = 1000};  // they waited in a queue
  BOOST_TEST(judge_trial(options, 500, result).why == "the rate was not reached");
  result.datagrams->rate_kept = true;
  BOOST_TEST(judge_trial(options, 500, result).why == "");
}

BOOST_AUTO_TEST_SUITE_END()
