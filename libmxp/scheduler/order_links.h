// The sending half of the ordered channels of a connection's messages (docs/protocol.md §5.2): which message is the one
// before another in its channel. Each class is a channel, and sends its messages in the order of send(), so that the
// one before is the last that got a number. What expires before it is sent never is in the channel.
//
// A link is made when the message gets its number, and stays with it: a copy after a loss says the same. It points to
// the message before also if that one expires, because EXPIRED then carries the link of that one in turn, and the
// receiver follows it. Nothing is pointed to where the peer has settled everything up to there.
#pragma once

#include <array>
#include <cstdint>

#include "core/frames.h"

namespace mxp {

class OrderLinks {
 public:
  // The distance from a message that gets `sequence` now back to the one before it in its channel.
  std::uint32_t distance(MessageClass channel, std::uint64_t sequence, std::uint64_t lowest_unsettled) const {
    const std::uint64_t after_last = after_last_[static_cast<std::size_t>(channel)];
    return after_last <= lowest_unsettled ? 0 : static_cast<std::uint32_t>(sequence - (after_last - 1));
  }
  void on_numbered(MessageClass channel, std::uint64_t sequence) {
    after_last_[static_cast<std::size_t>(channel)] = sequence + 1;
  }

 private:
  std::array<std::uint64_t, kMessageClasses> after_last_{};  // the number after the last one in the channel
};

}  // namespace mxp
