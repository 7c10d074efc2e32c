#include "mxp-dump/analysis/number_gaps.h"

#include <algorithm>

namespace mxp::dump {

std::uint64_t NumberGaps::captured(std::uint64_t number, std::uint64_t frame, Continuity continuity) {
  last_frame_ = frame;
  if (!largest_) {
    largest_ = number;
    pattern_.delivered();
    return 0;
  }
  if (number < *largest_) {
    const std::uint64_t late = *largest_ - number;
    absent_.remove(number, number + 1);
    goes_on_.remove(number, number + 1);
    missing_.remove(number, number + 1);
    return late;
  }
  const std::uint64_t gap = number - *largest_ - 1;
  if (gap > 0 && gap <= kLongestLoss) {
    absent_.add(*largest_ + 1, number);
    if (continuity == Continuity::goes_on) goes_on_.add(*largest_ + 1, number);
    if (continuity == Continuity::data_missing) missing_.add(*largest_ + 1, number);
  }
  largest_ = number;
  pattern_.delivered();
  if (number > kPatience) judge_below(number - kPatience);
  return 0;
}

void NumberGaps::acknowledged(const AckFrame& frame) {
  if (absent_.empty()) return;
  for (const AckRange& range : frame.ranges) {
    const std::uint64_t end = range.last.value() + 1;
    const std::uint64_t there = absent_.remove(range.first.value(), end);
    if (there == 0) continue;
    not_captured_ += there;
    holes_.add(last_frame_);
    goes_on_.remove(range.first.value(), end);
    missing_.remove(range.first.value(), end);
  }
}

void NumberGaps::judge_below(std::uint64_t number) {
  while (!absent_.empty() && absent_.ranges().front().end <= number) {
    const RangeSet::Range range = absent_.ranges().front();
    absent_.pop_front();
    if (goes_on_.contains(range.begin, range.end)) continue;
    if (range.size() > 1 || missing_.contains(range.begin)) {
      pattern_.lost(last_frame_, range.size());
      pattern_.delivered(0);  // ends the run
    } else {
      ++single_unknown_;
    }
  }
  goes_on_.remove_below(number);
  missing_.remove_below(number);
}

void NumberGaps::finish() {
  if (largest_) judge_below(*largest_ + 1);
}

}  // namespace mxp::dump
