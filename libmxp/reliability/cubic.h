// CUBIC (RFC 9438), with HyStart++ (RFC 9406) to end slow start. The window is counted in bytes; what the formulas call
// segments are full-size datagrams.
#pragma once

#include <cstdint>
#include <optional>

#include "reliability/congestion_controller.h"
#include "reliability/hystart.h"

namespace mxp {

// RFC 9438 §4.1 and §4.2: the curve by itself, in segments and seconds.
struct CubicCurve {
  static constexpr double kC = 0.4;
  static constexpr double kBeta = 0.7;
  // RFC 9438 §4.3: makes the Reno-friendly estimate as aggressive on average as Reno itself.
  static constexpr double kRenoAlpha = 3.0 * (1.0 - kBeta) / (1.0 + kBeta);

  double w_max = 0.0;  // segments; the height of the plateau
  double k = 0.0;      // seconds until the plateau is reached

  // The curve that starts at `start` segments and has its plateau at `plateau`. It is flat at once if `plateau` <=
  // `start`.
  static CubicCurve from(double start, double plateau);
  double at(double seconds) const;
};

class Cubic final : public CongestionController {
 public:
  Cubic(std::size_t max_datagram_bytes, bool paced);

  bool on_packet_sent(const SentPacket& packet, std::uint64_t in_flight_before) override;
  void on_ack(const AckSample& sample, const RttEstimator& rtt) override;
  bool on_loss(const LossSample& sample, const RttEstimator& rtt) override;
  void on_persistent_congestion() override;
  void on_late_arrival(std::uint64_t late, std::uint64_t lost) override;
  void on_datagram_size(std::size_t bytes) override;
  std::uint64_t window() const override { return static_cast<std::uint64_t>(state_.window); }
  bool in_slow_start() const override { return state_.window < state_.slow_start_threshold; }
  ByteRate pacing_rate(const RttEstimator& rtt) const override;
  std::unique_ptr<CongestionController> clone() const override { return std::make_unique<Cubic>(*this); }

 private:
  // Everything that a cut changes, so that a cut that proves wrong is undone by putting this back.
  struct State {
    double window = 0.0;                // bytes
    double slow_start_threshold = 0.0;  // bytes
    double plateau = 0.0;               // bytes: W_max of the latest cut, fast convergence included
    double window_before_cut = 0.0;     // bytes: cwnd_prior
    bool in_epoch = false;  // congestion avoidance has begun since the latest cut; the rest is of this epoch
    Timestamp epoch_start{};
    double reno_window = 0.0;  // bytes: W_est
    CubicCurve curve;
  };

  // Cuts, unless this belongs to the round trip of an earlier cut. Whether it did.
  bool cut(Timestamp now, Timestamp sent_at);
  std::uint64_t bytes_after_recovery(const AckSample& sample) const;
  void slow_start(std::uint64_t bytes, const AckSample& sample, const RttEstimator& rtt);
  void avoid_congestion(std::uint64_t bytes, Timestamp now, const RttEstimator& rtt);
  double minimum_window() const { return 2.0 * segment_; }  // RFC 9002 §7.2

  double segment_;  // bytes
  bool paced_;
  State state_;
  State before_cut_;
  bool can_undo_ = false;
  std::optional<Timestamp>
      recovery_start_;  // the latest cut: packets sent until then neither cut again nor grow the window
  Timestamp last_growth_at_{};
  std::uint64_t next_number_ = 0;
  HyStart hystart_;
};

}  // namespace mxp
