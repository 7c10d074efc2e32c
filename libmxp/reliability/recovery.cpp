// The flow of an ACK: check everything before changing anything → settle each range → RTT sample → losses → window →
// timers.
#include "reliability/recovery.h"

#include <algorithm>

namespace mxp {
namespace {

// RFC 9002 §7.6.1.
constexpr int kPersistentCongestionThreshold = 3;
// Our choice: probe timeouts for which a lost packet is remembered, so that its late arrival is recognised.
constexpr int kRememberLostTimeouts = 3;

bool is_paced(const RecoveryConfig& config) {
  return config.pacing && config.congestion_control != CongestionControl::none;
}

}  // namespace

Recovery::Recovery(const RecoveryConfig& config, std::size_t max_datagram_bytes)
    : max_datagram_bytes_(max_datagram_bytes),
      rtt_(config.initial_rtt),
      pacer_(max_datagram_bytes, is_paced(config)),
      controller_(make_congestion_controller(config.congestion_control, max_datagram_bytes, is_paced(config))) {
  pacer_.set_rate(Timestamp::min(), controller_->pacing_rate(rtt_));
}

void Recovery::set_datagram_size(Timestamp now, std::size_t bytes) {
  if (bytes == max_datagram_bytes_) return;
  max_datagram_bytes_ = bytes;
  controller_->on_datagram_size(bytes);
  pacer_.set_datagram_size(now, bytes);
  update_pacing(now);
}

void Recovery::seed_rtt(Timestamp now, Duration round_trip) {
  if (rtt_.has_sample()) return;
  rtt_.on_sample(now, round_trip, Duration::zero());
  update_pacing(now);
}

SendPermit Recovery::permit(Timestamp now) const {
  if (probes_due_ != 0) return {.bytes = max_datagram_bytes_, .probe = true};  // RFC 9002 §7.5: beyond the window

  const std::uint64_t window = controller_->window();
  if (in_flight_bytes_ + max_datagram_bytes_ > window || packets_.span() >= SentPackets::kMaxSpan / 2) {
    return {.reason = BlockedBy::congestion};
  }
  const std::uint64_t room = window - in_flight_bytes_;
  const std::uint64_t credit = pacer_.available(now);
  // A sender that waits is woken for a batch, not for a packet; but never made to wait for more than it may send.
  const std::uint64_t worth_waking =
      std::min({pacer_.quantum(), room, std::max<std::uint64_t>(window / 4, max_datagram_bytes_)});
  if (credit < worth_waking) return {.reason = BlockedBy::pacing, .retry_at = pacer_.ready_at(now, worth_waking)};
  return {.bytes = std::min(room, credit)};
}

void Recovery::on_packet_sent(SentPacket packet) {
  if (packet.in_flight) {
    packet.delivery = sampler_.on_packet_sent(packet.sent_at, in_flight_bytes_, packet.size_bytes);
    controller_->on_packet_sent(packet, in_flight_bytes_);
    // After a pause the algorithm may want another rate at once, not only with the first ACK.
    if (in_flight_bytes_ == 0) update_pacing(packet.sent_at);
    pacer_.on_sent(packet.sent_at, packet.size_bytes);
    in_flight_bytes_ += packet.size_bytes;
  }
  packets_.add(packet);
  if (packet.ack_eliciting) {
    ++eliciting_in_flight_;
    last_eliciting_sent_at_ = packet.sent_at;
  }
  if (packet.probe && probes_due_ != 0) --probes_due_;
}

void Recovery::on_application_limited() {
  // Nearly full counts as full: a sender that refills in small steps is limited by the window all the same.
  const std::uint64_t window = controller_->window();
  if (in_flight_bytes_ + std::max<std::uint64_t>(window / 8, max_datagram_bytes_) > window) return;
  app_limited_until_ = packets_.next();
  sampler_.on_application_limited(packets_.next());
}

std::expected<void, TransportError> Recovery::check(const AckFrame& frame) const {
  for (const AckRange& range : frame.ranges) {
    if (!packets_.were_sent(range.first.value(), range.last.value())) {
      return std::unexpected(TransportError{TransportErrorCode::protocol_violation, frame_type::kAck,
                                            "acknowledgement of a packet that was never sent"});
    }
  }
  return {};
}

std::expected<Outcome, TransportError> Recovery::on_ack(Timestamp now, const AckFrame& frame) {
  if (const auto sound = check(frame); !sound) return std::unexpected(sound.error());

  begin_outcome();
  const std::uint64_t in_flight_before = in_flight_bytes_;
  acknowledged_before_ = largest_acknowledged_.value_or(0);
  largest_acknowledged_ = std::max(acknowledged_before_, frame.largest.value());
  // The first range holds the largest number: if that one is new, it is the last settled of it.
  std::optional<SentPacket> largest_new;
  for (const AckRange& range : frame.ranges) {
    settle_range(now, range);
    if (range.last == frame.largest && !acknowledged_.empty() && acknowledged_.back().number == frame.largest) {
      largest_new = acknowledged_.back();
    }
  }

  Outcome outcome;
  outcome.acknowledged = acknowledged_;
  outcome.spurious = spurious_;
  if (acknowledged_.empty() && spurious_ == 0) return outcome;

  if (largest_new && eliciting_acknowledged_) outcome.rtt_sample = take_rtt_sample(now, *largest_new, frame.delay);
  else if (eliciting_acknowledged_) outcome.rtt_sample = take_overtaken_sample(now);
  loss_.detect(packets_, now, *largest_acknowledged_, rtt_, lost_);
  settle_losses(now, in_flight_before, outcome);  // before the window grows: RFC 9002 §A.7
  if (acknowledged_bytes_ != 0) {
    controller_->on_ack({.now = now,
                         .acknowledged = acknowledged_,
                         .bytes = acknowledged_bytes_,
                         .largest = largest_newly_acknowledged_,
                         .rtt_sampled = outcome.rtt_sample.has_value(),
                         .app_limited = is_application_limited(in_flight_before),
                         .in_flight_before = in_flight_before,
                         .in_flight = in_flight_bytes_,
                         .rate = sampler_.finish_ack(now)},
                        rtt_);
  }
  if (!acknowledged_.empty()) {
    probe_timer_.on_acknowledged();
    probes_due_ = 0;
  }
  finish(now);
  return outcome;
}

void Recovery::settle_range(Timestamp now, AckRange range) {
  packets_.acknowledge(
      range.first.value(), range.last.value(),
      [this](const SentPacket& packet) {
        acknowledged_.push_back(packet);
        largest_newly_acknowledged_ = std::max(largest_newly_acknowledged_, packet.number);
        if (packet.number.value() < acknowledged_before_)
          loss_.on_reordering(acknowledged_before_ - packet.number.value());
        if (packet.in_flight) {
          in_flight_bytes_ -= packet.size_bytes;
          acknowledged_bytes_ += packet.size_bytes;
          sampler_.on_acknowledged(packet);
        }
        if (packet.ack_eliciting) {
          --eliciting_in_flight_;
          eliciting_acknowledged_ = true;
        }
      },
      [this, now](const SentPackets::Late& late) { settle_late(now, late); });
}

void Recovery::settle_late(Timestamp now, const SentPackets::Late& late) {
  if (!late.packet.in_flight) return;
  ++spurious_;
  sampler_.on_late_arrival(late.packet.size_bytes);
  loss_.on_late_arrival(late.reason, *largest_acknowledged_ - late.packet.number.value(), now - late.packet.sent_at);
  if (late.episode != episode_) return;
  controller_->on_late_arrival(++episode_spurious_, episode_lost_);
}

std::optional<Duration> Recovery::take_rtt_sample(Timestamp now, const SentPacket& largest, Duration reported_delay) {
  const Duration sample = now - largest.sent_at;
  const Duration delay = handshake_confirmed_ ? std::min(reported_delay, peer_max_ack_delay_) : reported_delay;
  if (!rtt_.on_sample(now, sample, delay)) return std::nullopt;
  return sample;
}

// Beyond RFC 9002 §5.1, which samples only the largest number: where some packets overtake all others, the largest is
// always one of those, and the estimate would be of a path that most packets do not take. An overtaken packet is
// acknowledged at once (docs/protocol.md §6), so that its sample needs no correction.
std::optional<Duration> Recovery::take_overtaken_sample(Timestamp now) {
  for (auto packet = acknowledged_.rbegin(); packet != acknowledged_.rend(); ++packet) {
    if (packet->number != largest_newly_acknowledged_) continue;
    if (!rtt_.on_sample(now, now - packet->sent_at, Duration::zero())) return std::nullopt;
    return now - packet->sent_at;
  }
  return std::nullopt;
}

void Recovery::settle_losses(Timestamp now, std::uint64_t in_flight_before, Outcome& outcome) {
  outcome.lost = lost_;
  std::uint64_t in_flight_lost = 0;
  std::uint64_t bytes_lost = 0;
  Timestamp latest = Timestamp::min();
  for (const LostPacket& it : lost_) {
    if (it.packet.ack_eliciting) --eliciting_in_flight_;
    if (!it.packet.in_flight) continue;
    in_flight_bytes_ -= it.packet.size_bytes;
    bytes_lost += it.packet.size_bytes;
    latest = std::max(latest, it.packet.sent_at);
    ++in_flight_lost;
  }
  sampler_.on_lost(bytes_lost);
  if (in_flight_lost != 0 && controller_->on_loss({.now = now,
                                                   .lost = lost_,
                                                   .bytes = bytes_lost,
                                                   .packets = in_flight_lost,
                                                   .latest_sent_at = latest,
                                                   .in_flight_before = in_flight_before,
                                                   .total_lost = sampler_.lost()},
                                                  rtt_)) {
    loss_.on_episode(episode_spurious_ != 0);
    ++episode_;
    episode_lost_ = episode_spurious_ = 0;
  }
  episode_lost_ += in_flight_lost;
  for (const LostPacket& it : lost_) packets_.mark_lost(it.packet.number.value(), it.reason, episode_);

  if (in_flight_lost > 1 && is_persistent_congestion(packets_, lost_, kPersistentCongestionThreshold * probe_timeout(),
                                                     rtt_.first_sample_at())) {
    outcome.persistent_congestion = true;
    controller_->on_persistent_congestion();
    rtt_.on_persistent_congestion();
  }
}

Timestamp Recovery::deadline() const {
  if (is_overfull()) return last_eliciting_sent_at_;
  if (loss_.loss_time()) return *loss_.loss_time();
  if (eliciting_in_flight_ == 0) return kNever;
  return probe_timer_.deadline(last_eliciting_sent_at_, rtt_, peer_max_ack_delay_);
}

Outcome Recovery::on_deadline(Timestamp now) {
  begin_outcome();
  Outcome outcome;
  if (is_overfull()) {
    // The peer acknowledges later packets, or sends us so much, and never acknowledges this one: threat t03.
    for (std::uint64_t number = packets_.first_outstanding(); packets_.next() - number > SentPackets::kMaxSpan;
         number = packets_.first_outstanding(number + 1)) {
      lost_.push_back({packets_.packet(number), LossReason::time});
    }
    settle_losses(now, in_flight_bytes_, outcome);
  } else if (now < deadline()) {
    return outcome;
  } else if (loss_.loss_time()) {
    loss_.detect(packets_, now, *largest_acknowledged_, rtt_, lost_);
    settle_losses(now, in_flight_bytes_, outcome);
  } else {
    probe_timer_.on_fired(now);
    probes_due_ = kProbesPerTimeout;
  }
  finish(now);
  return outcome;
}

void Recovery::begin_outcome() {
  acknowledged_.clear();
  lost_.clear();
  acknowledged_bytes_ = 0;
  spurious_ = 0;
  eliciting_acknowledged_ = false;
  largest_newly_acknowledged_ = PacketNumber{};
}

void Recovery::finish(Timestamp now) {
  packets_.trim(now - kRememberLostTimeouts * probe_timeout());
  update_pacing(now);
}

void Recovery::update_pacing(Timestamp now) { pacer_.set_rate(now, controller_->pacing_rate(rtt_)); }

bool Recovery::is_application_limited(std::uint64_t in_flight_before) const {
  // Half: in slow start a window is sent in the time in which half of it is acknowledged. This holds even where nobody
  // calls on_application_limited().
  return 2 * in_flight_before < controller_->window() || largest_newly_acknowledged_.value() < app_limited_until_;
}

std::optional<std::uint64_t> Recovery::oldest_frames_begin() const {
  std::optional<std::uint64_t> begin;
  packets_.for_each_outstanding([&](const SentPacket& packet) {
    begin = packet.frames_begin;
    return false;
  });
  return begin;
}

std::optional<PacketNumber> Recovery::largest_acknowledged() const {
  if (!largest_acknowledged_) return std::nullopt;
  return PacketNumber(*largest_acknowledged_);
}

void Recovery::shrink() {
  packets_.shrink();
  acknowledged_ = std::vector<SentPacket>();
  lost_ = std::vector<LostPacket>();
}

}  // namespace mxp
