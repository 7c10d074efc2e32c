// The answers that a path owes to PATH_CHALLENGE (RFC 9000 §8.2.2).
//
// An answer goes out on the path on which the challenge came, once, in a datagram of at least 1200 bytes as far as the
// 3× limit allows; a peer whose answer was lost asks again. A peer that asks faster than we may send would make a queue
// grow, and old questions are worth nothing to an honest one, so only the newest four are kept (threat t04).
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>

#include "core/frames.h"
#include "mxp/require.h"

namespace mxp {

// One for each path.
class PathResponses {
 public:
  static constexpr std::size_t kMost = 4;  // our choice: an honest peer has three challenges under way at most

  void on_challenge(const PathData& data) {
    const auto end = waiting_.begin() + static_cast<std::ptrdiff_t>(count_);
    if (std::find(waiting_.begin(), end, data) != end) return;  // a packet that was repeated
    if (count_ == kMost) {
      std::copy(waiting_.begin() + 1, end, waiting_.begin());
      --count_;
    }
    waiting_[count_++] = data;
  }

  // The newest first: if only one gets out, it is the one that still matters. The same until on_sent().
  std::optional<PathResponseFrame> due() const {
    if (count_ == 0) return std::nullopt;
    return PathResponseFrame{waiting_[count_ - 1]};
  }
  // That answer is in a packet. REQUIRES: due().
  void on_sent() {
    MXP_REQUIRE(count_ > 0);
    --count_;
  }
  std::size_t waiting() const { return count_; }

 private:
  std::array<PathData, kMost> waiting_{};  // from the oldest to the newest
  std::size_t count_ = 0;
};

}  // namespace mxp
