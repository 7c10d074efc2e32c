// How often a peer may begin a key update (docs/protocol.md §3.1, threat t26), as a token bucket. The peer gains one
// update in each interval and can save up a few. Clocks stop while machines sleep, and after such a pause an update may
// seem to follow the last one at once.
#pragma once

#include "mxp/time.h"

namespace mxp {

class UpdateAllowance {
 public:
  UpdateAllowance(Duration interval, Timestamp now) : interval_(interval), since_(now) {}

  // Takes one update from the bucket; false if it is empty.
  bool take(Timestamp now) {
    for (; left_ < kMost && now - since_ >= interval_; ++left_) since_ += interval_;
    if (left_ == 0) return false;
    if (left_-- == kMost) since_ = now;  // a full bucket gains nothing while it is full
    return true;
  }

 private:
  static constexpr unsigned kMost = 8;  // our choice

  Duration interval_;
  Timestamp since_;  // what was gained up to here is in left_
  unsigned left_ = kMost;
};

}  // namespace mxp
