// Which packet numbers, or bytes of a stream, were seen: ranges, bounded. Past the bound the lowest hole is closed and
// only its size kept.
#pragma once

#include <cstdint>

#include "core/range_set.h"

namespace mxp::dump {

class NumberLedger {
 public:
  // Our choice: holes of a healthy connection are few and near the top; 4 KiB for each ledger.
  static constexpr std::size_t kMaxRanges = 256;

  // Adds [begin, end); returns how many of them were new. REQUIRES: begin <= end.
  std::uint64_t add(std::uint64_t begin, std::uint64_t end);
  bool empty() const { return ranges_.empty(); }
  // The largest number seen. REQUIRES: !empty().
  std::uint64_t largest() const { return ranges_.ranges().back().end - 1; }
  // How many numbers are missing between the first seen and `end`, not included.
  std::uint64_t missing_below(std::uint64_t end) const;

 private:
  RangeSet ranges_;
  std::uint64_t closed_ = 0;  // numbers in holes that were closed
};

}  // namespace mxp::dump
