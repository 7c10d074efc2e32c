// How long each thing has kept a connection from sending, since it began: what to look at first when a transfer is
// slower than its path. At any moment one reason holds, the one that note_what_holds_us found last
// (connection/transmit.cpp).
#pragma once

#include <array>

#include "mxp/blocked.h"
#include "mxp/time.h"

namespace mxp {

class BlockedTime {
 public:
  explicit BlockedTime(Timestamp now) : since_(now) {}

  BlockedBy reason() const { return reason_; }
  // From now on this is the reason; until now it was the one before, and `total` gets the time. Returns whether it has
  // changed.
  bool note(Timestamp now, BlockedBy reason, std::array<Duration, kBlockedReasons>& total) {
    total[static_cast<std::size_t>(reason_)] += now - since_;
    since_ = now;
    const bool changed = reason != reason_;
    reason_ = reason;
    return changed;
  }

 private:
  BlockedBy reason_ = BlockedBy::handshake;
  Timestamp since_;
};

}  // namespace mxp
