#include "netem/distribution.h"

#include <algorithm>
#include <cmath>

#include "netem/delay_table.h"

namespace mxp::netem {
namespace {

// The tables of iproute2 hold 16-bit numbers scaled by 8192.
constexpr double kLargest = 4.0;

// Quantile of the standard normal distribution: Wichura, "Algorithm AS 241", Applied Statistics 37 (1988), PPND7: 7
// digits.
double normal_quantile(double u) {
  const double q = u - 0.5;
  if (std::abs(q) <= 0.425) {
    const double r = 0.180625 - q * q;
    return q * (((59.109374720 * r + 159.29113202) * r + 50.434271938) * r + 3.3871327179) /
           (((67.187563600 * r + 78.757757664) * r + 17.895169469) * r + 1.0);
  }
  const double tail = std::min(u, 1 - u);
  if (tail < 1e-6) return q < 0 ? -kLargest : kLargest;  // beyond 4 standard deviations anyway
  double r = std::sqrt(-std::log(tail));
  double value = 0;
  if (r <= 5) {
    r -= 1.6;
    value = (((0.17023821103 * r + 1.3067284816) * r + 2.7568153900) * r + 1.4234372777) /
            ((0.12021132975 * r + 0.73700164250) * r + 1.0);
  } else {
    r -= 5;
    value = (((0.017337203997 * r + 0.42868294337) * r + 3.0812263860) * r + 6.6579051150) /
            ((0.012258202635 * r + 0.24197894225) * r + 1.0);
  }
  return q < 0 ? -value : value;
}

// Pareto with shape 3, moved to mean 0 (its mean is 1.5) and scaled by 4/3.
double pareto_quantile(double u) {
  constexpr double kShape = 3.0;
  return (std::pow(1 - u, -1.0 / kShape) - 1.5) * (4.0 / 3.0);
}

double cut(double value) { return std::clamp(value, -kLargest, kLargest); }

// The kernel takes its draw modulo the size of the table, which leaves nothing of a correlation. Here the draw's place
// in [0, 1) is the place in the table, so a table that rises is its distribution's inverse and a correlation stays one.
double from_table(const SharedList<std::int16_t>& values, double u) {
  const auto at = static_cast<std::size_t>(u * static_cast<double>(values.size()));
  return values[std::min(at, values.size() - 1)] / kTableScale;
}

}  // namespace

double deviation(Distribution distribution, double u, const DelayTable& table) {
  switch (distribution) {
    case Distribution::uniform: return 2 * u - 1;
    case Distribution::normal: return cut(normal_quantile(u));
    case Distribution::pareto: return cut(pareto_quantile(u));
    case Distribution::paretonormal: return cut(0.25 * cut(normal_quantile(u)) + 0.75 * cut(pareto_quantile(u)));
    case Distribution::table: return from_table(table.values, u);
  }
  return 0;
}

Duration draw_duration(Duration mean, Duration jitter, Distribution distribution, double u, const DelayTable& table) {
  if (jitter.count() == 0) return mean;
  const auto off =
      static_cast<Duration::rep>(std::llround(static_cast<double>(jitter.count()) * deviation(distribution, u, table)));
  return std::max(mean + Duration(off), Duration::zero());
}

}  // namespace mxp::netem
