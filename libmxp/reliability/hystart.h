// HyStart++ (RFC 9406): leaves slow start when the round-trip time begins to rise, before packets are lost. At first it
// only slows the growth down (conservative slow start). If the rise was a false alarm, normal slow start goes on.
#pragma once

#include <cstdint>
#include <optional>

#include "mxp/time.h"

namespace mxp {

class HyStart {
 public:
  // From the specification (RFC 9406 §4.3).
  static constexpr Duration kMinRttThreshold = std::chrono::milliseconds(4);
  static constexpr Duration kMaxRttThreshold = std::chrono::milliseconds(16);
  static constexpr int kMinRttDivisor = 8;
  static constexpr unsigned kRttSamples = 8;
  static constexpr unsigned kGrowthDivisor = 4;
  static constexpr unsigned kConservativeRounds = 5;
  static constexpr std::uint64_t kUnpacedLimit = 8;  // segments by which one ACK may grow the window without pacing

  enum class Verdict : std::uint8_t { grow, grow_conservatively, leave };

  // Called for each ACK in slow start. `acknowledged` is the largest newly acknowledged number, `next` is the number
  // after the largest sent, and `rtt` is the sample of this ACK with the acknowledgement delay subtracted.
  Verdict on_ack(std::uint64_t acknowledged, std::uint64_t next, std::optional<Duration> rtt);

 private:
  void begin_round(std::uint64_t next);

  std::uint64_t round_end_ = 0;  // the next number when the round began; acknowledging all below it ends the round
  std::optional<Duration> last_round_min_;
  std::optional<Duration> round_min_;
  std::optional<Duration> conservative_baseline_;  // set while in conservative slow start
  unsigned samples_ = 0;
  unsigned conservative_rounds_ = 0;
};

}  // namespace mxp
