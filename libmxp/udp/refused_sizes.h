// What a carrier dropped as too large and has not told yet: for each address the smallest size that was refused.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>

#include "udp/carrier.h"
#include "udp/transmit_queue.h"

namespace mxp {

class RefusedSizes {
 public:
  // The run's first datagram, of `size` bytes, is too large. So are those behind it, but for a last one that is shorter:
  // takes them off the run, and returns how many they are. REQUIRES: 0 < size <= run.bytes.size().
  std::size_t take_off(OutgoingRun& run, std::size_t size) {
    remember(run.to.remote, size);
    const std::size_t equals = run.bytes.size() / size;
    run.bytes = run.bytes.subspan(equals * size);
    return equals;
  }

  std::optional<TooLarge> poll() {
    if (count_ == 0) return std::nullopt;
    return entries_[--count_];
  }

 private:
  void remember(const SocketAddress& remote, std::size_t size) {
    for (std::size_t i = 0; i < count_; ++i) {
      if (entries_[i].remote != remote) continue;
      entries_[i].size = std::min(entries_[i].size, size);
      return;
    }
    // What finds no room is forgotten: its sender learns of the loss by its timers.
    if (count_ < kMost) entries_[count_++] = {remote, size};
  }

  static constexpr std::size_t kMost = TransmitQueue::kMaxRuns;  // each may go to another address
  std::array<TooLarge, kMost> entries_{};
  std::size_t count_ = 0;
};

}  // namespace mxp
