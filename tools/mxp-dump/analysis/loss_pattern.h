// Whether losses come alone or in runs: the parameters of a Gilbert chain (good and bad, everything in bad is lost),
// estimated from the runs.
#pragma once

#include <algorithm>
#include <cstdint>

#include "mxp-dump/analysis/finding.h"

namespace mxp::dump {

class LossPattern {
 public:
  // In the order of packet numbers.
  void delivered(std::uint64_t count = 1) {
    delivered_ += count;
    run_ = 0;
  }
  // `frame`: of the lost packet, or of the one after it where it was not captured.
  void lost(std::uint64_t frame, std::uint64_t count = 1) {
    if (run_ == 0) ++runs_;
    lost_ += count;
    run_ += count;
    longest_ = std::max(longest_, run_);
    evidence_.add(frame);
  }

  std::uint64_t lost_packets() const { return lost_; }
  std::uint64_t delivered_packets() const { return delivered_; }
  std::uint64_t runs() const { return runs_; }
  std::uint64_t longest_run() const { return longest_; }
  double share() const { return lost_ == 0 ? 0 : static_cast<double>(lost_) / static_cast<double>(lost_ + delivered_); }
  double mean_run() const { return runs_ == 0 ? 0 : static_cast<double>(lost_) / static_cast<double>(runs_); }
  // Losses that know nothing of each other come in runs of 1 / (1 - p) in the mean. Half as long again is more than
  // chance makes of ten runs.
  bool bursty() const { return runs_ >= 2 && mean_run() > 1.5 / (1 - std::min(share(), 0.9)) + 0.3; }
  double to_bad() const {  // the chance that a loss follows a packet that arrived
    return delivered_ == 0 ? 1 : static_cast<double>(runs_) / static_cast<double>(delivered_);
  }
  double to_good() const { return mean_run() == 0 ? 1 : 1 / mean_run(); }
  const Evidence& evidence() const { return evidence_; }

 private:
  std::uint64_t lost_ = 0, delivered_ = 0, runs_ = 0, run_ = 0, longest_ = 0;
  Evidence evidence_;
};

}  // namespace mxp::dump
