// When the results of ranks are no run, who is named, and what hosts[] has of each.
#include "mxp-perf-mpi/validity.h"

#include <fmt/format.h>

#include <boost/test/unit_test.hpp>

#include "mxp-perf-mpi/hosts.h"
#include "mxp-perf-mpi/rank_load.h"
#include "mxp-perf-mpi/sums.h"
#include "unit/tools/perf_mpi/made_outcomes.h"

using namespace mxp::perf_mpi;
using namespace mxp::perf_mpi::test;
namespace perf = mxp::perf;
using mxp::tools::ErrorKind;
using mxp::tools::ToolError;

namespace {

const std::vector<RankPlace> kPlaces = {{.host = "a", .clock = {}},
                                        {.host = "b\n", .clock = {.before = {.seconds = 0.5, .error_seconds = 0.001}}},
                                        {.host = "c", .clock = {}}};

// Of ten seconds.
std::optional<ToolError> judged(const std::vector<Outcome>& outcomes, const std::vector<RankPlace>& places = kPlaces) {
  return why_invalid(made_options(perf::Test::bulk), places, outcomes);
}

std::vector<Outcome> three(double late_of_second = 0) {
  return made_outcomes(
      {made_result(perf::Test::bulk), made_result(perf::Test::bulk, late_of_second), made_result(perf::Test::bulk)},
      made_options(perf::Test::bulk));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(perf_mpi_validity)

BOOST_AUTO_TEST_CASE(all_on_time_is_a_run) { BOOST_TEST(!judged(three(0.9)).has_value()); }

BOOST_AUTO_TEST_CASE(a_rank_that_began_after_a_tenth_is_named) {
  const auto error = judged(three(1.5));
  BOOST_TEST(error.value().message == "rank 1 on b\\x0a began 1.50 s late: the run is not valid");
  BOOST_TEST((error->kind == ErrorKind::network));
}

BOOST_AUTO_TEST_CASE(a_clock_that_is_not_known_to_a_tenth_of_the_test_makes_no_run) {
  auto places = kPlaces;
  places[2].clock.before.error_seconds = 0.99;
  BOOST_TEST(!judged(three(), places).has_value());
  places[2].clock.before.error_seconds = 12;
  BOOST_TEST(judged(three(), places).value().message ==
             "the clock of rank 2 on c is known no better than to 12.00 s, of a test of 10.00 s: the run is not valid");
  places[2].clock.before.error_seconds = kUnknownClockError;
  BOOST_TEST(judged(three(), places).has_value());
}

// The tenth is a second.
BOOST_AUTO_TEST_CASE(a_clock_that_moves_during_the_test_makes_no_run) {
  auto places = kPlaces;
  RankClock& clock = places[1].clock;
  clock.after = ClockOffset{.seconds = 0.5, .error_seconds = 0.01};
  BOOST_TEST(!judged(three(), places).has_value());
  clock.after->seconds = 1.48;  // moved by 0.98, known to 0.01
  BOOST_TEST(!judged(three(), places).has_value());
  clock.after->seconds = 3.5;
  BOOST_TEST(
      judged(three(), places).value().message ==
      "the clock of rank 1 on b\\x0a moved by 3.00 s against that of rank 0, of a test of 10.00 s: the run is not "
      "valid");
  BOOST_TEST((judged(three(), places)->kind == ErrorKind::network));
  clock.after->seconds = -2.5;
  BOOST_TEST(judged(three(), places).value().message.starts_with("the clock of rank 1 on b\\x0a moved by 3.00 s "));
  // It may have moved, or not.
  clock.after = ClockOffset{.seconds = 1.5, .error_seconds = 2};
  BOOST_TEST(judged(three(), places)
                 .value()
                 .message.starts_with("the clock of rank 1 on b\\x0a is known no better than to 3.00 s"));
  clock.after = ClockOffset{.error_seconds = kUnknownClockError};
  BOOST_TEST(judged(three(), places).value().message ==
             "rank 1 on b\\x0a did not tell its time after the test: the run is not valid");
}

BOOST_AUTO_TEST_CASE(ranks_that_gave_nothing_are_named) {
  auto outcomes = three();
  outcomes.erase(outcomes.begin() + 1, outcomes.end());
  BOOST_TEST(judged(outcomes).value().message ==
             "rank 1 on b\\x0a, rank 2 on c gave no result: dead, or too slow; the run is not valid");
}

BOOST_AUTO_TEST_CASE(a_failure_prevails_over_missing_ranks_and_an_interrupt_does_not) {
  auto outcomes = three();
  outcomes.pop_back();
  outcomes[0].error = ToolError{ErrorKind::interrupted, "interrupted"};
  BOOST_TEST(judged(outcomes).value().message.starts_with("rank 2 on c gave no result"));
  outcomes[1].error = ToolError{ErrorKind::auth, "not allowed"};
  BOOST_TEST(judged(outcomes).value().message == "rank 1 on b\\x0a: not allowed");
  BOOST_TEST((judged(outcomes)->kind == ErrorKind::auth));
  auto all = three();
  all[2].error = ToolError{ErrorKind::interrupted, "interrupted"};
  BOOST_TEST((judged(all).value().kind == ErrorKind::interrupted));
}

BOOST_AUTO_TEST_CASE(each_rank_has_its_entry) {
  auto outcomes = three(0.25);
  outcomes[1].error = ToolError{ErrorKind::peer, "it ended"};
  outcomes.pop_back();
  const auto hosts = hosts_of(kPlaces, outcomes);
  BOOST_REQUIRE(hosts.size() == 3u);
  BOOST_TEST(hosts[1].at("rank") == 1);
  BOOST_TEST(hosts[1].at("clock_offset_us") == 500'000);
  BOOST_TEST(hosts[1].at("clock_error_us") == 1000);
  BOOST_TEST(!hosts[1].contains("clock_drift_us"));
  auto again = kPlaces;
  again[1].clock.after = ClockOffset{.seconds = 0.504, .error_seconds = 0.002};
  const auto compared = hosts_of(again, outcomes)[1];
  BOOST_TEST(compared.at("clock_offset_us") == 500'000);
  BOOST_TEST(compared.at("clock_drift_us").get<double>() == 4000, boost::test_tools::tolerance(1e-6));
  BOOST_TEST(compared.at("clock_error_us").get<double>() == 6000, boost::test_tools::tolerance(1e-6));
  BOOST_TEST(hosts[1].at("start_late_us").get<double>() == 250'000, boost::test_tools::tolerance(1e-6));
  BOOST_TEST(hosts[1].at("error").at("message") == "it ended");
  BOOST_TEST(hosts[1].at("result") == outcomes[1].document.at("result"));
  BOOST_TEST(hosts[1].at("transport") == outcomes[1].document.at("transport"));
  BOOST_TEST(!hosts[0].contains("error"));
  BOOST_TEST(!hosts[2].contains("result"));
  BOOST_TEST(hosts[2].at("error").at("message") == "it gave no result");
  outcomes[0].error = ToolError{ErrorKind::usage, "no key"};
  BOOST_TEST(hosts_of(kPlaces, outcomes)[2].at("error").at("kind") == "interrupted");
}

BOOST_AUTO_TEST_CASE(an_outcome_comes_back_as_it_went) {
  auto options = made_options(perf::Test::bulk);
  perf::Result result = made_result(perf::Test::bulk);
  result.client = perf::ProcessFigures{.cpu_seconds = 1.5, .waited_seconds = {}, .datagrams_sent = 3};
  result.answers = 4;
  result.held_seconds = 0.1;
  const Outcome went = outcome_of(2, {.result = result, .error = ToolError{ErrorKind::peer, "x"}}, options);
  const auto came = parse_outcome(2, to_text(went));
  BOOST_TEST(came.value().document == went.document);
  BOOST_TEST((came->error->kind == ErrorKind::peer));
  BOOST_TEST(came->beside.client->datagrams_sent == 3u);
  BOOST_TEST(!came->beside.server.has_value());
  BOOST_TEST(came->beside.answers == 4u);
  BOOST_TEST(came->beside.held_seconds == 0.1);
  const auto failed = parse_outcome(1, to_text({.rank = 1, .error = ToolError{ErrorKind::auth, "no"}}));
  BOOST_TEST(failed.value().document.is_null());
  for (const char* text : {"", "[]", "{}", R"({"document":3,"hlog":"","answers":0,"held_seconds":0})",
                           R"({"document":null,"hlog":"","answers":-1,"held_seconds":0})",
                           R"({"document":null,"hlog":5,"answers":1,"held_seconds":0})"})
    BOOST_TEST(!parse_outcome(0, text).has_value());
}

BOOST_AUTO_TEST_CASE(ranks_share_the_rate_and_begin_one_after_the_other) {
  auto all = made_options(perf::Test::rr);
  all.workload.calls_per_second = 200;
  all.start_at = 1000;
  all.json = "all.json";
  const perf::Options second = share_of(all, 1, 4);
  BOOST_TEST(second.workload.calls_per_second == 50);
  BOOST_TEST(second.start_at.value() == 1000.005, boost::test_tools::tolerance(1e-12));
  BOOST_TEST(second.json == "");
  BOOST_TEST(share_of(all, 0, 4).json == "all.json");
}

// What judges the run reads it before anything is merged.
BOOST_AUTO_TEST_CASE(an_outcome_whose_lateness_is_no_number_is_none) {
  const auto text = [](const char* late) {
    return fmt::format(R"({{"document":{{"start":{{"late_us":{}}}}},"hlog":"","answers":0,"held_seconds":0}})", late);
  };
  BOOST_TEST(seconds_late(parse_outcome(1, text("2.5e6")).value()) == 2.5);
  for (const char* late : {"null", "\"soon\"", "[1]"}) BOOST_TEST(!parse_outcome(1, text(late)).has_value());
}

BOOST_AUTO_TEST_SUITE_END()
