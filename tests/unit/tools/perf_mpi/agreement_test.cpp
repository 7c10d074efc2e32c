// Who may do one test together, and how those who may not are named.
#include "mxp-perf-mpi/agreement.h"

#include <boost/test/unit_test.hpp>
#include <chrono>
#include <vector>

#include "unit/tools/perf_mpi/made_outcomes.h"

using namespace mxp::perf_mpi;
using namespace mxp::perf_mpi::test;
namespace perf = mxp::perf;
namespace tools = mxp::tools;
using tools::ErrorKind;

namespace {

using Introductions = std::vector<std::optional<Introduction>>;

Introductions two(const perf::Options& first, const perf::Options& second) {
  return {parse_introduction(to_text(introduce("a", first))), parse_introduction(to_text(introduce("b", second)))};
}

std::optional<AgreementFailure> asked(const Introductions& ranks) {
  return why_not_together(ranks, std::chrono::seconds(10));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(perf_mpi_agreement)

BOOST_AUTO_TEST_CASE(the_same_options_agree_and_so_do_those_that_are_each_ranks_own) {
  auto first = made_options(perf::Test::rr), second = first;
  BOOST_TEST(!asked(two(first, second)).has_value());
  second.identity_file = "mine.key";
  second.start_at = 5;
  second.json = "other.json";
  BOOST_TEST(!asked(two(first, second)).has_value());
}

BOOST_AUTO_TEST_CASE(the_option_that_differs_is_named_with_both_values) {
  auto first = made_options(perf::Test::rr), second = first;
  second.interval = std::chrono::seconds(1);
  BOOST_TEST(asked(two(first, second)).has_value());
  second = first;
  // What is shown of them is the same.
  first.link = "delay 1ms " + std::string(300, ' ') + "loss 1%";
  second.link = "delay 1ms " + std::string(300, ' ') + "loss 2%";
  BOOST_TEST(asked(two(first, second)).has_value());
  second = first = made_options(perf::Test::rr);
  second.workload.connections = 3;
  const auto failure = asked(two(first, second));
  BOOST_TEST(failure.value().error.message ==
             "rank 1 on b has connections 3, and rank 0 has 1: all ranks take the same options");
  BOOST_TEST((failure->error.kind == ErrorKind::usage));
  BOOST_TEST(failure->all_understand);
  second = first;
  second.link = "delay 1ms";
  BOOST_TEST(asked(two(first, second))
                 .value()
                 .error.message.starts_with("rank 1 on b has link \"delay 1ms\", and rank 0 has none: "));
  BOOST_TEST(asked(two(second, first))
                 .value()
                 .error.message.starts_with("rank 1 on b has link none, and rank 0 has \"delay 1ms\": "));
}

BOOST_AUTO_TEST_CASE(a_refused_command_line_is_told) {
  const auto options = made_options(perf::Test::rr);
  const std::expected<perf::Options, tools::ParseStop> refused =
      std::unexpected(tools::ParseStop{tools::ExitCode::usage, "not expected: --tset"});
  const Introductions ranks = {introduce("a", options), parse_introduction(to_text(introduce("b", refused)))};
  BOOST_TEST(asked(ranks).value().error.message == "rank 1 on b: not expected: --tset");
  BOOST_TEST(asked(ranks)->all_understand);
}

BOOST_AUTO_TEST_CASE(other_versions_are_named_before_all_else) {
  const auto options = made_options(perf::Test::rr);
  Introductions ranks = {introduce("a", options), introduce("b", options), {}, introduce("d", options)};
  ranks[0]->program = "0.1.0, built from 1";
  ranks[1]->program = "0.1.0, built from 2";
  ranks[3]->program = "0.0.9\n";
  ranks[3]->options = nullptr;
  const auto failure = asked(ranks);
  BOOST_TEST(failure.value().error.message ==
             "rank 1 on b is 0.1.0, built from 2, rank 3 on d is 0.0.9\\x0a, and rank 0 on a is 0.1.0, built from 1: "
             "all ranks must be one version");
  BOOST_TEST((failure->error.kind == ErrorKind::usage));
  BOOST_TEST(!failure->all_understand);
}

BOOST_AUTO_TEST_CASE(ranks_that_did_not_come_are_named) {
  const auto options = made_options(perf::Test::rr);
  const Introductions ranks = {introduce("a", options), {}, introduce("c", options), {}};
  const auto failure = asked(ranks);
  BOOST_TEST(
      failure.value().error.message.starts_with("rank 1, rank 3 did not come to the agreement within 10.00 s: "));
  BOOST_TEST((failure->error.kind == ErrorKind::network));
  BOOST_TEST(!failure->all_understand);
}

BOOST_AUTO_TEST_CASE(a_text_of_another_version_still_says_who_it_is) {
  const auto other = parse_introduction(R"({"program":"9.0","host":7,"options":[1],"more":{}})");
  BOOST_TEST(other.value().program == "9.0");
  BOOST_TEST(other->host == "");
  BOOST_TEST(other->options.is_null());
  for (const char* text : {"", "3", "{}", R"({"host":"b"})", R"({"program":5})"})
    BOOST_TEST(!parse_introduction(text).has_value());
}

BOOST_AUTO_TEST_SUITE_END()
