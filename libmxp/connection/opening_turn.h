// The place of one connection in the queue for opening payloads (opening_budget.h). It has one at a time, so that those
// who wait are served in turn. And a turn that was dear is paid with time: where others have come since, the next place
// is taken only when they have had as much time as the last turn took. So whoever sends nothing but dear payloads
// gets half of the rate at most while others want some of it, and all of it when nobody does. That is for each
// connection: how many of them one peer may have, others bound (EndpointLimits).
#pragma once

#include "connection/opening_budget.h"
#include "mxp/time.h"

namespace mxp {

class OpeningTurn {
 public:
  // When may_begin() wants to be asked again; kNever while nothing waits.
  Timestamp at() const { return at_; }

  // Whether work of this cost, more than zero, may begin now. If not, a place is kept for it.
  bool may_begin(OpeningBudget& budget, Timestamp now, Duration cost) {
    if (at_ == kNever && rests_until_ > now && budget.spent() != spent_then_) {
      at_ = rests_until_;
      paid_ = {};
    }
    if (at_ == kNever || (rests() && at_ <= now)) {
      at_ = budget.reserve(now, cost);
      paid_ = cost;
      spent_then_ = budget.spent();
    }
    if (at_ > now) return false;
    at_ = kNever;
    rests_until_ = now + 2 * paid_;
    // Another message than the one that took the place may be the first to use it, and may cost more.
    if (cost > paid_) add(budget, now, cost - paid_);
    return true;
  }
  // The work that has begun turns out to cost so much more.
  void add(OpeningBudget& budget, Timestamp now, Duration cost) {
    budget.reserve(now, cost);
    spent_then_ += cost;
    rests_until_ += 2 * cost;
  }

 private:
  bool rests() const { return paid_ == Duration::zero(); }

  Timestamp at_ = kNever;
  Duration paid_{};  // that was taken from the budget for the place; nothing yet while this connection rests
  Timestamp rests_until_{};
  Duration spent_then_{};  // by all connections when this one took its last place, and by itself since
};

}  // namespace mxp
