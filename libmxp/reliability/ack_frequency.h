// How often the peer should acknowledge, and when to ask it for that: the sender's side of ACK_FREQUENCY
// (docs/protocol.md §6; draft-ietf-quic-ack-frequency).
//
// A receiver cannot know how many packets are under way, so a fixed number of packets for each ACK suits few paths.
// Too few ACKs starve a small window; too many cost processing time on a fast path, and on a thin return path (100
// Mbit/s one way, 250 kbit/s the other) they fill it and delay each other. What the sender needs is a number of ACKs
// for each round trip, whatever the rate. So it asks for one in every so many packets:
//
//     packets = window / (16 datagrams), half of that in slow start; at least 2, at most 128
//     delay   = round trip / 4, but 5 ms at least, and never more than the peer's own max_ack_delay
//
// A window of BBR is two products of rate and round trip, and what was asked for may be twice what is wanted by now,
// so at least four ACKs come in each round trip. Slow start gets twice as many: HyStart++ wants eight samples (RFC
// 9406 §4.2), and BBR loses less of a shallow queue when it sees early that its rate no longer grows.
//
// A gap is told at once when it is as wide as our packet threshold, so that the ACK finds the loss. A narrower one
// costs an ACK that says nothing yet. But where packets overtake others by far, every late one is told at once: the
// round trip of most packets shows only in the samples of those (recovery.cpp).
//
// A request is a frame of about nine bytes in a packet with data. One is sent only when what is wanted has become
// twice or half of what the peer does, or the order of packets has changed, at most once in a round trip, and not for
// the first packets, of which the peer acknowledges every second one by itself. On round trips below 20 ms, of which a
// timer is no small part, only the delay is asked for: the probe timeout of a lone packet holds it (RFC 9002 §6.2.1).
// What was asked for on a longer one is taken back below 15 ms, so that a round trip that varies about 20 ms does not
// change its mind again and again.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>

#include "core/frames.h"
#include "mxp/time.h"
#include "reliability/ack_tracker.h"
#include "reliability/path_control.h"

namespace mxp {

class AckFrequency {
 public:
  // `min_ack_delay`: of the peer's parameters; nothing: it takes no requests. `max_ack_delay`: what it announced.
  void on_peer_parameters(std::optional<Duration> min_ack_delay, Duration max_ack_delay);
  // Whether the peer takes ACK_FREQUENCY and IMMEDIATE_ACK.
  bool peer_takes_requests() const { return min_ack_delay_.has_value(); }

  // What should be asked for now, if anything. `next`: the number of the next packet. `order`: how packets arrive.
  enum class Order : std::uint8_t { kept, mixed };
  std::optional<AckFrequencyFrame> request_due(Timestamp now, PacketNumber next, const PathControl& path,
                                               Order order) const;
  // What request_due() said went out.
  void on_sent(Timestamp now, const AckFrequencyFrame& frame);
  // Those of older requests change nothing.
  void on_acknowledged(std::uint64_t sequence);
  void on_lost(std::uint64_t sequence);

  // How long the peer may hold an ACK back. Until a request is acknowledged, it may do as it did before.
  Duration peer_max_ack_delay() const { return std::max(agreed_delay_, asked_delay_); }
  // What its parameters said, whatever was asked for since.
  Duration announced_max_ack_delay() const { return announced_delay_; }

 private:
  static constexpr std::uint64_t kAcksPerWindow = 16;
  static constexpr std::uint64_t kMinPackets = 2;
  static constexpr std::uint64_t kMaxPackets = 128;  // what one ACK releases should not overrun anybody's buffers
  static constexpr Duration kMinDelay = std::chrono::milliseconds(5);  // what timers of busy machines keep

  // Whether the peer is left to its own policy but for the delay.
  bool is_near(Duration round_trip) const;

  std::optional<Duration> min_ack_delay_;
  Duration announced_delay_ = std::chrono::milliseconds(25);
  std::uint64_t next_sequence_ = 0;
  Duration asked_delay_ = announced_delay_;
  Duration agreed_delay_ = announced_delay_;
  Timestamp asked_at_ = Timestamp::min();
  std::uint32_t asked_packets_ = AckTracker::kInterval;  // for each ACK, as of the latest request
  Order asked_order_ = Order::mixed;                     // as the peer does without a request
  bool ask_again_ = false;                               // the latest request was lost
};

}  // namespace mxp
