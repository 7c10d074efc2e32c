// A Recovery with the habits of a connection: numbers its packets, and keeps track of nothing else.
#pragma once

#include <cstdint>
#include <vector>

#include "reliability/recovery.h"
#include "unit/reliability/ack_of.h"

namespace mxp::testing {

inline constexpr std::size_t kDatagram = 1200;
inline Timestamp at(Duration since_start) { return Timestamp(since_start); }

inline RecoveryConfig unpaced() {
  RecoveryConfig config;
  config.pacing = false;
  config.congestion_control = CongestionControl::cubic;
  return config;
}

struct Sender {
  explicit Sender(const RecoveryConfig& config = unpaced()) : path(PathId::first, config, kDatagram), recovery(path) {}

  std::uint64_t send(Timestamp now, std::uint32_t bytes = kDatagram, bool eliciting = true, bool probe = false) {
    recovery.on_packet_sent({.number = PacketNumber(next),
                             .sent_at = now,
                             .frames_begin = next,
                             .frames_count = 1,
                             .size_bytes = bytes,
                             .ack_eliciting = eliciting,
                             .in_flight = eliciting,
                             .kind = probe ? PacketKind::loss_probe : PacketKind::ordinary});
    return next++;
  }
  void send_many(Timestamp now, unsigned count) {
    for (unsigned i = 0; i < count; ++i) send(now);
  }
  // What the outcome's spans say, copied.
  struct Settled {
    std::vector<std::uint64_t> acknowledged, lost;
    std::vector<LossReason> reasons;
    std::uint64_t spurious = 0;
    bool persistent_congestion = false;
    std::optional<Duration> rtt_sample;
  };
  Settled copy(const Outcome& outcome) {
    Settled settled{.acknowledged = {},
                    .lost = {},
                    .reasons = {},
                    .spurious = outcome.spurious,
                    .persistent_congestion = outcome.persistent_congestion,
                    .rtt_sample = outcome.rtt_sample};
    for (const auto& packet : outcome.acknowledged) settled.acknowledged.push_back(packet.number.value());
    packets_spuriously_lost += outcome.spurious;
    persistent_congestion_count += outcome.persistent_congestion ? 1 : 0;
    for (const auto& it : outcome.lost) {
      packets_lost += it.packet.in_flight ? 1 : 0;
      settled.lost.push_back(it.packet.number.value());
      settled.reasons.push_back(it.reason);
    }
    return settled;
  }
  // REQUIRES: the ACK is sound.
  Settled ack(Timestamp now, const AckFrame& frame) { return copy(recovery.on_ack(now, frame).value()); }
  Settled ack(Timestamp now, std::initializer_list<AckRange> ranges, Duration delay = {}) {
    return ack(now, AckOf(ranges, delay));
  }
  Settled deadline(Timestamp now) {
    const unsigned before = recovery.pto_count();
    const Settled settled = copy(recovery.on_deadline(now));
    probe_timeouts += recovery.pto_count() - before;
    return settled;
  }

  PathControl path;
  Recovery recovery;
  std::uint64_t next = 0;
  // Sums over all outcomes.
  std::uint64_t packets_lost = 0;  // in flight
  std::uint64_t packets_spuriously_lost = 0;
  std::uint64_t persistent_congestion_count = 0;
  std::uint64_t probe_timeouts = 0;
};

using Numbers = std::vector<std::uint64_t>;

}  // namespace mxp::testing
