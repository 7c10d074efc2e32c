// Each impairment against its closed form, over 10^6 packets in all cases together and more. Seeds are fixed, so a test
// that passes once passes always; the bounds are those that a right model misses for one seed in thousands.
#include <algorithm>
#include <array>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "netem/link.h"

using namespace std::chrono_literals;
using namespace mxp;
using namespace mxp::netem;

namespace {

LinkSpec model(std::string_view text) {
  const auto parsed = parse_link_spec(text);
  BOOST_REQUIRE_MESSAGE(parsed.has_value(), text);
  return *parsed;
}

// What becomes of `packets` datagrams, one each millisecond: lost (true) or not.
std::vector<bool> losses(std::string_view text, std::size_t packets, std::uint64_t seed) {
  Link link(model(text), {.seed = seed});
  constexpr std::array<std::uint8_t, 4> kBytes{};
  std::vector<bool> lost(packets);
  Timestamp now{1h};
  for (std::size_t i = 0; i < packets; ++i, now += 1ms) {
    lost[i] = link.offer(kBytes, now).fate == Fate::lost;
    while (link.take(now)) {
    }
  }
  return lost;
}

// The delays of `packets` datagrams in the order in which they were offered, in milliseconds. Their pace is slower than
// any delay, so that nothing overtakes.
std::vector<double> delays(const LinkSpec& spec, std::size_t packets, std::uint64_t seed) {
  Link link(spec, {.seed = seed});
  constexpr std::array<std::uint8_t, 4> kBytes{};
  std::vector<double> out;
  out.reserve(packets);
  Timestamp now{1h};
  for (std::size_t i = 0; i < packets; ++i, now += 1s) {
    link.offer(kBytes, now);
    const Timestamp due = link.next_departure().value();
    out.push_back(std::chrono::duration<double, std::milli>(due - now).count());
    (void)link.take(due).value();
  }
  return out;
}

// The largest distance between what was drawn and its distribution function, times the root of the number of draws:
// Kolmogorov's distribution, above 1.95 once in a thousand.
double kolmogorov_smirnov(std::vector<double> values, const std::function<double(double)>& below) {
  std::sort(values.begin(), values.end());
  const auto n = static_cast<double>(values.size());
  double distance = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double expected = below(values[i]);
    if (expected >= 1) break;  // where a distribution is cut many values are the same
    distance = std::max({distance, expected - static_cast<double>(i) / n, static_cast<double>(i + 1) / n - expected});
  }
  return distance * std::sqrt(n);
}
constexpr double kOnceInAThousand = 1.95;

double normal_below(double x) { return std::erfc(-x / std::sqrt(2.0)) / 2; }
// Pareto with shape 3, moved to mean 0 and scaled by 4/3.
double pareto_below(double x) { return 1 - std::pow(x * 0.75 + 1.5, -3.0); }
// Where a rising function reaches `y`.
double inverse(const std::function<double(double)>& rising, double y, double low, double high) {
  for (int i = 0; i < 60; ++i) (rising((low + high) / 2) < y ? low : high) = (low + high) / 2;
  return (low + high) / 2;
}

// Chi-square of run lengths against the geometric distribution that ends a run with probability `end`, and its degrees
// of freedom.
struct ChiSquare {
  double value = 0;
  double freedom = 0;
  bool plausible() const { return value < freedom + 4 * std::sqrt(2 * freedom); }
};
ChiSquare geometric_runs(const std::vector<bool>& lost, double end) {
  std::vector<double> runs(200);
  double total = 0;
  std::size_t length = 0;
  for (const bool one : lost) {
    if (one) {
      ++length;
    } else if (length > 0) {
      ++runs[std::min(length, runs.size() - 1)];
      ++total;
      length = 0;
    }
  }
  ChiSquare result;
  double left = total;
  double seen_left = total;
  for (std::size_t i = 1; i < runs.size() - 1; ++i) {
    const double expected = left * end;
    if (left - expected < 10) break;
    result.value += (runs[i] - expected) * (runs[i] - expected) / expected;
    ++result.freedom;
    left -= expected;
    seen_left -= runs[i];
  }
  result.value += (seen_left - left) * (seen_left - left) / left;
  return result;
}

double share(const std::vector<bool>& chosen) {
  return static_cast<double>(std::count(chosen.begin(), chosen.end(), true)) / static_cast<double>(chosen.size());
}

