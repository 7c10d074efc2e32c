// Bytes of one stream that cannot be handed over yet: out of order, or not taken by the application. What arrives in
// order never comes here. A ring addressed by stream offset with a set of the ranges present. Both are bounded (threat
// t07): the ring by the peer's credit that is still in use, as it is smaller than four times the span from the first
// byte wanted to the highest received, or at most what its owner lets it keep; the ranges by `max_spans`, and their memory follows their
// number in the same way.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "core/range_set.h"
#include "mxp/bytes.h"
#include "mxp/require.h"
#include "scheduler/kept_bytes.h"

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
  std::size_t memory() const { return capacity_ + present_.memory(); }

  // Keeps a copy; what is below begin() is ignored. False when span_count() would pass
  // `max_spans`; bytes at begin() always go in.
  [[nodiscard]] bool insert(std::uint64_t offset, ByteView data, std::size_t max_spans);
  // The bytes at begin(), as far as they lie in one piece of memory; empty when they are not there. Valid until the
  // next call that changes the object.
  ByteView front() const;
  // Forgets what is below `offset`, and gives back what that leaves unused of more than `keep_bytes` of memory.
  // REQUIRES: offset >= begin().
  void advance(std::uint64_t offset, std::size_t keep_bytes = kKeptBytes) {
    MXP_REQUIRE(offset >= begin_);
    begin_ = offset;
    if (!present_.empty()) present_.remove_below(offset);
    if (has_more_than(keep_bytes)) trim();
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
  bool at_front() const { return !present_.empty() && present_.ranges().front().begin == begin_; }
  bool has_more_than(std::size_t bytes) const { return capacity_ > bytes || present_.memory() > bytes; }
  // Gives back memory that what is left does not need.
  void trim();
  // Makes the ring as small as [begin(), end) allows. REQUIRES: nothing is held from `end` on.
  void resize(std::uint64_t end);

  std::unique_ptr<std::uint8_t[]> ring_;
  std::size_t capacity_ = 0;  // 0 or a power of two
  std::uint64_t begin_ = 0;
  RangeSet present_;
};

}  // namespace mxp
