// The search for the highest rate that keeps a bound, in the manner of RFC 2544 §26.1: trials at one rate each, faster
// while the bound is kept and between the two when it is not. It begins slowly and doubles, since an overload takes long
// to drain; a rate counts as kept or not by its own trial alone, and the last word has a second trial at the rate found.
#pragma once

#include <optional>

namespace mxp::perf {

class RateSearch {
 public:
  // REQUIRES: 0 < least <= most.
  RateSearch(double least, double most) : most_(most), next_(least) {}

  // The rate of the next trial; nothing when the search is over.
  std::optional<double> next() const { return over_ ? std::nullopt : std::optional(next_); }
  // What came of the trial at next().
  void on_trial(bool kept);

  std::optional<double> best() const { return kept_; }            // kept, twice if the bound was broken above it
  std::optional<double> broken() const { return broken_; }        // the lowest rate that was not
  bool reached_most() const { return kept_ && *kept_ >= most_; }  // all rates that were allowed

 private:
  static constexpr double kPrecision = 0.02;  // of the rate. Our choice
  static constexpr double kLeastRate = 1;     // below it a trial would have nothing to measure

  void choose();

  double most_, next_;
  std::optional<double> kept_, broken_;
  bool confirming_ = false, over_ = false;
};

}  // namespace mxp::perf
