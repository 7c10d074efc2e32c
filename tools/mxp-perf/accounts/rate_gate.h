// How many bytes may pass at a rate: a bucket that fills with it and holds ten milliseconds of it.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>

#include "mxp/time.h"

namespace mxp::perf {

// How long what may not pass yet waits before it is tried again.
inline constexpr Duration kGateTurn = std::chrono::milliseconds(2);

class RateGate {
 public:
  explicit RateGate(double bytes_per_second)
      : bytes_per_second_(bytes_per_second), most_(std::max(bytes_per_second * 0.01, kLeastBurst)), level_(most_) {}

  // Takes what may pass now of `wanted` bytes. `whole`: all or nothing, where a piece cannot be cut; one that is larger
  // than the bucket passes when that is full, and what follows waits for longer.
  enum class Piece : std::uint8_t { cut, whole };
  std::size_t take(Timestamp now, std::size_t wanted, Piece piece = Piece::cut) {
    fill(now);
    if (piece == Piece::whole) {
      if (level_ < std::min(static_cast<double>(wanted), most_)) return 0;
      level_ -= static_cast<double>(wanted);
      return wanted;
    }
    const std::size_t passes = std::min(wanted, static_cast<std::size_t>(std::max(0.0, level_)));
    level_ -= static_cast<double>(passes);
    return passes;
  }
  // Takes what has come already, and cannot be made to wait. False: that is more than the rate of `most` ahead.
  bool owe(Timestamp now, std::size_t bytes, Duration most) {
    fill(now);
    level_ -= static_cast<double>(bytes);
    return level_ >= -std::max(kLeastBurst, bytes_per_second_ * std::chrono::duration<double>(most).count());
  }
  // What was taken and did not pass after all.
  void give_back(std::size_t bytes) { level_ = std::min(most_, level_ + static_cast<double>(bytes)); }

 private:
  // A packet or two pass at once however low the rate is.
  static constexpr double kLeastBurst = 4096;

  void fill(Timestamp now) {
    if (now > filled_) {
      const double seconds = std::min(1e6, std::chrono::duration<double>(now - filled_).count());
      level_ = std::min(most_, level_ + seconds * bytes_per_second_);
      filled_ = now;
    }
  }

  double bytes_per_second_, most_, level_;
  Timestamp filled_{};
};

}  // namespace mxp::perf
