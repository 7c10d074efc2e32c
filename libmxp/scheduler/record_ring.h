// Byte strings of any size in the order in which they came, each in one piece, and freed from the oldest
// on. Positions count bytes from the start and never repeat. The ring doubles when it is full, so that nothing is
// allocated once it has its size; it is the caller who bounds what is kept.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>
#include <vector>

#include "mxp/bytes.h"
#include "mxp/require.h"

namespace mxp {

class RecordRing {
 public:
  // Where the oldest byte that is kept begins, and where the next record would begin at the earliest.
  std::uint64_t begin() const { return begin_; }
  std::uint64_t end() const { return end_; }
  std::size_t memory() const { return ring_.capacity(); }

  struct Place {
    std::uint64_t position;
    MutableBytes bytes;  // valid until the next call of append
  };
  // Room for a record; the ring grows until it fits. REQUIRES: size != 0.
  Place append(std::size_t size) {
    MXP_REQUIRE(size != 0);
    while (true) {
      std::uint64_t at = end_;
      // A record does not go around the edge: what is left there stays unused.
      if (!ring_.empty() && at % ring_.size() + size > ring_.size()) at += ring_.size() - at % ring_.size();
      if (at + size - begin_ <= ring_.size()) {
        end_ = at + size;
        return {at, MutableBytes(ring_).subspan(index_of(at), size)};
      }
      grow();
    }
  }
  // REQUIRES: the record lies in [begin(), end()).
  ByteView at(std::uint64_t position, std::size_t size) const {
    MXP_REQUIRE(position >= begin_ && position + size <= end_);
    return ByteView(ring_).subspan(index_of(position), size);
  }
  // Frees what lies before `position`.
  void release_to(std::uint64_t position) { begin_ = std::clamp(position, begin_, end_); }

  static constexpr std::size_t kFirstBytes = 4096;

 private:
  std::size_t index_of(std::uint64_t position) const { return static_cast<std::size_t>(position & (ring_.size() - 1)); }
  void grow() {
    const std::size_t old_size = ring_.size();
    std::vector<std::uint8_t> grown(std::max(2 * old_size, kFirstBytes));
    // Edges of the larger ring are edges of the smaller one as well, so no record comes to lie across one.
    for (std::uint64_t at = begin_; at < end_;) {
      const std::size_t from = index_of(at);
      const std::size_t count = static_cast<std::size_t>(std::min<std::uint64_t>(old_size - from, end_ - at));
      std::memcpy(grown.data() + (at & (grown.size() - 1)), ring_.data() + from, count);
      at += count;
    }
    ring_ = std::move(grown);
  }

  std::vector<std::uint8_t> ring_;  // empty, or its size is a power of two
  std::uint64_t begin_ = 0;
  std::uint64_t end_ = 0;
};

}  // namespace mxp
