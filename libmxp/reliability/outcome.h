// What one ACK or one timeout settled. The spans point into buffers of Recovery, which its next call reuses.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "mxp/trace.h"
#include "reliability/sent_packet.h"

namespace mxp {

struct LostPacket {
  SentPacket packet;
  LossReason reason = LossReason::reordering;
};

struct Outcome {
  std::span<const SentPacket> acknowledged;  // newly; ascending in each range, the ranges from the highest down
  std::span<const LostPacket> lost;          // ascending; includes packets of ACK frames alone (in_flight = false)
  std::uint64_t spurious = 0;  // packets that had been declared lost and are acknowledged now; not in `acknowledged`
  bool persistent_congestion = false;  // RFC 9002 §7.6: the window fell to its minimum
  std::optional<Duration> rtt_sample;  // the sample that this ACK gave, acknowledgement delay included
};

}  // namespace mxp
