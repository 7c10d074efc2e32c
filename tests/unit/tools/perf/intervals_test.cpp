// The statistics of compare, against simulated runs whose truth is known: how often an interval misses it, how often
// the same program is called worse, and how often a slower one is found.
#include "mxp-perf/compare/intervals.h"

#include <boost/math/distributions/binomial.hpp>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <functional>
#include <nlohmann/json.hpp>
#include <random>

#include "mxp-perf/compare/comparison.h"
#include "mxp-perf/compare/comparison_text.h"

using namespace mxp::perf;

namespace {

// From fifteen runs on there is a bootstrap in each.
constexpr unsigned trials_of(unsigned runs) { return runs < 15 ? 1000 : 120; }

// What a share of `probability` gives at most in so many trials, but for once in 10,000.
unsigned at_most(double probability, unsigned trials) {
  const boost::math::binomial_distribution<double> chance(trials, probability);
  return static_cast<unsigned>(boost::math::quantile(boost::math::complement(chance, 1e-4)));
}

using Random = std::mt19937_64;
// The logarithm of one run's figure.
using Run = std::function<double(Random&)>;

double normal(Random& random, double deviation) { return std::normal_distribution<double>(0, deviation)(random); }

// Machines: a quiet one; one where a run in ten is disturbed and loses up to a half; one whose runs are skewed.
double quiet(Random& random) { return normal(random, 0.01); }
double disturbed(Random& random) {
  const double lost = std::uniform_real_distribution<double>(0, 0.5)(random);
  return normal(random, 0.01) + (random() % 10 == 0 ? std::log(1 - lost) : 0);
}
double skewed(Random& random) { return -0.03 * std::exponential_distribution<double>(1)(random); }

const std::pair<const char*, Run> kMachines[] = {{"quiet", quiet}, {"disturbed", disturbed}, {"skewed", skewed}};

struct Rates {
  unsigned missed = 0, low = 0, high = 0;  // intervals without the truth, and of these those above and below it
};

template <typename Trial>
Rates rates_of(double truth, unsigned trials, Trial trial) {
  Rates rates;
  for (unsigned i = 0; i != trials; ++i) {
    Random random(1000 + i);
    const Estimate estimate = trial(random);
    rates.low += estimate.low > truth;
    rates.high += estimate.high < truth;
  }
  rates.missed = rates.low + rates.high;
  return rates;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(perf_intervals)

BOOST_AUTO_TEST_CASE(intervals_of_pairs_miss_the_truth_no_more_often_than_they_say) {
  for (const auto& [name, run] : kMachines)
    for (const unsigned pairs : {2u, 3u, 5u, 8u, 10u, 16u}) {
      const unsigned trials = trials_of(pairs);
      const Rates rates = rates_of(0, trials, [&, &one = run](Random& random) {
        std::vector<double> differences;
        // What drifts falls on both runs of a pair.
        for (unsigned i = 0; i != pairs; ++i) {
          const double drift = 0.02 * i;
          differences.push_back((one(random) + drift) - (one(random) + drift));
        }
        return estimate_pairs(differences, 0.95);
      });
      BOOST_TEST_CONTEXT(name << ", " << pairs << " pairs: " << rates.missed << " of " << trials) {
        BOOST_TEST(rates.missed <= at_most(0.05, trials));
        BOOST_TEST(rates.low <= at_most(0.025, trials));  // the false alarms of a limit of nothing
        BOOST_TEST(rates.high <= at_most(0.025, trials));
      }
    }
}

BOOST_AUTO_TEST_CASE(intervals_of_groups_miss_the_truth_no_more_often_than_they_say) {
  for (const auto& [name, run] : kMachines)
    for (const unsigned runs : {2u, 4u, 5u, 10u, 16u}) {
      const unsigned trials = trials_of(runs);
      const Rates rates = rates_of(0, trials, [&, &one = run](Random& random) {
        std::vector<double> a, b;
        for (unsigned i = 0; i != runs; ++i) a.push_back(one(random)), b.push_back(one(random));
        return estimate_difference(a, b, 0.95);
      });
      BOOST_TEST_CONTEXT(name << ", " << runs << " runs: " << rates.missed << " of " << trials)
      BOOST_TEST(rates.missed <= at_most(0.05, trials));
    }
}

// Too wide would be of no use either.
BOOST_AUTO_TEST_CASE(five_per_cent_are_found_on_quiet_and_on_disturbed_machines) {
  for (const auto& [name, run] : {kMachines[0], kMachines[1]}) {
    const Rates rates = rates_of(std::log(0.98), trials_of(10), [&, &one = run](Random& random) {
      std::vector<double> differences;
      for (unsigned i = 0; i != 10; ++i) differences.push_back(one(random) + std::log(0.95) - one(random));
      return estimate_pairs(differences, 0.95);
    });
    BOOST_TEST_CONTEXT(name << ": found " << rates.high << " of " << trials_of(10))
    BOOST_TEST(rates.high >= (name == std::string_view("quiet") ? 0.98 : 0.8) * trials_of(10));
  }
}

BOOST_AUTO_TEST_CASE(the_same_runs_give_the_same_interval) {
  const double values[] = {0.01, -0.02, 0.03, 0.004, 0.011, -0.006, 0.02};
  const Estimate one = estimate_pairs(values, 0.95), two = estimate_pairs(values, 0.95);
  BOOST_TEST((one.value == two.value && one.low == two.low && one.high == two.high));
  BOOST_TEST(one.low < one.value);
  BOOST_TEST(one.high > one.value);
  const Estimate sure = estimate_pairs(values, 0.99);
  BOOST_TEST((sure.low < one.low && sure.high > one.high));
}

BOOST_AUTO_TEST_CASE(runs_that_are_all_the_same_are_not_certain) {
  const double values[] = {0.05, 0.05, 0.05};
  const Estimate estimate = estimate_pairs(values, 0.95);
  BOOST_TEST(estimate.value == 0.05, boost::test_tools::tolerance(1e-9));
  BOOST_TEST(estimate.high - estimate.low > 0.002);
  BOOST_TEST(estimate.high - estimate.low < 0.01);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(perf_comparison)

namespace {

nlohmann::json bulk(double goodput) {
  return {{"schema", "mxp-perf/1"},
          {"version", "0.1"},
          {"test", "bulk"},
          {"config", {{"mtu_bytes", 1500}}},
          {"result", {{"goodput_bits_per_second", goodput}}}};
}

std::vector<nlohmann::json> bulks(std::initializer_list<double> goodputs) {
  std::vector<nlohmann::json> documents;
  for (const double goodput : goodputs) documents.push_back(bulk(goodput));
  return documents;
}

nlohmann::json calls(double p50_us) {
  return {{"test", "rr"},
          {"result", {{"messages_per_second", 1000}, {"rate_kept", true}, {"latency_us", {{"p50", p50_us}}}}}};
}

}  // namespace

BOOST_AUTO_TEST_CASE(what_lies_beyond_the_limit_for_certain_is_a_regression) {
  const auto base = bulks({100e6, 101e6, 99e6, 100.5e6}), worse = bulks({90e6, 90.5e6, 89.5e6, 90e6});
  const Comparison found = compare(base, worse, {.max_regression = 0.05}).value();
  BOOST_TEST((found.finding == Finding::regression));
  BOOST_TEST(found.metrics[0].change == -0.1, boost::test_tools::tolerance(0.02));
  BOOST_TEST((compare(base, worse, {.max_regression = 0.2}).value().finding == Finding::no_regression));
  BOOST_TEST((compare(base, worse, {.max_regression = 0.1}).value().finding == Finding::unclear));
  BOOST_TEST((compare(worse, base, {.max_regression = 0.05}).value().finding == Finding::improvement));
}

BOOST_AUTO_TEST_CASE(longer_latencies_are_worse) {
  const std::vector<nlohmann::json> base{calls(100), calls(101), calls(100)}, worse{calls(120), calls(121), calls(120)};
  const Comparison found = compare(base, worse, {.max_regression = 0.05}).value();
  BOOST_TEST((found.finding == Finding::regression));
  for (const MetricComparison& one : found.metrics) BOOST_TEST(one.decides == (one.metric->name == "p50"));
  BOOST_TEST((compare(worse, base, {.max_regression = 0.05}).value().finding == Finding::improvement));
}

BOOST_AUTO_TEST_CASE(pairs_cancel_what_fell_on_both) {
  const auto base = bulks({100e6, 80e6, 60e6, 90e6}), worse = bulks({95e6, 76.1e6, 57e6, 85.4e6});
  BOOST_TEST((compare(base, worse, {.pairing = Pairing::pairs}).value().finding == Finding::regression));
  BOOST_TEST((compare(base, worse, {.pairing = Pairing::groups}).value().finding == Finding::unclear));
}

BOOST_AUTO_TEST_CASE(one_run_of_each_has_no_interval) {
  const Comparison found = compare(bulks({100e6}), bulks({90e6}), {.max_regression = 0.05}).value();
  BOOST_TEST((found.finding == Finding::regression));
  BOOST_TEST(!found.metrics[0].range.has_value());
  BOOST_TEST(to_text(found).find("one run says nothing of the next one") != std::string::npos);
  BOOST_TEST(!to_json(found)["metrics"][0].contains("interval_percent"));
}

BOOST_AUTO_TEST_CASE(what_does_not_go_together_is_refused) {
  BOOST_TEST(compare(bulks({1}), {calls(1)}, {}).error() == "results of different tests do not compare: bulk and rr");
  BOOST_TEST(compare(bulks({1}), bulks({1}), {.metrics = {"p50"}}).error() == "not every result has p50");
  BOOST_TEST(!compare(bulks({0}), bulks({1}), {}).has_value());
}

BOOST_AUTO_TEST_CASE(settings_that_differ_are_named) {
  auto next = bulks({100e6, 100e6});
  next[0]["config"]["mtu_bytes"] = 9000;
  next[0]["environment"]["kernel"] = "6.1\x1b[31m";
  const Comparison found = compare(bulks({100e6, 100e6}), next, {}).value();
  BOOST_REQUIRE(found.differences.size() == 2u);
  BOOST_TEST(found.differences[0].key == "config.mtu_bytes");
  BOOST_TEST((found.differences[0].base == "1500" && found.differences[0].next == "1500 or 9000"));
  BOOST_TEST(found.differences[1].base == "absent");
  BOOST_TEST(found.differences[1].next.find('\x1b') == std::string::npos);
}

BOOST_AUTO_TEST_CASE(forms_for_pipelines) {
  const Comparison found =
      compare(bulks({100e6, 100.2e6, 99.9e6}), bulks({90e6, 90.3e6, 90.1e6}), {.max_regression = 0.05}).value();
  BOOST_TEST(to_junit(found).find("<testsuite name=\"mxp-perf compare\" tests=\"1\" failures=\"1\"") !=
             std::string::npos);
  BOOST_TEST(to_github(found).starts_with("::error title=mxp-perf bulk%3A REGRESSION::goodput: 100 Mbit/s to 90.1 "));
  BOOST_TEST(to_github(found).find("%25 [-") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
