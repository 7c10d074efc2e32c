// What every outstanding packet carried, in one ring in the order of sending. A packet keeps only where its frames
// begin and how many there are. Once the ring has its size, nothing is allocated per packet, and nothing is ever looked
// up.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <vector>

#include "core/sent_frame.h"
#include "mxp/require.h"

namespace mxp {

class SentFrameLog {
 public:
  // The position that the next appended frame gets.
  std::uint64_t end() const { return end_; }

  void append(const SentFrame& frame) {
    if (end_ - begin_ == ring_.size()) grow();
    ring_[end_++ & mask_] = frame;
  }
  // REQUIRES: index in [begin, end).
  const SentFrame& at(std::uint64_t index) const {
    MXP_REQUIRE(index - begin_ < size());
    return ring_[index & mask_];
  }
  SentFrame& at(std::uint64_t index) {
    MXP_REQUIRE(index - begin_ < size());
    return ring_[index & mask_];
  }

  // Forgets the frames before `index`, which belong to packets that nobody will ask about again.
  void release_below(std::uint64_t index) {
    if (index > begin_) begin_ = index;
  }
  std::uint64_t size() const { return end_ - begin_; }
  std::size_t memory() const { return ring_.capacity() * sizeof(SentFrame); }
  // Gives back the memory that the frames do not need now.
  void shrink() {
    if (size() > ring_.size() / 2) return;
    if (size() == 0) {
      ring_ = std::vector<SentFrame>();
    } else {
      resize(std::max<std::size_t>(std::bit_ceil(size()), kFirstFrames));
    }
  }

 private:
  static constexpr std::size_t kFirstFrames = 8;  // enough for an idle connection, which sends a packet now and then

  // The size is bounded by what is in flight: a packet has room for one frame for every few of its bytes.
  void grow() { resize(ring_.empty() ? kFirstFrames : ring_.size() * 2); }
  void resize(std::size_t count) {
    std::vector<SentFrame> resized(count);
    for (std::uint64_t i = begin_; i != end_; ++i) resized[i & (count - 1)] = ring_[i & mask_];
    ring_ = std::move(resized);
    mask_ = count - 1;
  }

  std::vector<SentFrame> ring_;  // empty, or its size is a power of two
  std::uint64_t mask_ = 0;
  std::uint64_t begin_ = 0;
  std::uint64_t end_ = 0;
};

}  // namespace mxp
