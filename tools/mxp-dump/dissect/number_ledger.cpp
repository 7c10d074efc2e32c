#include "mxp-dump/dissect/number_ledger.h"

#include <algorithm>

namespace mxp::dump {

std::uint64_t NumberLedger::add(std::uint64_t begin, std::uint64_t end) {
  const std::uint64_t fresh = ranges_.add(begin, end);
  if (ranges_.range_count() > kMaxRanges) {
    const auto lowest = ranges_.ranges();
    const std::uint64_t hole_begin = lowest[0].end, hole_end = lowest[1].begin;
    closed_ += ranges_.add(hole_begin, hole_end);
  }
  return fresh;
}

std::uint64_t NumberLedger::missing_below(std::uint64_t end) const {
  std::uint64_t missing = closed_;
  const auto ranges = ranges_.ranges();
  for (std::size_t i = 1; i < ranges.size(); ++i) {
    const std::uint64_t hole_begin = ranges[i - 1].end, hole_end = std::min(ranges[i].begin, end);
    if (hole_begin < hole_end) missing += hole_end - hole_begin;
  }
  return missing;
}

}  // namespace mxp::dump