double mean_of(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}
double variance_of(const std::vector<double>& values) {
  const double mean = mean_of(values);
  double sum = 0;
  for (const double value : values) sum += (value - mean) * (value - mean);
  return sum / static_cast<double>(values.size() - 1);
}
double correlation_of_neighbours(const std::vector<double>& values) {
  const double mean = mean_of(values);
  double sum = 0;
  for (std::size_t i = 1; i < values.size(); ++i) sum += (values[i] - mean) * (values[i - 1] - mean);
  return sum / static_cast<double>(values.size() - 1) / variance_of(values);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(netem_model)

BOOST_AUTO_TEST_CASE(random_loss_is_binomial_and_has_no_memory) {
  constexpr std::size_t kPackets = 1'000'000;
  constexpr std::size_t kBlock = 1'000;
  for (const double p : {0.01, 0.2}) {
    const auto lost = losses("loss " + std::to_string(p * 100) + "%", kPackets, 11);
    BOOST_TEST(std::abs(share(lost) - p) < 4 * std::sqrt(p * (1 - p) / kPackets));
    // The losses of a block vary as a binomial number does.
    std::vector<double> blocks(kPackets / kBlock);
    for (std::size_t i = 0; i < kPackets; ++i) blocks[i / kBlock] += lost[i] ? 1 : 0;
    const double dispersion = variance_of(blocks) / (kBlock * p * (1 - p));
    BOOST_TEST(std::abs(dispersion - 1) < 4 * std::sqrt(2.0 / static_cast<double>(blocks.size())));
    BOOST_TEST(geometric_runs(lost, 1 - p).plausible());
  }
}

BOOST_AUTO_TEST_CASE(gilbert_elliott_has_its_stationary_loss_and_runs) {
  constexpr std::size_t kPackets = 1'000'000;
  const double p = 0.01, r = 0.25;
  const auto lost = losses("loss gemodel 1% 25%", kPackets, 12);
  // The chain's memory widens the spread of the share: by (1 + s) / (1 - s), where s = 1 - p - r.
  const double loss = p / (p + r);
  const double spread = std::sqrt(loss * (1 - loss) / kPackets * (2 - p - r) / (p + r));
  BOOST_TEST(std::abs(share(lost) - loss) < 4 * spread);
  BOOST_TEST(geometric_runs(lost, r).plausible());
  // With loss in both states: (r (1-k) + p (1-h)) / (p + r).
  const auto both = losses("loss gemodel 2% 10% 70% 1%", kPackets, 13);
  BOOST_TEST(std::abs(share(both) - (0.10 * 0.01 + 0.02 * 0.70) / 0.12) < 0.003);
}

BOOST_AUTO_TEST_CASE(delays_have_the_distribution_that_was_asked_for) {
  constexpr std::size_t kPackets = 200'000;
  const auto deviation_of = [](std::string_view shape) {
    auto values = delays(model(std::string("delay 100ms 10ms distribution ") + std::string(shape)), kPackets, 21);
    for (double& value : values) value = (value - 100) / 10;
    return values;
  };
  const auto uniform = deviation_of("uniform");
  BOOST_TEST(kolmogorov_smirnov(uniform, [](double x) { return (x + 1) / 2; }) < kOnceInAThousand);
  const auto normal = deviation_of("normal");
  BOOST_TEST(kolmogorov_smirnov(normal, [](double x) { return x >= 4 ? 1 : normal_below(x); }) < kOnceInAThousand);
  const auto pareto = deviation_of("pareto");
  BOOST_TEST(kolmogorov_smirnov(pareto, [](double x) { return x >= 4 - 1e-6 ? 1 : pareto_below(x); }) <
             kOnceInAThousand);
  // The mixture of both at one place: the inverse of 1/4 normal + 3/4 pareto, each cut at 4.
  const auto mixed = deviation_of("paretonormal");
  const auto quantile = [](double u) {
    const double n = std::clamp(inverse(normal_below, u, -9, 9), -4.0, 4.0);
    return 0.25 * n + 0.75 * std::min((std::pow(1 - u, -1.0 / 3) - 1.5) * 4 / 3, 4.0);
  };
  std::vector<double> few(mixed.begin(), mixed.begin() + 2'000);
  BOOST_TEST(kolmogorov_smirnov(few, [&](double x) { return x >= 4 - 1e-6 ? 1 : inverse(quantile, x, 0, 1); }) <
             kOnceInAThousand);
  // And the test can tell one from the other.
  BOOST_TEST(kolmogorov_smirnov(normal, [](double x) { return pareto_below(std::max(x, -0.66)); }) > 10.0);
}

BOOST_AUTO_TEST_CASE(delays_of_a_table_are_those_in_it) {
  constexpr std::size_t kPackets = 200'000;
  LinkSpec spec = model("delay 100ms 10ms distribution own.dist");
  std::vector<std::int16_t> table;
  for (int i = 0; i < 1'000; ++i) table.push_back(static_cast<std::int16_t>(i * i / 40 + i));
  spec.delay.table.values = table;
  auto values = delays(spec, kPackets, 22);
  // The table is a staircase of a thousand steps, so its distribution function is known to a thousandth.
  BOOST_TEST(kolmogorov_smirnov(values, [](double ms) {
               return (std::sqrt(1 + (ms - 100) / 10 * 8192 / 10) - 1) * 20 / 1'000;
             }) < kOnceInAThousand + std::sqrt(kPackets) / 500);
  double sum = 0;
  for (const auto value : table) sum += value;
  BOOST_TEST(std::abs(mean_of(values) - (100 + 10 * sum / 1'000 / 8192)) < 4 * 10 / std::sqrt(kPackets));
}

// The kernel's formula x = (1-c) u + c x' has neighbours that correlate by c, and makes the draws narrower: their
// variance is (1-c) / (1+c) of a uniform draw's.
BOOST_AUTO_TEST_CASE(correlated_delays_correlate_as_asked_and_are_narrower) {
  constexpr std::size_t kPackets = 200'000;
  for (const double c : {0.0, 0.25, 0.75}) {
    const auto values = delays(model("delay 100ms 10ms " + std::to_string(c * 100) + "%"), kPackets, 23);
    BOOST_TEST(std::abs(correlation_of_neighbours(values) - c) < 0.01);
    const double expected = 20.0 * 20.0 / 12 * (1 - c) / (1 + c);
    BOOST_TEST(std::abs(variance_of(values) / expected - 1) < 0.02);
  }
}

BOOST_AUTO_TEST_CASE(rates_are_met_within_one_percent_from_64_kbit_to_1_gbit) {
  for (const std::string rate : {"64kbit", "1mbit", "10mbit", "100mbit", "1gbit"}) {
    for (const std::size_t size : {100u, 1'400u}) {
      Link link(model("rate " + rate + " limit 10000"), {.seed = 1});
      const std::vector<std::uint8_t> bytes(size);
      for (int i = 0; i < 10'000; ++i) link.offer(bytes, Timestamp{1h});
      while (const auto due = link.next_departure()) link.take(*due);
      const auto asked = static_cast<double>(link.spec().rate.bits_per_second());
      const auto got = static_cast<double>(link.counters().rate().bits_per_second());
      BOOST_TEST(std::abs(got / asked - 1) < 0.01, rate << " became " << got);
    }
  }
}

BOOST_AUTO_TEST_CASE(reordering_and_copies_have_their_share) {
  constexpr std::size_t kPackets = 500'000;
  Link link(model("delay 5ms reorder 25% duplicate 3% corrupt 2%"), {.seed = 31});
  constexpr std::array<std::uint8_t, 16> kBytes{};
  Timestamp now{1h};
  for (std::size_t i = 0; i < kPackets; ++i, now += 100us) {
    link.offer(kBytes, now);
    while (link.take(now)) {
    }
  }
  const LinkCounters& counters = link.counters();
  const auto near = [](std::uint64_t hits, double trials, double p) {
    return std::abs(static_cast<double>(hits) / trials - p) < 4 * std::sqrt(p * (1 - p) / trials);
  };
  const double all = kPackets + static_cast<double>(counters.duplicated);
  BOOST_TEST(near(counters.duplicated, kPackets, 0.03));
  BOOST_TEST(near(counters.reordered, all, 0.25));
  BOOST_TEST(near(counters.corrupted, all, 0.02));
}

BOOST_AUTO_TEST_CASE(one_seed_repeats_itself_and_two_differ) {
  constexpr std::size_t kPackets = 20'000;
  const LinkSpec spec = model("delay 50ms 20ms 25% distribution normal");
  const std::string loss = "loss gemodel 5% 30%";
  BOOST_TEST((delays(spec, kPackets, 1) == delays(spec, kPackets, 1)));
  BOOST_TEST((delays(spec, kPackets, 1) != delays(spec, kPackets, 2)));
  BOOST_TEST((losses(loss, kPackets, 1) == losses(loss, kPackets, 1)));
  BOOST_TEST((losses(loss, kPackets, 1) != losses(loss, kPackets, 2)));
}

BOOST_AUTO_TEST_SUITE_END()
