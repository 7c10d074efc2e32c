// How often a peer may begin a key update (docs/protocol.md §3.1, threat t26): a token bucket. One is gained in each
// interval, and a few are saved up: clocks stop while machines sleep, and an update after such a pause may seem to
// follow the last one at once.
#pragma once

#include "mxp/time.h"

namespace mxp {

class UpdateAllowance {
 public:
  UpdateAllowance(Duration interval, Timestamp now) : interval_(interval), since_(now) {}

  // Takes one; false if there is none.
  bool take(Timestamp now) {
    for (; left_ < kMost && now - since_ >= interval_; ++left_) since_ += interval_;
    if (left_ == 0) return false;
    if (left_-- == kMost) since_ = now;  // a full bucket gains nothing while it is full
    return true;
  }

 private:
  static constexpr unsigned kMost = 8;  // our choice

  Duration interval_;
  Timestamp since_;  // what was gained until then is counted
  unsigned left_ = kMost;
};

}  // namespace mxp
