// Start-time fair queueing (Goyal, Vin, Cheng: "Start-time Fair Queueing", SIGCOMM 1996) over a few fixed queues:
// whenever several have something to send, each gets a share of the bytes in proportion to its weight, however large
// its pieces are, and one that was idle neither saves up a claim nor pays for what it got while it was alone.
//
// Each queue has a tag, the virtual time at which its last piece would have ended if it had its share. Next is the
// queue whose piece can start first: at its tag, or at the virtual time of now if that is later. The virtual time is
// the start of the piece that was sent last.
//
// One queue may preempt: it is next whenever it has something, as long as it is not more than a given number of bytes
// ahead of its share. So a burst passes all the others at once, and nobody starves behind a flood.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "mxp/require.h"

namespace mxp {

template <std::size_t kQueues>
class FairQueue {
 public:
  static_assert(kQueues <= 8);
  using Set = std::uint8_t;  // bit i: queue i

  // Weights from 1 to 1000. Queue 0 is the one that may preempt, by so many bytes.
  FairQueue(const std::array<std::uint32_t, kQueues>& weights, std::uint64_t preempts_bytes) : weights_(weights) {
    ahead_ = preempts_bytes * kUnit / weights_[0];
  }

  // Which of the queues in `pending` sends next. REQUIRES: pending != 0.
  std::size_t next(Set pending) const {
    MXP_REQUIRE(pending != 0);
    if ((pending & 1) != 0 && tags_[0] <= virtual_time_ + ahead_) return 0;
    std::size_t best = static_cast<std::size_t>(std::countr_zero(pending));
    for (std::size_t queue = best + 1; queue != kQueues; ++queue)
      if ((pending >> queue & 1) != 0 && start_of(queue) < start_of(best)) best = queue;
    return best;
  }
  // Whether queue 0 is next only because it may preempt. REQUIRES: it is next.
  bool preempts(Set pending) const {
    for (std::size_t queue = 1; queue != kQueues; ++queue)
      if ((pending >> queue & 1) != 0 && start_of(queue) < start_of(0)) return true;
    return false;
  }
  // `queue` has sent so many bytes, while those in `pending` had something to send, itself included.
  void charge(std::size_t queue, std::uint64_t bytes, Set pending) {
    const std::uint64_t start = start_of(queue);
    tags_[queue] = start + bytes * kUnit / weights_[queue];
    // What preempts runs ahead of the others: it moves the time that all share only while it is alone.
    if (queue != 0 || pending == 1) virtual_time_ = start;
  }

 private:
  // Virtual time in units of 1/kUnit byte for each unit of weight: 2^64 of them are 18 petabytes.
  static constexpr std::uint64_t kUnit = 1000;

  std::uint64_t start_of(std::size_t queue) const { return std::max(tags_[queue], virtual_time_); }

  std::array<std::uint32_t, kQueues> weights_;
  std::array<std::uint64_t, kQueues> tags_{};
  std::uint64_t virtual_time_ = 0;
  std::uint64_t ahead_ = 0;
};

}  // namespace mxp
