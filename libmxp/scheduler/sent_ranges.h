// Which bytes of something that is sent in pieces were acknowledged, and which were lost and go again: of a stream
// (send_stream.h), and of a message in parts (long_message.h).
//
// The peer chooses which bytes it acknowledges, so both sets are bounded (threat t03). Beyond kMost ranges, an
// acknowledgement of a piece far from the others is not remembered, and what lies between two lost pieces counts as
// lost. Either way bytes are sent once more than they had to be.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "core/range_set.h"

namespace mxp {

struct SentRanges {
  // Our choice: four times as many as one ACK frame can name; each range of a frame then moves at most 4 KiB.
  static constexpr std::size_t kMost = 256;

  RangeSet acknowledged;  // at most kMost ranges
  RangeSet lost;          // to be sent again; at most kMost ranges

  // Bytes of [begin, end) that were not acknowledged before; nothing: it is not remembered, and counts as lost.
  std::optional<std::uint64_t> acknowledge(std::uint64_t begin, std::uint64_t end) {
    if (acknowledged.range_count() == kMost && !acknowledged.touches(begin, end)) return std::nullopt;
    const std::uint64_t fresh = acknowledged.add(begin, end);
    if (!lost.empty()) lost.remove(begin, end);
    if (lost.range_count() > kMost) lost.add_joining(begin, end, kMost);  // one was cut in two: it goes again as well
    return fresh;
  }
  void lose(std::uint64_t begin, std::uint64_t end) {
    // Some of it may have arrived in another packet.
    for (const RangeSet::Range& arrived : acknowledged.ranges_ending_after(begin)) {
      if (arrived.begin >= end) break;
      if (begin < arrived.begin) lost.add_joining(begin, arrived.begin, kMost);
      begin = arrived.end;
    }
    if (begin < end) lost.add_joining(begin, end, kMost);
  }
  std::size_t memory() const { return acknowledged.memory() + lost.memory(); }
  void shrink() {
    acknowledged.shrink();
    lost.shrink();
  }
  // Forgets all; the memory stays if it is at most `keep_bytes`.
  void clear(std::size_t keep_bytes) {
    if (memory() > keep_bytes) *this = {};
    acknowledged.clear();
    lost.clear();
  }
};

}  // namespace mxp
