// Which packet numbers, or bytes of a stream, were seen, as a bounded set of ranges. Past the bound the lowest hole is
// closed and only its size is kept.
#pragma once

#include <cstdint>

#include "core/range_set.h"

namespace mxp::dump {

class NumberLedger {
 public:
  // Our choice: a healthy connection has few holes, and they are near the top; 4 KiB for each ledger.
  static constexpr std::size_t kMaxRanges = 256;

  // Adds [begin, end); returns how many of them were new. REQUIRES: begin <= end.
  std::uint64_t add(std::uint64_t begin, std::uint64_t end);
  bool empty() const { return ranges_.empty(); }
  // The largest number seen. REQUIRES: !empty().
  std::uint64_t largest() const { return ranges_.ranges().back().end - 1; }
  // How many numbers are missing between the first one seen and `end`, which is not included.
  std::uint64_t missing_below(std::uint64_t end) const;

 private:
  RangeSet ranges_;
  std::uint64_t closed_ = 0;  // numbers in holes that were closed
};

}  // namespace mxp::dump
