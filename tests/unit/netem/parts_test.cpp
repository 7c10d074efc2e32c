// The parts of the link model, each on its own.
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <string>
#include <vector>

#include "netem/delay_histogram.h"
#include "netem/delay_table.h"
#include "netem/delivery_trace.h"
#include "netem/distribution.h"
#include "netem/draws.h"
#include "netem/serializer.h"
#include "netem/spec.h"

using namespace std::chrono_literals;
using namespace mxp;
using namespace mxp::netem;

BOOST_AUTO_TEST_SUITE(netem_parts)

BOOST_AUTO_TEST_CASE(draws_are_uniform_and_pairwise_unrelated) {
  FlowDraws draws(42, 0, 0);
  constexpr int kDraws = 100'000;
  double sum = 0;
  double product = 0;
  std::vector<int> buckets(16);
  for (std::uint64_t i = 0; i < kDraws; ++i) {
    const double x = draws.uniform({.packet = i}, Purpose::loss);
    const double y = draws.uniform({.packet = i}, Purpose::delay);
    BOOST_REQUIRE((x >= 0 && x < 1));
    sum += x;
    product += (x - 0.5) * (y - 0.5);
    ++buckets[static_cast<std::size_t>(x * 16)];
  }
  BOOST_TEST(std::abs(sum / kDraws - 0.5) < 0.004);
  BOOST_TEST(std::abs(product / kDraws * 12) < 0.02);
  double chi_square = 0;
  for (const int count : buckets) chi_square += std::pow(count - kDraws / 16.0, 2) / (kDraws / 16.0);
  BOOST_TEST(chi_square < 37.7);  // 15 degrees of freedom, 0.1 %
}

BOOST_AUTO_TEST_CASE(correlation_pulls_a_draw_towards_the_last_one) {
  FlowDraws draws(1, 0, 0);
  double last = draws.correlated({.packet = 0}, Purpose::delay, 0.9);
  for (std::uint64_t i = 1; i < 1000; ++i) {
    const double next = draws.correlated({.packet = i}, Purpose::delay, 0.9);
    BOOST_REQUIRE(std::abs(next - (0.9 * last + 0.1 * draws.uniform({.packet = i}, Purpose::delay))) < 1e-12);
    last = next;
  }
}

