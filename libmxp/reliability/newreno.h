// NewReno as described in RFC 9002 §7 and Appendix B. The other algorithms are compared with it.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>

#include "reliability/congestion_controller.h"

namespace mxp {

class NewReno final : public CongestionController {
 public:
  NewReno(std::size_t max_datagram_bytes, bool paced);

  bool on_packet_sent(const SentPacket&, std::uint64_t) override {
    anything_sent_ = true;
    return false;
  }
  void on_ack(const AckSample& sample, const RttEstimator& rtt) override;
  bool on_loss(const LossSample& sample, const RttEstimator& rtt) override;
  void on_persistent_congestion() override;
  void on_late_arrival(std::uint64_t late, std::uint64_t lost) override;
  void on_datagram_size(std::size_t bytes) override;
  std::uint64_t window() const override { return window_; }
  bool in_slow_start() const override { return window_ < slow_start_threshold_; }
  ByteRate pacing_rate(const RttEstimator& rtt) const override;
  std::unique_ptr<CongestionController> clone() const override { return std::make_unique<NewReno>(*this); }

 private:
  // Cuts, unless this belongs to the round trip of an earlier cut. Whether it did.
  bool cut(Timestamp now, Timestamp sent_at);
  std::uint64_t minimum_window() const { return 2 * segment_; }  // RFC 9002 §7.2

  std::uint64_t segment_;  // bytes
  bool paced_;
  bool anything_sent_ = false;
  std::uint64_t window_;  // bytes
  std::uint64_t slow_start_threshold_ = std::numeric_limits<std::uint64_t>::max();
  std::uint64_t acknowledged_ = 0;  // bytes since the window last grew, in congestion avoidance
  std::uint64_t window_before_cut_ = 0;
  std::uint64_t threshold_before_cut_ = 0;
  std::optional<Timestamp> recovery_start_;  // packets sent until then neither cut again nor grow the window
};

}  // namespace mxp
