// Bytes of one stream that cannot be handed over yet: out of order, or not taken by the application. What arrives in
// order never comes here. A ring addressed by stream offset with a set of the ranges present. Both are bounded: the
// ring by the flow-control window, as it spans from the first byte wanted to the highest received and has up to twice
// that size; the ranges by `max_spans` (threat t07).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "core/range_set.h"
#include "mxp/bytes.h"
#include "mxp/require.h"

namespace mxp {

class Reassembler {
 public:
  // Lowest offset still wanted.
  std::uint64_t begin() const { return begin_; }
  bool empty() const { return present_.empty(); }
  std::uint64_t buffered() const { return present_.total(); }
  // Disjoint spans that lie beyond a gap: the one at begin() only waits for the application.
  std::size_t span_count() const { return present_.range_count() - (at_front() ? 1 : 0); }
  std::size_t capacity() const { return capacity_; }

  // Keeps a copy; what is below begin() is ignored. False when span_count() would pass
  // `max_spans`; bytes at begin() always go in.
  [[nodiscard]] bool insert(std::uint64_t offset, ByteView data, std::size_t max_spans);
  // The bytes at begin(), as far as they lie in one piece of memory; empty when they are not there. Valid until the
  // next call that changes the object.
  ByteView front() const;
  // Forgets what is below `offset`. REQUIRES: offset >= begin().
  void advance(std::uint64_t offset) {
    MXP_REQUIRE(offset >= begin_);
    begin_ = offset;
    if (!present_.empty()) present_.remove_below(offset);
    // Credit has gone back to the peer with these bytes: their memory must too, or every stream could be made to keep a
    // window.
    if (present_.empty() && capacity_ > kKept) discard();
  }
  // Forgets all bytes and gives the memory back; begin() stays.
  void discard();
  // Gives back the memory of an empty one.
  void shrink() {
    if (present_.empty()) discard();
  }

  // Back to offset 0 and empty; memory beyond `keep_bytes` is given back.
  void reset(std::size_t keep_bytes);

 private:
  static constexpr std::size_t kSmallest = 2048;
  static constexpr std::size_t kKept =
      64 * 1024;  // what an empty stream may hold, so that gaps now and then allocate nothing
  bool at_front() const { return !present_.empty() && present_.ranges().front().begin == begin_; }
  void grow(std::uint64_t end);

  std::unique_ptr<std::uint8_t[]> ring_;
  std::size_t capacity_ = 0;  // 0 or a power of two
  std::uint64_t begin_ = 0;
  RangeSet present_;
};

}  // namespace mxp
