// Round trips counted by packets: one has passed when a packet is acknowledged that was sent after it began. A packet
// that overtakes all others would end it too early, so it lasts at least as long as the path's round trip. All numbers
// have 64 bits: one that wraps after 4 GB would end long transfers in a crawl.
#pragma once

#include <cstdint>

#include "mxp/time.h"

namespace mxp {

class RoundCounter {
 public:
  // An ACK: bytes delivered in total when its newest packet was sent, and now. `round_trip` of the path; 0 if it is not
  // known. Whether a round began with it.
  bool on_ack(Timestamp now, std::uint64_t prior_delivered, std::uint64_t total_delivered, Duration round_trip) {
    if (prior_delivered < ends_at_ || now < began_at_ + round_trip * 7 / 8) return false;
    restart(now, total_delivered);
    ++count_;
    return true;
  }
  // The next round begins with the first packet that is sent from now on.
  void restart(Timestamp now, std::uint64_t total_delivered) {
    ends_at_ = total_delivered;
    began_at_ = now;
  }
  std::uint64_t count() const { return count_; }

 private:
  std::uint64_t ends_at_ = 0;  // bytes delivered in total when the round began
  Timestamp began_at_{};
  std::uint64_t count_ = 0;
};

}  // namespace mxp
