// HyStart++ (RFC 9406): leaves slow start when the round-trip time begins to rise, before packets are lost. First it
// only slows the growth down (conservative slow start); if the rise was a false alarm, normal slow start goes on.
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
  static constexpr std::uint64_t kUnpacedLimit = 8;  // segments of growth for one ACK when not paced

  enum class Verdict : std::uint8_t { grow, grow_conservatively, leave };

  // For each ACK in slow start. `acknowledged`: the largest newly acknowledged number; `next`: the number that follows
  // the largest sent; `rtt`: the sample of this ACK, acknowledgement delay subtracted.
  Verdict on_ack(std::uint64_t acknowledged, std::uint64_t next, std::optional<Duration> rtt);

 private:
  void begin_round(std::uint64_t next);

  std::uint64_t round_end_ = 0;  // next to send when the round began: it ends when all below is acknowledged
  std::optional<Duration> last_round_min_;
  std::optional<Duration> round_min_;
  std::optional<Duration> conservative_baseline_;  // set while in conservative slow start
  unsigned samples_ = 0;
  unsigned conservative_rounds_ = 0;
};

}  // namespace mxp
