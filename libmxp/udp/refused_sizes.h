// What a carrier dropped as too large and has not told yet: for each address the smallest size that was refused.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>

#include "udp/carrier.h"

namespace mxp {

class RefusedSizes {
 public:
  void remember(const SocketAddress& remote, std::size_t size) {
    for (std::size_t i = 0; i < count_; ++i) {
      if (entries_[i].remote != remote) continue;
      entries_[i].size = std::min(entries_[i].size, size);
      return;
    }
    // What finds no room is forgotten: its sender learns of the loss by its timers.
    if (count_ < kMost) entries_[count_++] = {remote, size};
  }

  std::optional<TooLarge> poll() {
    if (count_ == 0) return std::nullopt;
    return entries_[--count_];
  }

 private:
  static constexpr std::size_t kMost = 32;  // as many as a transmit queue keeps runs
  std::array<TooLarge, kMost> entries_{};
  std::size_t count_ = 0;
};

}  // namespace mxp
