// Between the endpoint and the carrier: takes the runs that the endpoint has ready, sends them, and keeps what the
// socket would not take. It holds at most one batch: while anything is kept the endpoint is not asked for more, which
// is how a full socket slows the congestion controller down instead of growing a queue.
//
// A run that fills its buffer is sent at once (GSO makes it one system call, and its bytes are still in the cache);
// small runs, of many connections say, are collected for one sendmmsg.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "mxp/bytes.h"
#include "mxp/endpoint.h"
#include "udp/carrier.h"

namespace mxp {

class TransmitQueue {
 public:
  enum class Result : std::uint8_t {
    idle,           // the source has nothing more
    budget_spent,   // there may be more; go on next turn
    wait_writable,  // see SendStatus
    wait_a_while,
  };

  // Bytes of one run, and thus of one GSO send: no UDP datagram, coalesced or not, is larger.
  static constexpr std::size_t kRunBytes = kMaxUdpPayload;
  static constexpr std::size_t kMaxRuns = 32;
  // From this size on a run is worth a system call of its own.
  static constexpr std::size_t kSendAtOnce = 16 * 1024;

  TransmitQueue();

  // Sends what is kept, then what `source(MutableBytes, const TransmitLimits&) -> std::optional<Transmit>` gives, up to
  // about `budget` bytes.
  template <typename Source>
  Result pump(Carrier& carrier, const TransmitLimits& limits, std::size_t budget, Source&& source) {
    if (const SendStatus status = send_pending(carrier); status != SendStatus::all_sent) return blocked(status);
    std::size_t taken = 0;
    for (;;) {
      const std::optional<Transmit> transmit = source(free_space(), limits);
      if (transmit) {
        keep(*transmit);
        taken += transmit->size;
        if (transmit->size < kSendAtOnce && has_room() && taken < budget) continue;
      }
      if (const SendStatus status = send_pending(carrier); status != SendStatus::all_sent) return blocked(status);
      if (!transmit) return Result::idle;
      if (taken >= budget) return Result::budget_spent;
    }
  }

  bool empty() const { return count_ == 0; }

 private:
  static Result blocked(SendStatus status) {
    return status == SendStatus::wait_writable ? Result::wait_writable : Result::wait_a_while;
  }
  SendStatus send_pending(Carrier& carrier);
  MutableBytes free_space() { return MutableBytes(buffer_).subspan(used_, kRunBytes); }
  bool has_room() const { return count_ < kMaxRuns && buffer_.size() - used_ >= kRunBytes; }
  void keep(const Transmit& transmit);

  std::vector<std::uint8_t> buffer_;  // two runs long: there is room for a whole one behind the small ones
  std::size_t used_ = 0;
  std::array<OutgoingRun, kMaxRuns> runs_{};
  std::size_t count_ = 0;
};

}  // namespace mxp
