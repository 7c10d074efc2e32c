// The interface of a congestion control algorithm. It decides how many bytes may be in flight (the window) and how fast
// they are sent (the pacing rate). Recovery calls on_packet_sent for each packet in flight and on_ack once for each ACK
// frame that acknowledges something new. Nothing else is called for each packet.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "mxp/config.h"
#include "mxp/ids.h"
#include "mxp/rate.h"
#include "mxp/time.h"
#include "reliability/rtt_estimator.h"
#include "reliability/sent_packet.h"

namespace mxp {

// What one ACK says to it.
struct AckSample {
  Timestamp now;
  std::span<const SentPacket> acknowledged;  // newly, not empty
  std::uint64_t bytes = 0;                   // of those in flight
  PacketNumber largest;                      // of the newly acknowledged
  bool rtt_sampled = false;                  // whether `rtt` took a sample from this ACK
  bool app_limited = false;                  // the window was not what held the sender back: it must not grow
};

class CongestionController {
 public:
  virtual ~CongestionController() = default;

  virtual void on_packet_sent(const SentPacket& packet) = 0;
  virtual void on_ack(const AckSample& sample, const RttEstimator& rtt) = 0;
  // A loss; `sent_at` of the latest lost packet. Returns whether the window was cut: false if that packet belongs to
  // the round trip of an earlier cut (RFC 9002 §7.3.2).
  virtual bool on_congestion_event(Timestamp now, Timestamp sent_at) = 0;
  // RFC 9002 §7.6.2.
  virtual void on_persistent_congestion() = 0;
  // All losses behind the latest cut were late arrivals: take it back.
  virtual void on_spurious_congestion_event() = 0;

  virtual std::uint64_t window() const = 0;  // bytes, at least two datagrams
  virtual bool in_slow_start() const = 0;
  // Zero: do not pace.
  virtual ByteRate pacing_rate(const RttEstimator& rtt) const = 0;
};

std::unique_ptr<CongestionController> make_congestion_controller(CongestionControl algorithm,
                                                                 std::size_t max_datagram_bytes, bool paced);

}  // namespace mxp
