#include "mxp-perf/histograms/hgrm_text.h"

#include <fmt/format.h>

#include <cmath>

namespace mxp::perf {

namespace {

constexpr double kTicksPerHalving = 5;
constexpr double kNsPerUs = 1000;
// In per cent, since the first points are whole numbers then, and a share that is reached exactly counts as reached.
// Closer to 100, the next point of a double would be the same one again; no histogram of less than 2^45 values has
// points beyond it.
constexpr double kLastPoint = 100 * (1 - 0x1p-45);

// The next point: of the distance to 100, halved until it is where `percent` lies, a fifth.
double after(double percent) {
  const double halvings = std::floor(std::log2(100 / (100 - percent))) + 1;
  return percent + 100 / (kTicksPerHalving * std::exp2(halvings));
}

}  // namespace

std::vector<PercentilePoint> percentile_curve(const HdrHistogram& histogram) {
  std::vector<PercentilePoint> curve;
  const std::vector<std::uint64_t>& counts = histogram.counts();
  const auto total = static_cast<double>(histogram.count());
  double wanted = 0;
  std::uint64_t seen = 0;
  for (std::size_t bin = 0; bin != counts.size() && seen != histogram.count(); ++bin) {
    if (counts[bin] == 0) continue;
    seen += counts[bin];
    const double reached = 100 * static_cast<double>(seen) / total;
    for (; wanted < kLastPoint && wanted <= reached; wanted = after(wanted)) {
      curve.push_back({wanted / 100, histogram.last_value(bin), seen});
      if (seen == histogram.count()) break;  // nothing is above
    }
  }
  if (seen > 0) curve.push_back({1, histogram.max(), seen});
  return curve;
}

std::string to_hgrm(const HdrHistogram& histogram) {
  std::string text =
      fmt::format("{:>12} {:>14} {:>10} {:>14}\n\n", "Value", "Percentile", "TotalCount", "1/(1-Percentile)");
  for (const PercentilePoint& point : percentile_curve(histogram)) {
    const double value = static_cast<double>(point.value) / kNsPerUs;
    text += fmt::format("{:12.3f} {:14.12f} {:10}", value, point.quantile, point.count_to);
    text += point.quantile < 1 ? fmt::format(" {:14.2f}\n", 1 / (1 - point.quantile)) : "\n";
  }
  const bool any = histogram.count() > 0;
  text += fmt::format("#[Mean    = {:12.3f}, StdDeviation   = {:12.3f}]\n", any ? histogram.mean() / kNsPerUs : 0.0,
                      any ? histogram.standard_deviation() / kNsPerUs : 0.0);
  text += fmt::format("#[Max     = {:12.3f}, Total count    = {:12}]\n",
                      any ? static_cast<double>(histogram.max()) / kNsPerUs : 0.0, histogram.count());
  text += fmt::format("#[Buckets = {:12}, SubBuckets     = {:12}]\n", histogram.buckets(), histogram.sub_buckets());
  return text;
}

}  // namespace mxp::perf
