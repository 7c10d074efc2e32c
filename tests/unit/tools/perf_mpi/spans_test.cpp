// Spans of ranks, and the rates that follow from them.
#include "mxp-perf-mpi/spans.h"

#include <boost/test/unit_test.hpp>

using namespace mxp::perf_mpi;
using boost::test_tools::tolerance;

BOOST_AUTO_TEST_SUITE(perf_mpi_spans)

BOOST_AUTO_TEST_CASE(ranks_at_one_time_add_up_and_ranks_in_turn_do_not) {
  const RankCount together[] = {{.begin_seconds = 0, .count = 1000, .per_second = 100.0},
                                {.begin_seconds = 0, .count = 500, .per_second = 50.0}};
  BOOST_TEST(rate_of_all(together).value() == 150, tolerance(1e-12));
  // One after the other: a sum of rates would say 200.
  const RankCount in_turn[] = {{.begin_seconds = 0, .count = 500, .per_second = 100.0},
                               {.begin_seconds = 5, .count = 500, .per_second = 100.0}};
  BOOST_TEST(rate_of_all(in_turn).value() == 100, tolerance(1e-12));
  // All of it in the first second, and then nothing: 2000 a second is no rate that anybody had for long.
  const RankCount burst[] = {{.begin_seconds = 0, .count = 1000, .per_second = 100.0},
                             {.begin_seconds = 0, .count = 1000, .per_second = 1000.0}};
  BOOST_TEST(rate_of_all(burst).value() == 200, tolerance(1e-12));
}

BOOST_AUTO_TEST_CASE(who_counted_nothing_is_no_part_of_the_span_and_one_arrival_is) {
  const RankCount counts[] = {{.begin_seconds = 0, .count = 300, .per_second = 100.0},
                              {.begin_seconds = 9, .count = 0, .per_second = 0.0},
                              {.begin_seconds = 4, .count = 1, .per_second = {}}};
  BOOST_TEST(rate_of_all(counts).value() == 301.0 / 4, tolerance(1e-12));
  BOOST_TEST(!rate_of_all(std::span(counts).subspan(1)).has_value());
  // A rank whose answers all came after the end adds nothing to the rate of the others.
  const RankCount late[] = {{.begin_seconds = 0, .count = 10, .per_second = 9.0},
                            {.begin_seconds = 0, .count = 1, .per_second = 0.0}};
  BOOST_TEST(rate_of_all(late).value() == 9, tolerance(1e-12));
  BOOST_TEST(!rate_of_all({}).has_value());
}

BOOST_AUTO_TEST_CASE(the_span_of_all_is_from_the_first_begin_to_the_last_end) {
  const RankSpan spans[] = {{.begin_seconds = 0.5, .seconds = 1}, {.begin_seconds = -0.25, .seconds = 0.5}};
  BOOST_TEST(seconds_of_all(spans) == 1.75);
  BOOST_TEST(seconds_of_all(std::span(spans).first(1)) == 1);
}

BOOST_AUTO_TEST_CASE(ranks_began_together_within_a_fiftieth) {
  const auto together = [](double begin) {
    const RankSpan spans[] = {{.begin_seconds = 0.1, .seconds = 10}, {.begin_seconds = begin, .seconds = 1}};
    return began_together(spans);
  };
  BOOST_TEST(together(0.1));
  BOOST_TEST(together(0.29));
  BOOST_TEST(together(-0.09));
  BOOST_TEST(!together(0.31));
  BOOST_TEST(!together(-0.11));
}

// What may be so far apart is not known to be together.
BOOST_AUTO_TEST_CASE(ranks_whose_clocks_are_not_known_did_not_begin_together) {
  const auto together = [](double error) {
    const RankSpan spans[] = {{.begin_seconds = 0.1, .seconds = 10},
                              {.begin_seconds = 0.1, .seconds = 10, .error_seconds = error}};
    return began_together(spans);
  };
  BOOST_TEST(together(0.09));
  BOOST_TEST(!together(0.11));
}

BOOST_AUTO_TEST_CASE(intervals_at_one_time_keep_what_was_counted) {
  const RankIntervals ranks[] = {{.begin_seconds = 0,
                                  .rates = {{.begin_seconds = 0, .end_seconds = 1, .per_second = 100},
                                            {.begin_seconds = 1, .end_seconds = 2, .per_second = 300}}},
                                 {.begin_seconds = 0.02,
                                  .rates = {{.begin_seconds = 0, .end_seconds = 1.04, .per_second = 50},
                                            {.begin_seconds = 1.04, .end_seconds = 2, .per_second = 25}}}};
  const auto all = intervals_of_all(ranks);
  BOOST_REQUIRE(all.size() == 2u);
  BOOST_TEST(all[0].begin_seconds == 0.01, tolerance(1e-12));
  BOOST_TEST(all[0].end_seconds == 1.03, tolerance(1e-12));
  BOOST_TEST(all[1].begin_seconds == all[0].end_seconds, tolerance(1e-12));
  BOOST_TEST(all[0].per_second == (100 + 50 * 1.04) / 1.02, tolerance(1e-12));
  double counted = 0;
  for (const auto& one : all) counted += one.per_second * (one.end_seconds - one.begin_seconds);
  BOOST_TEST(counted == 100 + 300 + 50 * 1.04 + 25 * 0.96, tolerance(1e-12));
}

BOOST_AUTO_TEST_CASE(intervals_that_are_not_the_same_are_left_out) {
  const RankIntervals one{.begin_seconds = 0, .rates = {{.begin_seconds = 0, .end_seconds = 1, .per_second = 1}}};
  RankIntervals late = one, longer = one, more = one;
  late.begin_seconds = 0.25;
  longer.rates[0].end_seconds = 1.5;
  more.rates.push_back({.begin_seconds = 1, .end_seconds = 2, .per_second = 1});
  for (const RankIntervals& other : {late, longer, more, RankIntervals{}}) {
    const RankIntervals ranks[] = {one, other};
    BOOST_TEST(intervals_of_all(ranks).empty());
    const RankIntervals reverse[] = {other, one};
    BOOST_TEST(intervals_of_all(reverse).empty());
  }
  BOOST_TEST(intervals_of_all({}).empty());
}

BOOST_AUTO_TEST_SUITE_END()
