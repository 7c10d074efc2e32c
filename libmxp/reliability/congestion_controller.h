// The interface of a congestion control algorithm. It decides how many bytes may be in flight (the window) and how fast
// they are sent (the pacing rate).
//
// Recovery calls on_packet_sent for each packet in flight. For each ACK or timeout that changes something it calls
// first on_loss, if packets were declared lost, and then on_ack, if packets were acknowledged. Both samples describe
// the same moment: `in_flight_before` is counted before this ACK was looked at. Nothing else is called for each packet.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "mxp/config.h"
#include "mxp/ids.h"
#include "mxp/rate.h"
#include "mxp/time.h"
#include "reliability/outcome.h"
#include "reliability/rate_sampler.h"
#include "reliability/rtt_estimator.h"
#include "reliability/sent_packet.h"

namespace mxp {

// What one ACK tells the algorithm.
struct AckSample {
  Timestamp now;
  std::span<const SentPacket> acknowledged;  // the newly acknowledged packets; not empty
  std::uint64_t bytes = 0;                   // of those that were in flight
  PacketNumber largest;                      // the largest number of them
  Timestamp largest_sent_at{};               // of that packet
  bool rtt_sampled = false;                  // whether `rtt` took a sample from this ACK
  bool app_limited = false;                  // something else than the window held the sender back: it must not grow
  std::uint64_t in_flight_before = 0;        // bytes
  std::uint64_t in_flight = 0;               // bytes, with what was acknowledged and lost taken off
  RateSample rate;
  // Packets that routers marked CE, newly reported, on a path whose marks are believed. It means the same as the loss
  // of the packet `largest` (RFC 9002 §B.7): at most one cut for each round trip.
  std::uint64_t ecn_ce = 0;
};

// What one detection of losses tells the algorithm.
struct LossSample {
  Timestamp now;
  std::span<const LostPacket> lost;    // ascending; includes packets that were not in flight
  std::uint64_t bytes = 0;             // of those in flight, more than 0
  std::uint64_t packets = 0;           // of those in flight
  Timestamp latest_sent_at;            // of those in flight
  std::uint64_t in_flight_before = 0;  // bytes
  std::uint64_t total_lost = 0;        // bytes declared lost on this path so far, these included
};

class CongestionController {
 public:
  virtual ~CongestionController() = default;

  // `in_flight_before` is in bytes and does not include this packet. Returns whether the pacing rate is another one now.
  virtual bool on_packet_sent(const SentPacket& packet, std::uint64_t in_flight_before) = 0;
  virtual void on_ack(const AckSample& sample, const RttEstimator& rtt) = 0;
  // Returns whether a new loss episode began. It did not if the latest lost packet belongs to the round trip of an
  // earlier cut (RFC 9002 §7.3.2), or if the algorithm does not take this loss for congestion.
  virtual bool on_loss(const LossSample& sample, const RttEstimator& rtt) = 0;
  // RFC 9002 §7.6.2.
  virtual void on_persistent_congestion() = 0;
  // One more packet of the latest episode arrived after all; by now `late` of its `lost` packets have. If enough of
  // them arrive, it was no congestion, and what the episode cut is given back: CUBIC and NewReno do this when all have
  // arrived, BBR when half of them have, or when what is still lost would not have been called congestion.
  virtual void on_late_arrival(std::uint64_t late, std::uint64_t lost) = 0;
  // The handshake has measured a round trip, and nothing was sent yet: packets can be spread over it.
  virtual void on_handshake_round_trip() {}
  // The connection sends data that must not wait behind others. Called at most once in a second.
  virtual void on_urgent_data(Timestamp) {}
  // Full datagrams have this size from now on. It is the unit in which windows grow and shrink, and it sets their
  // minimum. Before anything is sent, the initial window follows it (RFC 9002 §7.2); later the window in bytes stays.
  virtual void on_datagram_size(std::size_t bytes) = 0;

  virtual std::uint64_t window() const = 0;  // bytes; at least two datagrams
  virtual bool in_slow_start() const = 0;
  // Zero means that packets are not paced.
  virtual ByteRate pacing_rate(const RttEstimator& rtt) const = 0;

  // Another one that knows the same.
  virtual std::unique_ptr<CongestionController> clone() const = 0;
};

// RFC 9002 §7.2: bytes that may be in flight before anything is known of the path.
std::uint64_t initial_window(std::size_t max_datagram_bytes);

std::unique_ptr<CongestionController> make_congestion_controller(CongestionControl algorithm,
                                                                 std::size_t max_datagram_bytes, bool paced);

}  // namespace mxp
