#include "reliability/ack_frequency.h"

#include "core/packet_threshold.h"

namespace mxp {

namespace {

// Below this round trip the peer is left to its own policy for how many packets it acknowledges at a time. Its timers
// are coarser than a quarter of that: where the window shrank below the packets that were asked for, every window would
// wait for a timer. But a lone packet that is lost costs the time that its ACK may be held back (RFC 9002 §6.2.1), so
// that is asked to be short.
constexpr Duration kLeastRoundTrip = std::chrono::milliseconds(20);
// Our choice: below this one, what was asked for on a longer one is taken back.
constexpr Duration kLeastWhileAsked = std::chrono::milliseconds(15);

// Whether the peer does twice or half of what is wanted.
template <typename T>
bool is_far(T wanted, T asked) {
  return wanted >= 2 * asked || 2 * wanted <= asked;
}

}  // namespace

void AckFrequency::on_peer_parameters(std::optional<Duration> min_ack_delay, Duration max_ack_delay) {
  min_ack_delay_ = min_ack_delay;
  announced_delay_ = asked_delay_ = agreed_delay_ = max_ack_delay;
}

bool AckFrequency::is_near(Duration round_trip) const {
  const bool own_policy = asked_packets_ == AckTracker::kInterval && asked_order_ == Order::mixed;
  return round_trip < (own_policy ? kLeastRoundTrip : kLeastWhileAsked);
}

std::optional<AckFrequencyFrame> AckFrequency::request_due(Timestamp now, PacketNumber next, const PathControl& path,
                                                           Order order) const {
  if (!min_ack_delay_ || next.value() < AckTracker::kEarlyPackets) return std::nullopt;
  const Duration round_trip = path.rtt().measured();
  if (!path.rtt().has_sample() || now < asked_at_ + round_trip) return std::nullopt;
  const bool near = is_near(round_trip);
  const std::uint64_t acks = path.in_slow_start() ? 2 * kAcksPerWindow : kAcksPerWindow;
  const std::uint64_t packets =
      near ? AckTracker::kInterval
           : std::clamp(path.congestion_window() / (acks * path.datagram_size()), kMinPackets, kMaxPackets);
  if (near) order = Order::mixed;  // as the peer does without a request
  const Duration delay = std::max(*min_ack_delay_, std::min(announced_delay_, std::max(round_trip / 4, kMinDelay)));
  if (!ask_again_ && !is_far<std::uint64_t>(packets, asked_packets_) && !is_far(delay, asked_delay_) &&
      order == asked_order_)
    return std::nullopt;
  return AckFrequencyFrame{.sequence = next_sequence_,
                           .threshold = packets - 1,
                           .max_ack_delay = std::chrono::ceil<std::chrono::microseconds>(delay),
                           .reordering_threshold = order == Order::kept ? kPacketThreshold : 1};
}

void AckFrequency::on_sent(Timestamp now, const AckFrequencyFrame& frame) {
  next_sequence_ = frame.sequence + 1;
  asked_packets_ = static_cast<std::uint32_t>(frame.threshold + 1);
  agreed_delay_ = peer_max_ack_delay();
  asked_delay_ = frame.max_ack_delay;
  asked_order_ = frame.reordering_threshold == 1 ? Order::mixed : Order::kept;
  asked_at_ = now;
  ask_again_ = false;
}

void AckFrequency::on_acknowledged(std::uint64_t sequence) {
  if (sequence + 1 == next_sequence_) agreed_delay_ = asked_delay_;
}

void AckFrequency::on_lost(std::uint64_t sequence) {
  if (sequence + 1 == next_sequence_) ask_again_ = true;
}

}  // namespace mxp
