// Counts of values in the bins of HdrHistogram (https://hdrhistogram.org): linear within each power of two, so that a
// value is known to so many decimal figures wherever it lies, and histograms of the same figures add up exactly. Memory
// grows with the largest value.
//
//   HdrHistogram histogram(3);          // nanoseconds: 1 ns to two hours, each within a mille
//   histogram.record(41'230);
//   histogram.value_at(0.99);           // the largest value that falls into the same bin
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <vector>

namespace mxp::perf {

class HdrHistogram {
 public:
  static constexpr int kLeastFigures = 1, kMostFigures = 5;  // HdrHistogram's own
  static constexpr std::uint64_t kHighest = 7'200'000'000'000;

  // What decides which value falls into which bin.
  struct Shape {
    int figures = 3;
    std::uint64_t lowest = 1;          // differences below it are not seen
    std::uint64_t highest = kHighest;  // larger values count as this one
  };

  // REQUIRES: is_possible() of the shape.
  explicit HdrHistogram(int figures = 3) : HdrHistogram(Shape{.figures = figures}) {}
  explicit HdrHistogram(const Shape& shape);
  // Whether a histogram can have this shape: its bins can be told by numbers of 64 bits.
  static bool is_possible(const Shape& shape);

  void record(std::uint64_t value, std::uint64_t count = 1);
  // The error says in what the shapes differ; then nothing has changed. Histograms that differ in their highest value
  // alone add up, to the larger of both.
  std::expected<void, std::string> add(const HdrHistogram& other);

  std::uint64_t count() const { return count_; }
  // REQUIRES of the next five: count() > 0. Each is the largest value of its bin, but for the mean, where bins count
  // with their middle, and the least, which is the smallest of its bin.
  std::uint64_t value_at(double quantile) const;
  std::uint64_t max() const;
  std::uint64_t min() const;
  double mean() const;
  double standard_deviation() const;

  const Shape& shape() const { return shape_; }
  // Bins up to the last that has counts, and beyond it maybe; where each begins and ends.
  const std::vector<std::uint64_t>& counts() const { return counts_; }
  std::uint64_t first_value(std::size_t bin) const;
  std::uint64_t last_value(std::size_t bin) const;
  std::size_t most_bins() const;
  unsigned buckets() const;  // powers of two, and the bins of each, as .hgrm files have them
  unsigned sub_buckets() const { return 2 * half(); }
  // REQUIRES: bin < most_bins(), and the sum of all counts fits.
  void set(std::size_t bin, std::uint64_t count);

  // Whether the same values were counted in the same bins.
  bool operator==(const HdrHistogram& other) const;

 private:
  std::size_t bin_of(std::uint64_t value) const;
  unsigned half() const { return 1u << half_magnitude_; }
  std::uint64_t middle_value(std::size_t bin) const;

  Shape shape_;
  unsigned half_magnitude_ = 0;  // log2 of half of the bins of a power of two
  unsigned unit_magnitude_ = 0;  // log2 of the smallest bin's width
  std::vector<std::uint64_t> counts_;
  std::uint64_t count_ = 0;
};

}  // namespace mxp::perf