BOOST_AUTO_TEST_CASE(the_slowest_wire_and_the_longest_slots_come_to_no_overflow) {
  const auto wire = parse_link_spec("rate 8bit 65535 1 65535");
  BOOST_REQUIRE(wire.has_value());
  Serializer serializer(*wire, 1, 0);
  const Timestamp begin{1s};
  BOOST_TEST((serializer.departure(begin, 1500, begin) == begin + 24h));
  Timestamp last = begin;
  for (int i = 0; i < 200'000; ++i) {
    const Timestamp next = serializer.departure(begin, 1500, begin);
    BOOST_REQUIRE((next >= last));
    last = next;
  }
  const auto slots = parse_link_spec("slot 86400s 86400s packets 1");
  BOOST_REQUIRE(slots.has_value());
  Serializer bursts(*slots, 1, 0);
  for (int i = 0; i < 200'000; ++i) BOOST_REQUIRE((bursts.departure(begin, 1500, begin) > begin));
}

BOOST_AUTO_TEST_CASE(normal_quantiles_are_those_of_the_tables) {
  struct Row {
    double u;
    double z;
  };
  for (const Row& row : {Row{0.5, 0}, Row{0.8413447461, 1}, Row{0.975, 1.959963985}, Row{0.999, 3.090232306},
                         Row{0.025, -1.959963985}}) {
    BOOST_TEST(std::abs(deviation(Distribution::normal, row.u) - row.z) < 1e-6);
  }
  BOOST_TEST(deviation(Distribution::normal, 0) == -4);
  BOOST_TEST(deviation(Distribution::normal, 0x1.fffffffffffffp-1) == 4);
}

BOOST_AUTO_TEST_CASE(other_shapes_have_their_ends_where_the_kernels_tables_have_them) {
  BOOST_TEST(deviation(Distribution::uniform, 0) == -1);
  BOOST_TEST(deviation(Distribution::uniform, 0.75) == 0.5);
  // First and last value of iproute2's tables: -5461 and 32767, scaled by 8192.
  BOOST_TEST(deviation(Distribution::pareto, 0) == -5461.33 / 8192, boost::test_tools::tolerance(1e-5));
  BOOST_TEST(deviation(Distribution::pareto, 0.9999999) == 4);
  BOOST_TEST(deviation(Distribution::paretonormal, 0) == 0.25 * -4 + 0.75 * -5461.33 / 8192,
             boost::test_tools::tolerance(1e-5));
  for (const auto shape :
       {Distribution::uniform, Distribution::normal, Distribution::pareto, Distribution::paretonormal}) {
    for (double u = 0; u < 0.999; u += 0.001) BOOST_REQUIRE(deviation(shape, u) <= deviation(shape, u + 0.001));
  }
}

BOOST_AUTO_TEST_CASE(durations_are_never_negative) {
  BOOST_TEST((draw_duration(1ms, 5ms, Distribution::uniform, 0) == 0ms));
  BOOST_TEST((draw_duration(10ms, 5ms, Distribution::uniform, 0) == 5ms));
  BOOST_TEST((draw_duration(10ms, 0ms, Distribution::normal, 0) == 10ms));
}

BOOST_AUTO_TEST_CASE(histogram_gives_quantiles_within_its_bucket_width) {
  DelayHistogram histogram;
  BOOST_TEST((histogram.quantile(0.5) == 0ns));
  for (int i = 1; i <= 1000; ++i) histogram.record(i * 1ms);
  BOOST_TEST(histogram.count() == 1000u);
  BOOST_TEST((histogram.max() == 1000ms));
  BOOST_TEST((histogram.mean() == 500'500us));
  for (const double q : {0.01, 0.5, 0.9, 0.99}) {
    const double exact = q * 1e9;
    const auto value = static_cast<double>(histogram.quantile(q).count());
    BOOST_TEST(value >= exact);
    BOOST_TEST(value <= exact * (1 + 1.0 / 32) + 1);
  }
  BOOST_TEST((histogram.quantile(1) == 1000ms));
  DelayHistogram edges;
  edges.record(-5ns);
  edges.record(0ns);
  edges.record(Duration::max());
  BOOST_TEST((edges.quantile(0.5) == 0ns));
  BOOST_TEST((edges.quantile(1) == Duration::max()));
}

BOOST_AUTO_TEST_CASE(delivery_trace_is_read_line_by_line) {
  const auto good = parse_delivery_trace("0\n5\r\n5\n12");
  BOOST_REQUIRE(good.has_value());
  BOOST_TEST(*good == (std::vector<std::uint32_t>{0, 5, 5, 12}), boost::test_tools::per_element());
  struct Row {
    std::string_view text;
    std::string_view says;
  };
  for (const Row& row : {Row{"", "no delivery opportunity"}, Row{"0\n", "above 0"}, Row{"5\n\n6", "line 2"},
                         Row{"5\n4", "line 2: 4 is before the 5"}, Row{"5\nx", "line 2"}, Row{"-1", "line 1"},
                         Row{"5 ", "line 1"}, Row{"99999999999", "line 1"}}) {
    const auto bad = parse_delivery_trace(row.text);
    BOOST_TEST(!bad.has_value(), row.text);
    if (!bad) BOOST_TEST(bad.error().find(row.says) != std::string::npos, bad.error());
  }
}

BOOST_AUTO_TEST_CASE(opportunities_are_shared_by_small_packets_and_wasted_when_idle) {
  DeliveryTrace trace({10, 20, 30});
  BOOST_TEST((trace.departure(0ms, 700) == 10ms));
  BOOST_TEST((trace.departure(0ms, 700) == 10ms));
  BOOST_TEST((trace.departure(0ms, 700) == 20ms));   // 100 bytes in the first, the rest in the second
  BOOST_TEST((trace.departure(25ms, 100) == 30ms));  // the rest of the second is gone
  BOOST_TEST((trace.departure(30ms, 1400) == 30ms));
  BOOST_TEST((trace.departure(30ms, 4500) == 60ms));  // three of the next lap
}

BOOST_AUTO_TEST_CASE(delivery_trace_skips_idle_hours_to_the_right_opportunity) {
  DeliveryTrace trace({10, 20, 30});
  BOOST_TEST((trace.departure(3600s + 1ms, 100) == 3600s + 10ms));
  BOOST_TEST((trace.departure(7200s, 100) == 7200s));  // the end of a lap is an opportunity
  BOOST_TEST((trace.departure(7200s + 20ms + 1ns, 100) == 7200s + 30ms));
}

BOOST_AUTO_TEST_CASE(lists_are_shared_and_compared_by_what_they_hold) {
  const SharedList<std::uint32_t> list = {5, 5, 20};
  const SharedList<std::uint32_t> copy = list;
  BOOST_TEST(copy.begin() == list.begin());
  BOOST_TEST((list == SharedList<std::uint32_t>{5, 5, 20}));
  BOOST_TEST((list != SharedList<std::uint32_t>{5, 5}));
  BOOST_TEST((list != SharedList<std::uint32_t>{}));
  BOOST_TEST((SharedList<std::uint32_t>{} == SharedList<std::uint32_t>(std::vector<std::uint32_t>{})));
}

BOOST_AUTO_TEST_CASE(delay_table_is_read_as_tc_does) {
  const auto table = parse_delay_table("# deviations\n -32768 0\t8192\r\n\n32767\n# 5\n");
  BOOST_REQUIRE(table.has_value());
  BOOST_TEST(*table == (std::vector<std::int16_t>{-32768, 0, 8192, 32767}), boost::test_tools::per_element());
  const DelayTable delays{.file = "x", .values = *table};
  BOOST_TEST(deviation(Distribution::table, 0.0, delays) == -4.0);
  BOOST_TEST(deviation(Distribution::table, 0.6, delays) == 1.0);
  BOOST_TEST(draw_duration(10ms, 2ms, Distribution::table, 0.6, delays).count() == Duration(12ms).count());
}

BOOST_AUTO_TEST_CASE(malformed_delay_tables_are_refused_with_the_line_at_fault) {
  std::string too_many;
  for (std::size_t i = 0; i < kMostTableValues; ++i) too_many += "1\n";
  BOOST_TEST(parse_delay_table(too_many).has_value());
  too_many += "1\n";
  const struct {
    std::string text;
    std::string_view says;
  } table[] = {
      {"", "no number"},     {"# nothing\n", "no number"}, {"1 2\n3 x\n", "line 2"},
      {"1.5", "line 1"},     {"32768", "line 1"},          {"1\n-32769\n", "line 2"},
      {"1 # 2\n", "line 1"}, {too_many, "line 16385"},     {std::string("1\0 2", 4), "line 1"},
  };
  for (const auto& row : table) {
    const auto parsed = parse_delay_table(row.text);
    BOOST_REQUIRE(!parsed.has_value());
    BOOST_TEST(parsed.error().find(row.says) != std::string::npos, parsed.error());
  }
}

BOOST_AUTO_TEST_SUITE_END()
