#include "mxp-perf/compare/intervals.h"

#include <algorithm>
#include <boost/math/distributions/students_t.hpp>
#include <cmath>
#include <limits>
#include <optional>
#include <random>
#include <vector>

namespace mxp::perf {

namespace {

constexpr std::size_t kResamples = 2000;
constexpr std::size_t kLeastForBootstrap = 15;
constexpr std::size_t kLeastForTrimming = 8;
constexpr double kTrimmedShare = 0.2;  // at each end

// A trimmed mean, the square of its standard error, and the degrees of freedom that this has.
struct Centre {
  double mean = 0, variance = 0, freedom = 0;
};

// Sorts `values`.
Centre centre_of(std::vector<double>& values) {
  std::sort(values.begin(), values.end());
  const std::size_t count = values.size();
  const std::size_t cut =
      count < kLeastForTrimming ? 0 : static_cast<std::size_t>(kTrimmedShare * static_cast<double>(count));
  const auto kept = static_cast<double>(count - 2 * cut);
  double sum = 0, all = 0, squares = 0;
  for (std::size_t i = cut; i != count - cut; ++i) sum += values[i];
  // Winsorised: what was cut counts as the last value that was kept.
  const auto at = [&](std::size_t i) { return values[std::clamp(i, cut, count - cut - 1)]; };
  for (std::size_t i = 0; i != count; ++i) all += at(i);
  const double middle = all / static_cast<double>(count);
  for (std::size_t i = 0; i != count; ++i) squares += (at(i) - middle) * (at(i) - middle);
  return {.mean = sum / kept, .variance = squares / (kept * (kept - 1)), .freedom = kept - 1};
}

// A difference of two centres, or one alone.
struct Statistic {
  double value = 0, error = 0, freedom = 1;
};

Statistic statistic_of(const Centre& a, const Centre& b) {
  const double variance = a.variance + b.variance;
  const double parts = a.variance * a.variance / a.freedom + b.variance * b.variance / b.freedom;
  return {.value = b.mean - a.mean,
          .error = std::sqrt(variance),
          .freedom = parts > 0 ? variance * variance / parts : std::min(a.freedom, b.freedom)};
}

Statistic statistic_of(const Centre& one) { return {one.mean, std::sqrt(one.variance), one.freedom}; }

// Draws with replacement. The standard's distributions differ between libraries; this does not.
class Resampler {
 public:
  explicit Resampler(std::uint64_t seed) : random_(seed) {}
  std::vector<double>& draw(std::span<const double> from) {
    drawn_.resize(from.size());
    for (double& each : drawn_) each = from[random_() % from.size()];
    return drawn_;
  }

 private:
  std::mt19937_64 random_;
  std::vector<double> drawn_;
};

double t_of(const Statistic& resampled, double centre) {
  const double away = resampled.value - centre;
  if (resampled.error > 0) return away / resampled.error;
  return away == 0 ? 0 : std::copysign(std::numeric_limits<double>::infinity(), away);
}

// No run is known better than this: histograms have bins of a mille. Runs that happen to be all the same would be
// certain of their difference otherwise.
constexpr double kResolution = 1e-3;

Estimate interval_of(Statistic seen, std::vector<double> ts, std::size_t runs, double confidence) {
  const double tail = (1 - confidence) / 2;
  if (const double least = kResolution / std::sqrt(static_cast<double>(runs)); seen.error < least) {
    seen.error = least;
    ts.clear();
  }
  double above = boost::math::quantile(boost::math::students_t(std::max(seen.freedom, 1.0)), 1 - tail), below = above;
  if (!ts.empty()) {
    std::sort(ts.begin(), ts.end());
    const auto rank = static_cast<std::size_t>(tail * static_cast<double>(ts.size()));
    below = std::max(below, ts[ts.size() - 1 - rank]);
    above = std::max(above, -ts[rank]);
  }
  return {seen.value, seen.value - below * seen.error, seen.value + above * seen.error};
}

}  // namespace

Estimate estimate_pairs(std::span<const double> differences, double confidence, std::uint64_t seed) {
  std::vector<double> values(differences.begin(), differences.end());
  const Statistic seen = statistic_of(centre_of(values));
  std::vector<double> ts;
  if (differences.size() >= kLeastForBootstrap) {
    Resampler resampler(seed);
    for (std::size_t i = 0; i != kResamples; ++i)
      ts.push_back(t_of(statistic_of(centre_of(resampler.draw(differences))), seen.value));
  }
  return interval_of(seen, std::move(ts), differences.size(), confidence);
}

Estimate estimate_difference(std::span<const double> a, std::span<const double> b, double confidence,
                             std::uint64_t seed) {
  std::vector<double> first(a.begin(), a.end()), second(b.begin(), b.end());
  const Statistic seen = statistic_of(centre_of(first), centre_of(second));
  std::vector<double> ts;
  if (std::min(a.size(), b.size()) >= kLeastForBootstrap) {
    Resampler resampler(seed);
    for (std::size_t i = 0; i != kResamples; ++i) {
      const Centre drawn_a = centre_of(resampler.draw(a));
      ts.push_back(t_of(statistic_of(drawn_a, centre_of(resampler.draw(b))), seen.value));
    }
  }
  return interval_of(seen, std::move(ts), std::min(a.size(), b.size()), confidence);
}

}  // namespace mxp::perf
