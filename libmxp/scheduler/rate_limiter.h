// A token bucket without timers: so many bytes per second, and so many at once after a pause.
//
// Guarantee, for all times s <= t, where no piece is larger than the burst:
//
//     bytes taken in [s, t]  <=  burst  +  rate × (t - s)
//
// A piece that is larger than the burst waits until the bucket is full, and the time until the next one grows by all of
// it: the rate holds in the mean all the same.
//
// It is the virtual scheduling form of the generic cell rate algorithm (ITU-T I.371, Annex A): instead of a level that
// has to be filled up, the time at which the bucket will be full again is kept, and every question is a comparison.
#pragma once

#include <algorithm>
#include <cstdint>

#include "mxp/rate.h"
#include "mxp/time.h"

namespace mxp {

class RateLimiter {
 public:
  // A rate of zero: no limit. The bucket is full at first. REQUIRES: rate × burst as mxp/config.h bounds them.
  RateLimiter(ByteRate rate, std::uint64_t burst_bytes) : rate_(rate), burst_(burst_bytes) {}

  // The earliest time at which `bytes` may go; Timestamp::min() for "at any time".
  Timestamp ready_at(std::uint64_t bytes) const {
    if (rate_.is_zero() || full_at_ == Timestamp::min()) return Timestamp::min();
    return full_at_ + rate_.time_for(std::min(bytes, burst_)) - rate_.time_for(burst_);
  }
  // REQUIRES: now >= ready_at(bytes).
  void take(Timestamp now, std::uint64_t bytes) {
    if (rate_.is_zero()) return;
    MXP_REQUIRE(now >= ready_at(bytes));
    full_at_ = std::max(full_at_, now) + rate_.time_for(bytes);
  }

 private:
  ByteRate rate_;
  std::uint64_t burst_;
  Timestamp full_at_ = Timestamp::min();
};

}  // namespace mxp
