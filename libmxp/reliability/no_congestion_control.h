// No congestion control: a fixed huge window and no pacing. It is for calibration on links that nobody shares, never
// for a network.
#pragma once

#include "reliability/congestion_controller.h"

namespace mxp {

class NoCongestionControl final : public CongestionController {
 public:
  // Less than what SentPackets can track in full packets of 1200 bytes.
  static constexpr std::uint64_t kWindow = 64u << 20;

  bool on_packet_sent(const SentPacket&, std::uint64_t) override { return false; }
  void on_ack(const AckSample&, const RttEstimator&) override {}
  bool on_loss(const LossSample&, const RttEstimator&) override { return false; }
  void on_persistent_congestion() override {}
  void on_late_arrival(std::uint64_t, std::uint64_t) override {}
  void on_datagram_size(std::size_t) override {}
  std::uint64_t window() const override { return kWindow; }
  bool in_slow_start() const override { return false; }
  std::unique_ptr<CongestionController> clone() const override { return std::make_unique<NoCongestionControl>(*this); }
  ByteRate pacing_rate(const RttEstimator&) const override { return ByteRate{}; }
};

}  // namespace mxp
