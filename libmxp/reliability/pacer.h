// Spreads packets over the round trip (RFC 9002 §7.7) while leaving bursts large enough for segmentation offload.
//
// Guarantee, as long as nobody sends more than available() says: for all times s <= t,
//
//     bytes sent in [s, t]  <=  burst  +  integral of the rate over [s, t]
//
// where burst is the largest that applied in [s, t]: burst = max(10 datagrams, 2 ms × rate). Nor does it starve a
// sender: as long as it is not in debt, ready_at() for at most one quantum is never later than now + quantum / rate
// (rounded up to a nanosecond), where quantum = clamp(1 ms × rate, 1 datagram, 64 KiB). Packets sent beyond available()
// (probes) make a debt, which is paid before anything else goes.
//
// Credit is kept in billionths of a byte: elapsed nanoseconds × bytes per second, which is exact and needs no division.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>

#include "mxp/rate.h"
#include "mxp/time.h"

namespace mxp {

class Pacer {
 public:
  static constexpr std::uint64_t kUnlimited = std::numeric_limits<std::uint64_t>::max();
  // Two milliseconds, so that a timer that wakes one millisecond late loses no rate.
  static constexpr Duration kBurstTime = std::chrono::milliseconds(2);
  static constexpr Duration kQuantumTime = std::chrono::milliseconds(1);
  static constexpr std::uint64_t kBurstDatagrams = 10;        // RFC 9002 §7.2, the initial window
  static constexpr std::uint64_t kMaxQuantum = 64u << 10;     // what one segmented send can carry
  static constexpr std::uint64_t kMaxRate = 100'000'000'000;  // bytes per second; keeps the credit far from overflowing

  // Starts with a full burst. With `enabled` = false there is never a limit.
  Pacer(std::size_t max_datagram_bytes, bool enabled);

  // A rate of zero means "not known yet": no limit until it is set.
  void set_rate(Timestamp now, ByteRate rate);
  // Full datagrams have this size from now on; the smallest burst is a number of them.
  void set_datagram_size(Timestamp now, std::size_t bytes);
  // Bytes that may go now: kUnlimited without a limit, 0 when in debt.
  std::uint64_t available(Timestamp now) const;
  // When `bytes` will be available; `now` if they are already. REQUIRES: bytes <= burst().
  Timestamp ready_at(Timestamp now, std::uint64_t bytes) const;
  void on_sent(Timestamp now, std::uint64_t bytes);

  ByteRate rate() const { return rate_; }
  std::uint64_t burst() const { return burst_; }  // bytes
  // How much a sender should wait for before it is woken: one batch of packets.
  std::uint64_t quantum() const { return quantum_; }  // bytes

 private:
  using Credit = std::int64_t;  // 1e-9 bytes
  static constexpr Credit kUnit = 1'000'000'000;
  bool limited() const { return enabled_ && !rate_.is_zero(); }
  Credit credit_at(Timestamp now) const;
  void refill(Timestamp now);
  void set_bursts();

  std::uint64_t max_datagram_bytes_;
  bool enabled_;
  ByteRate rate_;
  std::uint64_t burst_;
  std::uint64_t quantum_;
  Credit credit_;
  Timestamp refilled_at_ = Timestamp::min();  // min means that nothing was sent yet and the burst is full
};

}  // namespace mxp
