// Numbers of one direction that the capture does not hold. They were lost before the place of the capture, left out by
// their sender on purpose (docs/protocol.md §6), or missed by the capture, which shows when they are acknowledged.
//
// A sender leaves out single numbers. Where the packet after one goes on in its stream exactly where the data ended
// before, nothing is missing between the two, so the number was left out. Where data is missing, it was lost.
#pragma once

#include <cstdint>
#include <optional>

#include "core/frames.h"
#include "core/range_set.h"
#include "mxp-dump/analysis/loss_pattern.h"

namespace mxp::dump {

class NumberGaps {
 public:
  static constexpr std::uint64_t kPatience = 512;      // numbers, until a gap is judged
  static constexpr std::uint64_t kLongestLoss = 4096;  // a longer gap is one that a server makes on purpose (§2.3)

  enum class Continuity : std::uint8_t { unknown, goes_on, data_missing };
  // Whether a packet of this number was not captured before. A relay's capture has each of them twice.
  bool is_new(std::uint64_t number) const {
    return !largest_ || number > *largest_ || absent_.contains(number, number + 1);
  }
  // A packet of this direction that is new, in the order of the capture. Returns by how many numbers it came late; 0:
  // in order.
  std::uint64_t captured(std::uint64_t number, std::uint64_t frame, Continuity continuity);
  // The packet itself was not captured, and its receiver has it.
  void acknowledged(const AckFrame& frame);
  void finish();

  const LossPattern& lost_before() const { return pattern_; }
  std::uint64_t single_unknown() const { return single_unknown_; }  // left out, or lost
  std::uint64_t not_captured() const { return not_captured_; }
  const Evidence& holes() const { return holes_; }
  std::optional<std::uint64_t> largest() const { return largest_; }

 private:
  void judge_below(std::uint64_t number);

  RangeSet absent_;   // not judged yet
  RangeSet goes_on_;  // of them, those behind which the data goes on
  RangeSet missing_;  // of them, those before which data is missing
  std::optional<std::uint64_t> largest_;
  std::uint64_t single_unknown_ = 0, not_captured_ = 0, last_frame_ = 0;
  LossPattern pattern_;
  Evidence holes_;
};

}  // namespace mxp::dump
