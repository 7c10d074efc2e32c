// The bytes of one stream that cannot be handed over yet, because they are out of order or were not taken by the
// application. What arrives in order never comes here. They lie in a ring that is addressed by stream offset, with a
// set of the ranges that are present. Both are bounded (threat t07). The ring is bounded by the peer's credit that is
// still in use: it is smaller than four times the span from the first byte wanted to the highest received, or at most
// as large as its owner lets it stay. The ranges are bounded by `max_spans` or by the bytes held, and their memory
// follows their number in the same way.
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
  // The lowest offset that is still wanted.
  std::uint64_t begin() const { return begin_; }
  bool empty() const { return present_.empty(); }
  std::uint64_t buffered() const { return present_bytes_; }
  // How many disjoint spans lie beyond a gap. The one at begin() does not count: it only waits for the application.
  std::size_t span_count() const { return present_.range_count() - (at_front() ? 1 : 0); }
  std::size_t capacity() const { return capacity_; }
  std::size_t memory() const { return capacity_ + present_.memory(); }

  // Where a link with tens of megabytes under way loses a tenth of its packets, thousands of gaps are no offence: whole
  // packets lie between them. So many bytes for each span excuse any number of spans. A peer that means harm must send
  // them too, and has no more of our work for each byte than with `max_spans` tiny ones.
  static constexpr std::uint64_t kBytesForSpan = 512;

  // Keeps a copy; what is below begin() is ignored. False if span_count() would pass `max_spans` and the bytes do not
  // excuse it. Bytes at begin() always go in.
  [[nodiscard]] bool insert(std::uint64_t offset, ByteView data, std::size_t max_spans);
  // The bytes at begin(), as far as they lie in one piece of memory; empty if they are not there. Valid until the next
  // call that changes the object.
  ByteView front() const;
  // Forgets what is below `offset`, and if the memory is more than `keep_bytes`, gives back what is then unused.
  // REQUIRES: offset >= begin().
  void advance(std::uint64_t offset, std::size_t keep_bytes = kKeptBytes) {
    MXP_REQUIRE(offset >= begin_);
    begin_ = offset;
    if (!present_.empty()) present_bytes_ -= present_.remove(0, offset);
    if (has_more_than(keep_bytes)) trim();
  }
  // Forgets all bytes and gives the memory back; begin() stays.
  void discard();
  // Gives back the memory if nothing is held.
  void shrink() {
    if (present_.empty()) discard();
  }

  // Goes back to offset 0 and is empty; memory beyond `keep_bytes` is given back.
  void reset(std::size_t keep_bytes);

 private:
  static constexpr std::size_t kSmallest = 2048;
  bool at_front() const { return !present_.empty() && present_.ranges().front().begin == begin_; }
  bool has_more_than(std::size_t bytes) const { return capacity_ > bytes || present_.memory() > bytes; }
  // Gives back memory that the remaining bytes do not need.
  void trim();
  // Makes the ring as small as [begin(), end) allows. REQUIRES: nothing is held from `end` on.
  void resize(std::uint64_t end);

  std::unique_ptr<std::uint8_t[]> ring_;
  std::size_t capacity_ = 0;  // 0 or a power of two
  std::uint64_t begin_ = 0;
  RangeSet present_;
  std::uint64_t present_bytes_ = 0;  // its sum, which would be a walk over all ranges for each frame
};

}  // namespace mxp
