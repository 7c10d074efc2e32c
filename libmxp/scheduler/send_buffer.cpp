#include "scheduler/send_buffer.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "mxp/require.h"
#include "scheduler/ring_copy.h"

namespace mxp {

std::size_t SendBuffer::append(ByteView data, std::size_t limit) {
  const std::size_t room = limit > size() ? limit - size() : 0;
  const ByteView taken = data.first(std::min(room, data.size()));
  if (taken.empty()) return 0;
  if (size() + taken.size() > capacity_) resize(size() + taken.size());
  copy_into_ring(ring_.get(), capacity_, end_, taken);
  end_ += taken.size();
  return taken.size();
}

void SendBuffer::copy_out(std::uint64_t offset, MutableBytes out) const {
  if (out.empty()) return;
  MXP_REQUIRE(offset >= begin_ && offset <= end_ && out.size() <= end_ - offset);
  const ByteView first = ring_piece(ring_.get(), capacity_, offset, out.size());
  std::memcpy(out.data(), first.data(), first.size());
  if (first.size() < out.size()) std::memcpy(out.data() + first.size(), ring_.get(), out.size() - first.size());
}

void SendBuffer::reset(std::uint64_t offset, std::size_t keep_bytes) {
  if (capacity_ > keep_bytes) {
    ring_.reset();
    capacity_ = 0;
  }
  begin_ = end_ = offset;
}

void SendBuffer::resize(std::size_t needed) {
  const std::size_t capacity = std::bit_ceil(std::max(needed, kSmallest));
  auto ring = std::make_unique_for_overwrite<std::uint8_t[]>(capacity);
  for (std::uint64_t at = begin_; at < end_;) {
    const ByteView piece = ring_piece(ring_.get(), capacity_, at, end_ - at);
    copy_into_ring(ring.get(), capacity, at, piece);
    at += piece.size();
  }
  ring_ = std::move(ring);
  capacity_ = capacity;
}

}  // namespace mxp
