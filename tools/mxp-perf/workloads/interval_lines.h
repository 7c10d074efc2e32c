// --interval: what came through in each span of a running test, as lines on standard error.
#pragma once

#include <fmt/format.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>

#include "common/output.h"
#include "mxp/time.h"

namespace mxp::perf {

class IntervalLines {
 public:
  IntervalLines(tools::Output& output, std::function<std::string(double per_second)> describe)
      : output_(output), describe_(std::move(describe)) {}

  void begin(Timestamp now) { began_ = last_ = now; }
  // One line: the rate since the last one, by the time that really passed. `total` only grows.
  void tell(Timestamp now, std::uint64_t total) {
    const double seconds = std::chrono::duration<double>(now - last_).count();
    if (seconds <= 0) return;
    output_.summary(fmt::format("{:7.2f} s  {}", std::chrono::duration<double>(now - began_).count(),
                                describe_(static_cast<double>(total - told_) / seconds)));
    last_ = now;
    told_ = total;
  }

 private:
  tools::Output& output_;
  std::function<std::string(double)> describe_;
  Timestamp began_{}, last_{};
  std::uint64_t told_ = 0;
};

}  // namespace mxp::perf
