// What came through in each span of a running test: for --interval's lines, for the result, and for --json-stream.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

#include "mxp-perf/result.h"
#include "mxp/time.h"

namespace mxp::perf {

class IntervalRates {
 public:
  // `on_rate` hears of each at once.
  explicit IntervalRates(std::function<void(const IntervalRate&)> on_rate) : on_rate_(std::move(on_rate)) {}

  void begin(Timestamp now) { began_ = last_ = now; }
  // The rate since the last one, by the time that really passed. `total` only grows.
  void tell(Timestamp now, std::uint64_t total) {
    const double seconds = std::chrono::duration<double>(now - last_).count();
    if (seconds <= 0) return;
    rates_.push_back({.begin_seconds = std::chrono::duration<double>(last_ - began_).count(),
                      .end_seconds = std::chrono::duration<double>(now - began_).count(),
                      .per_second = static_cast<double>(total - told_) / seconds});
    last_ = now;
    told_ = total;
    on_rate_(rates_.back());
  }
  const std::vector<IntervalRate>& rates() const { return rates_; }

 private:
  std::function<void(const IntervalRate&)> on_rate_;
  std::vector<IntervalRate> rates_;
  Timestamp began_{}, last_{};
  std::uint64_t told_ = 0;
};

}  // namespace mxp::perf
