// The place of one connection in the queue for opening payloads (opening_budget.h). It has one at a time, so that those
// who wait are served in turn. And a turn that was dear is paid with time: where others have come since, the next place
// is taken only when they have had as much time as the last turn took. So whoever sends nothing but dear payloads
// gets half of the rate at most while others want some of it, and all of it when nobody does.
#pragma once

#include <optional>

#include "connection/opening_budget.h"
#include "mxp/time.h"

namespace mxp {

class OpeningTurn {
 public:
  // When may_begin() wants to be asked again; kNever while nothing waits.
  Timestamp at() const { return place_ ? place_->at : kNever; }

  // Whether work of this cost may begin now. If not, a place is kept for it.
  bool may_begin(OpeningBudget& budget, Timestamp now, Duration cost) {
    if (!place_ && rests_until_ > now && budget.spent() != spent_) place_ = Place{.at = rests_until_, .rests = true};
    if (!place_ || (place_->rests && place_->at <= now)) {
      place_ = Place{.at = budget.reserve(now, cost), .cost = cost};
      spent_ = budget.spent();
    }
    if (place_->at > now) return false;
    rests_until_ = now + 2 * place_->cost;
    // Another message than the one that took the place may be the first to use it, and may cost more.
    if (cost > place_->cost) add(budget, now, cost - place_->cost);
    place_.reset();
    return true;
  }
  // The work that has begun turns out to cost so much more.
  void add(OpeningBudget& budget, Timestamp now, Duration cost) {
    budget.reserve(now, cost);
    spent_ += cost;
    rests_until_ += 2 * cost;
  }

 private:
  struct Place {
    Timestamp at;
    Duration cost{};     // that was taken from the budget for it
    bool rests = false;  // nothing was taken yet
  };

  std::optional<Place> place_;
  Timestamp rests_until_{};
  Duration spent_{};  // by all connections when this one took its last place, and by itself since
};

}  // namespace mxp
