// ACK frames for tests, as the frame reader would hand them over.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <vector>

#include "core/frames.h"
#include "core/varint.h"

namespace mxp::testing {

// Owns the encoded ranges that its frame looks at; `ranges` from the highest to the lowest, disjoint and not adjacent.
class AckOf {
 public:
  AckOf(std::initializer_list<AckRange> ranges, Duration delay = {}) : AckOf(std::vector<AckRange>(ranges), delay) {}
  explicit AckOf(const std::vector<AckRange>& ranges, Duration delay = {}) {
    std::uint64_t lowest = ranges.front().first.value();
    for (std::size_t i = 1; i < ranges.size(); ++i) {
      append(lowest - ranges[i].last.value() - 2);
      append(ranges[i].last.value() - ranges[i].first.value());
      lowest = ranges[i].first.value();
    }
    frame_ = {.largest = ranges.front().last,
              .delay = delay,
              .ranges = AckRanges(ranges.front(), encoded_, ranges.size() - 1),
              .ecn = {}};
  }
  AckOf(const AckOf&) = delete;
  AckOf& operator=(const AckOf&) = delete;

  AckOf& with(const std::optional<EcnCounts>& counts) {
    frame_.ecn = counts;
    return *this;
  }
  operator const AckFrame&() const { return frame_; }

 private:
  void append(std::uint64_t value) {
    const std::size_t size = varint_size(value);
    encoded_.resize(encoded_.size() + size);
    encode_varint(value, size, encoded_.data() + encoded_.size() - size);
  }

  std::vector<std::uint8_t> encoded_;
  AckFrame frame_;
};

inline AckRange range(std::uint64_t first, std::uint64_t last) { return {PacketNumber(first), PacketNumber(last)}; }
inline AckRange one(std::uint64_t number) { return range(number, number); }

}  // namespace mxp::testing
