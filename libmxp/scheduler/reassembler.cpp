#include "scheduler/reassembler.h"

#include <algorithm>
#include <bit>

#include "scheduler/ring_copy.h"

namespace mxp {

bool Reassembler::insert(std::uint64_t offset, ByteView data, std::size_t max_spans) {
  const std::uint64_t end = offset + data.size();
  if (end <= begin_ || data.empty()) return true;
  if (offset < begin_) {
    data = data.subspan(static_cast<std::size_t>(begin_ - offset));
    offset = begin_;
  }
  if (end - begin_ > capacity_) resize(end);
  copy_into_ring(ring_.get(), capacity_, offset, data);
  present_bytes_ += present_.add(offset, end);
  return span_count() <= max_spans || span_count() <= buffered() / kBytesForSpan;
}

ByteView Reassembler::front() const {
  if (!at_front()) return {};
  return ring_piece(ring_.get(), capacity_, begin_, present_.ranges().front().size());
}

void Reassembler::discard() {
  present_ = RangeSet();
  present_bytes_ = 0;
  ring_.reset();
  capacity_ = 0;
}

void Reassembler::reset(std::size_t keep_bytes) {
  begin_ = 0;
  if (has_more_than(keep_bytes)) return discard();
  present_.clear();
  present_bytes_ = 0;
}

// Credit goes back to the peer with the bytes that were delivered, and their memory must go with it. Otherwise one byte
// behind a gap would pin a ring of a whole window on every stream. If no more than a quarter is in use, at least
// another quarter was delivered since the ring was made. So moving the rest costs less than one step for each byte that
// the peer sent.
void Reassembler::trim() {
  if (present_.empty()) return discard();
  const std::uint64_t end = present_.ranges().back().end;
  if (capacity_ > kSmallest && end - begin_ <= capacity_ / 4) resize(end);
  if (present_.memory() > kKeptBytes && sizeof(RangeSet::Range) * present_.range_count() <= present_.memory() / 4)
    present_ = RangeSet(present_);  // a copy has room for its ranges and no more
}

void Reassembler::resize(std::uint64_t end) {
  // The window bounds `end`, so this is at most twice the window.
  const std::size_t capacity = std::bit_ceil(std::max(static_cast<std::size_t>(end - begin_), kSmallest));
  auto ring = std::make_unique_for_overwrite<std::uint8_t[]>(capacity);
  for (const RangeSet::Range& range : present_.ranges()) {
    for (std::uint64_t at = range.begin; at < range.end;) {
      const ByteView piece = ring_piece(ring_.get(), capacity_, at, range.end - at);
      copy_into_ring(ring.get(), capacity, at, piece);
      at += piece.size();
    }
  }
  ring_ = std::move(ring);
  capacity_ = capacity;
}

}  // namespace mxp
