#include "mxp-perf/capacity/rate_search.h"

#include <algorithm>
#include <cmath>

namespace mxp::perf {

void RateSearch::on_trial(bool kept) {
  if (confirming_) {
    if (kept) {
      over_ = true;
      return;
    }
    // Luck, the first time: what was kept is not any more, and the search goes on below.
    confirming_ = false;
    broken_ = next_;
    kept_.reset();
  } else if (kept) {
    kept_ = next_;
  } else {
    broken_ = next_;
  }
  choose();
}

void RateSearch::choose() {
  if (!broken_) {
    over_ = reached_most();
    next_ = std::min(2 * next_, most_);
  } else if (!kept_) {
    // Below all that were tried: by halves again.
    over_ = *broken_ <= kLeastRate;
    next_ = *broken_ / 2;
  } else if (*broken_ <= *kept_ * (1 + kPrecision)) {
    confirming_ = true;
    next_ = *kept_;
  } else {
    next_ = std::sqrt(*kept_ * *broken_);  // the middle of ratios
  }
}

}  // namespace mxp::perf
