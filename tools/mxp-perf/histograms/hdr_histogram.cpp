#include "mxp-perf/histograms/hdr_histogram.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>

namespace mxp::perf {

namespace {

// Bins of a power of two: enough to tell 2 · 10^figures values apart.
unsigned half_magnitude_of(int figures) {
  std::uint64_t single = 2;
  for (int i = 0; i != figures; ++i) single *= 10;
  return static_cast<unsigned>(std::bit_width(single - 1)) - 1;
}

constexpr std::uint64_t kLargestHighest = std::uint64_t{1} << 62;

}  // namespace

bool HdrHistogram::is_possible(const Shape& shape) {
  if (shape.figures < kLeastFigures || shape.figures > kMostFigures) return false;
  if (shape.lowest < 1 || shape.highest > kLargestHighest || shape.highest / 2 < shape.lowest) return false;
  const unsigned unit = static_cast<unsigned>(std::bit_width(shape.lowest)) - 1;
  return unit + half_magnitude_of(shape.figures) + 1 <= 61;
}

HdrHistogram::HdrHistogram(const Shape& shape)
    : shape_(shape),
      half_magnitude_(half_magnitude_of(shape.figures)),
      unit_magnitude_(static_cast<unsigned>(std::bit_width(shape.lowest)) - 1) {}

// The first power of two has twice as many bins as the others, whose lower half the ones before it cover.
std::size_t HdrHistogram::bin_of(std::uint64_t value) const {
  const std::uint64_t mask = (std::uint64_t{2 * half()} - 1) << unit_magnitude_;
  const unsigned bucket = static_cast<unsigned>(std::bit_width(value | mask)) - unit_magnitude_ - half_magnitude_ - 1;
  const std::uint64_t sub_bucket = value >> (bucket + unit_magnitude_);
  return static_cast<std::size_t>((std::uint64_t{bucket} << half_magnitude_) + sub_bucket);
}

std::uint64_t HdrHistogram::first_value(std::size_t bin) const {
  const std::uint64_t bucket = bin < 2 * std::size_t{half()} ? 0 : (bin >> half_magnitude_) - 1;
  return (bin - (bucket << half_magnitude_)) << (bucket + unit_magnitude_);
}

std::uint64_t HdrHistogram::last_value(std::size_t bin) const { return first_value(bin + 1) - 1; }

std::uint64_t HdrHistogram::middle_value(std::size_t bin) const {
  return first_value(bin) + (first_value(bin + 1) - first_value(bin)) / 2;
}

unsigned HdrHistogram::buckets() const {
  unsigned buckets = 1;
  for (std::uint64_t end = std::uint64_t{2 * half()} << unit_magnitude_; end <= shape_.highest; end <<= 1) ++buckets;
  return buckets;
}

std::size_t HdrHistogram::most_bins() const { return (std::size_t{buckets()} + 1) << half_magnitude_; }

void HdrHistogram::record(std::uint64_t value, std::uint64_t count) {
  const std::size_t bin = bin_of(std::min(value, shape_.highest));
  if (bin >= counts_.size()) counts_.resize(((bin >> half_magnitude_) + 1) << half_magnitude_);
  counts_[bin] += count;
  count_ += count;
}

void HdrHistogram::set(std::size_t bin, std::uint64_t count) {
  if (bin >= counts_.size()) counts_.resize(((bin >> half_magnitude_) + 1) << half_magnitude_);
  count_ += count - counts_[bin];
  counts_[bin] = count;
}

std::expected<void, std::string> HdrHistogram::add(const HdrHistogram& other) {
  if (other.shape_.figures != shape_.figures)
    return std::unexpected(fmt::format("one has values of {} figures, the other of {}: their bins do not add up",
                                       shape_.figures, other.shape_.figures));
  if (other.unit_magnitude_ != unit_magnitude_)
    return std::unexpected(fmt::format("one begins with values of {}, the other of {}: their bins do not add up",
                                       shape_.lowest, other.shape_.lowest));
  if (other.count_ > INT64_MAX - count_) return std::unexpected("together they have too many counts");
  shape_.highest = std::max(shape_.highest, other.shape_.highest);
  counts_.resize(std::max(counts_.size(), other.counts_.size()));
  for (std::size_t bin = 0; bin != other.counts_.size(); ++bin) counts_[bin] += other.counts_[bin];
  count_ += other.count_;
  return {};
}

std::uint64_t HdrHistogram::value_at(double quantile) const {
  // A hair less, so that a product which rounds up does not ask for the next bin.
  const double share = std::nextafter(std::clamp(quantile, 0.0, 1.0), 0.0);
  const double wanted = std::ceil(share * static_cast<double>(count_));
  std::uint64_t seen = 0;
  for (std::size_t bin = 0; bin != counts_.size(); ++bin) {
    seen += counts_[bin];
    if (seen > 0 && static_cast<double>(seen) >= wanted) return last_value(bin);
  }
  return max();
}

std::uint64_t HdrHistogram::max() const {
  std::size_t bin = counts_.size() - 1;
  while (bin > 0 && counts_[bin] == 0) --bin;
  return last_value(bin);
}

std::uint64_t HdrHistogram::min() const {
  std::size_t bin = 0;
  while (bin + 1 < counts_.size() && counts_[bin] == 0) ++bin;
  return first_value(bin);
}

double HdrHistogram::mean() const {
  double sum = 0;
  for (std::size_t bin = 0; bin != counts_.size(); ++bin)
    sum += static_cast<double>(counts_[bin]) * static_cast<double>(middle_value(bin));
  return sum / static_cast<double>(count_);
}

double HdrHistogram::standard_deviation() const {
  const double mean_value = mean();
  double sum = 0;
  for (std::size_t bin = 0; bin != counts_.size(); ++bin) {
    const double away = static_cast<double>(middle_value(bin)) - mean_value;
    sum += static_cast<double>(counts_[bin]) * away * away;
  }
  return std::sqrt(sum / static_cast<double>(count_));
}

bool HdrHistogram::operator==(const HdrHistogram& other) const {
  if (count_ != other.count_ || shape_.figures != other.shape_.figures || unit_magnitude_ != other.unit_magnitude_)
    return false;
  const auto& shorter = counts_.size() < other.counts_.size() ? counts_ : other.counts_;
  const auto& longer = counts_.size() < other.counts_.size() ? other.counts_ : counts_;
  const auto rest = longer.begin() + static_cast<std::ptrdiff_t>(shorter.size());
  return std::equal(shorter.begin(), shorter.end(), longer.begin()) &&
         std::all_of(rest, longer.end(), [](std::uint64_t count) { return count == 0; });
}

}  // namespace mxp::perf
