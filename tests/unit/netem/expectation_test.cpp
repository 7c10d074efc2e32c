// What a link is expected to choose in the long run, against what it chooses.
#include "netem/expectation.h"

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <string_view>

#include "netem/link.h"
#include "support/sanitized.h"

using namespace std::chrono_literals;
using namespace mxp;
using namespace mxp::netem;

BOOST_AUTO_TEST_SUITE(netem_expectation)

namespace {

LinkSpec spec(std::string_view text) {
  auto parsed = parse_link_spec(text);
  BOOST_REQUIRE_MESSAGE(parsed.has_value(), text << ": " << (parsed ? "" : parsed.error()));
  return *parsed;
}

constexpr int kPackets = 400'000;

LinkCounters counters_of(std::string_view text, int packets = kPackets) {
  Link link(spec(text), {.seed = 3});
  Timestamp now{1h};
  for (int i = 0; i < packets; ++i) {
    link.offer({}, now, static_cast<FlowId>(i % 8));
    now += 1ms;
    while (link.take(now)) {
    }
  }
  return link.counters();
}

double share(std::uint64_t count) { return static_cast<double>(count) / kPackets; }

}  // namespace

BOOST_AUTO_TEST_CASE(correlated_loss_is_what_the_kernels_formula_makes_of_it) {
  for (const std::string_view text : {"loss 3% 25%", "loss 10% 25%", "loss 10% 50%", "loss 30% 75%", "loss 50% 90%",
                                      "loss 97% 25%", "loss 3%", "loss 0% 25%", "loss 100% 50%"}) {
    const double expected = expected_loss(spec(text).loss);
    // Bursts of the correlation widen the scatter, by the factor (1+c)/(1-c) at most: 19 here.
    constexpr int kOffered = test::kSanitized ? 40'000 : kPackets;
    const double bound = 4 * std::sqrt(19 * expected * (1 - expected) / kOffered) + 1e-9;
    const double lost = static_cast<double>(counters_of(text, kOffered).lost) / kOffered;
    BOOST_TEST(std::abs(lost - expected) <= bound, text << ": expected " << expected << ", lost " << lost);
  }
}

BOOST_AUTO_TEST_CASE(a_correlation_makes_three_percent_a_small_part_of_it) {
  BOOST_TEST(expected_share({.p = 0.03}) == 0.03);
  // With 3/4 u + 1/4 x below 0.03 and x hardly ever that small itself, u must be below 0.04 and x below 0.12.
  BOOST_TEST(expected_share({.p = 0.03, .correlation = 0.25}) < 0.001);
  BOOST_TEST(expected_share({.p = 0.03, .correlation = 0.25}) > 0.0001);
  BOOST_TEST(expected_share({.p = 0.03, .correlation = 0.5}) < 1e-5);
  for (const double c : {0.0, 0.1, 0.5, 0.9, 0.989, 0.995, 1.0}) {
    BOOST_TEST(expected_share({.p = 0.5, .correlation = c}) == 0.5, boost::test_tools::tolerance(1e-6));  // symmetric
    BOOST_TEST(expected_share({.p = 0.0, .correlation = c}) == 0.0);
    BOOST_TEST(expected_share({.p = 1.0, .correlation = c}) == 1.0);
  }
}

BOOST_AUTO_TEST_CASE(iteration_and_normal_approximation_meet) {
  const double iterated = expected_share({.p = 0.45, .correlation = 0.9899});
  const double normal = expected_share({.p = 0.45, .correlation = 0.9901});
  BOOST_TEST(std::abs(iterated - normal) < 0.001, iterated << " and " << normal);
}

BOOST_AUTO_TEST_CASE(chains_have_their_stationary_loss) {
  for (const std::string_view text :
       {"loss gemodel 1% 25%", "loss gemodel 5% 20% 60% 2%", "loss gemodel 2%", "loss state 2% 50%",
        "loss state 5% 40% 20% 60% 1%", "loss state 0% 100% 0% 100% 30%", "loss gemodel 0% 0% 100% 3%"}) {
    const double expected = expected_loss(spec(text).loss);
    BOOST_TEST(share(counters_of(text).lost) == expected, boost::test_tools::tolerance(0.05));
  }
  BOOST_TEST(expected_loss(FourStateLoss{.p13 = 0.1, .p31 = 0, .p32 = 0}) == 1.0);
  BOOST_TEST(expected_loss(FourStateLoss{.p13 = 0.1, .p31 = 0.5, .p32 = 0.5, .p23 = 0}) == 0.0);
  BOOST_TEST(expected_loss(FourStateLoss{.p13 = 0.1, .p31 = 0, .p32 = 1, .p23 = 1}) == 0.5);
  BOOST_TEST(expected_loss(NoLoss{}) == 0.0);
}

BOOST_AUTO_TEST_CASE(reordering_with_a_gap_is_rarer) {
  for (const std::string_view text :
       {"delay 10ms reorder 25%", "delay 10ms reorder 25% gap 5", "delay 10ms gap 5", "delay 10ms reorder 40% 50%"}) {
    const auto expected = expected_reordering(spec(text).reorder);
    BOOST_REQUIRE(expected.has_value());
    BOOST_TEST(share(counters_of(text).reordered) == *expected, boost::test_tools::tolerance(0.03));
  }
  BOOST_TEST(!expected_reordering(spec("delay 10ms reorder 25% 50% gap 5").reorder).has_value());
}

BOOST_AUTO_TEST_SUITE_END()
