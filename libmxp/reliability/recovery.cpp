// The flow of an ACK: check everything before changing anything → settle each range → counts of ECN marks → RTT sample
// → losses → window → timers.
#include "reliability/recovery.h"

#include <algorithm>
#include <iterator>

namespace mxp {
namespace {

// RFC 9002 §7.6.1.
constexpr int kPersistentCongestionThreshold = 3;
// Our choice: probe timeouts for which a lost packet is remembered, so that its late arrival is recognised.
constexpr int kRememberLostTimeouts = 3;
// The episode of a packet that was lost while another path was in use: its late arrival takes nothing back.
constexpr std::uint32_t kNoEpisode = UINT32_MAX;

// The loss of a probe for size or for a path is no sign of congestion (RFC 9000 §14.4, docs/protocol.md §3.2).
bool tells_of_congestion(const SentPacket& packet) {
  return packet.kind != PacketKind::size_probe && packet.kind != PacketKind::path_probe;
}

}  // namespace

void Recovery::use(PathControl& path, PathControl* standby) {
  if (path.id() != path_->id()) {
    // How far packets overtake each other, and for how long the peer was silent, was true of the other path.
    loss_ = LossDetector();
    probe_timer_.on_acknowledged();
    probes_due_ = 0;
  }
  path_ = &path;
  standby_ = standby;
}

SendPermit Recovery::permit(Timestamp now) const {
  if (probes_due_ != 0) return {.bytes = path_->datagram_size(), .probe = true};  // RFC 9002 §7.5: beyond the window
  if (packets_.span() >= SentPackets::kMaxSpan / 2) return {.reason = BlockedBy::congestion};
  return path_->permit(now);
}

void Recovery::on_packet_sent(SentPacket packet) {
  PathControl* path = path_of(packet);
  if (path == nullptr) packet.path = PathId::nowhere;  // for good: what was not added is never subtracted
  else if (packet.in_flight) path->on_packet_sent(packet);
  if (packet.ecn_marked) ecn_.on_marked_sent();
  packets_.add(packet);
  if (packet.ack_eliciting) {
    ++eliciting_in_flight_;
    last_eliciting_sent_at_ = packet.sent_at;
  }
  if (packet.kind == PacketKind::loss_probe && probes_due_ != 0) --probes_due_;
}

void Recovery::on_packet_refused(PacketNumber number) {
  if (!packets_.is_outstanding(number.value())) return;
  const SentPacket& packet = packets_.packet(number.value());
  if (packet.ack_eliciting) --eliciting_in_flight_;
  forget(packet);
  packets_.mark_unsent(number.value());
}

void Recovery::on_application_limited() { path_->on_application_limited(PacketNumber(packets_.next())); }

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
  const bool is_newest = !largest_acknowledged_ || frame.largest.value() > *largest_acknowledged_;
  acknowledged_before_ = largest_acknowledged_.value_or(0);
  largest_acknowledged_ = std::max(acknowledged_before_, frame.largest.value());
  // The first range holds the largest number: if that one is new, it is the last settled of it.
  std::optional<SentPacket> largest_new;
  for (const AckRange& range : frame.ranges) {
    settle_range(range, now);
    if (range.last == frame.largest && !acknowledged_.empty() && acknowledged_.back().number == frame.largest) {
      largest_new = acknowledged_.back();
    }
  }

  Outcome outcome;
  outcome.acknowledged = acknowledged_;
  outcome.spurious = spurious_;
  if (acknowledged_.empty() && spurious_ == 0) return outcome;

  if (is_newest) judge_ecn_counts(frame);
  const bool rtt_sampled = eliciting_acknowledged_ && take_rtt_sample(now, largest_new, frame.delay, outcome);
  loss_.detect(packets_, now, *largest_acknowledged_, path_->rtt(), lost_);
  settle_losses(now, outcome);  // before the window grows: RFC 9002 §A.7
  if (others_acknowledged_) {
    std::ranges::copy_if(acknowledged_, std::back_inserter(acknowledged_on_path_),
                         [this](const SentPacket& packet) { return is_on_path(packet); });
  }
  path_->finish_ack(now, others_acknowledged_ ? acknowledged_on_path_ : acknowledged_, rtt_sampled);
  if (!acknowledged_.empty()) {
    probe_timer_.on_acknowledged();
    probes_due_ = 0;
  }
  finish(now);
  return outcome;
}

// The counts are of all paths. What grew while only unmarked packets were acknowledged is kept for an ACK of marked
// ones.
void Recovery::judge_ecn_counts(const AckFrame& frame) {
  if (std::ranges::none_of(acknowledged_, &SentPacket::ecn_marked)) return;
  ecn_ce_reported_ += path_->on_ecn_counts(ecn_.on_ack(frame.ecn));
}

void Recovery::settle_range(AckRange range, Timestamp now) {
  packets_.acknowledge(
      range.first.value(), range.last.value(),
      [this](const SentPacket& packet) {
        acknowledged_.push_back(packet);
        if (packet.number.value() < acknowledged_before_)
          loss_.on_reordering(acknowledged_before_ - packet.number.value());
        if (is_on_path(packet)) {
          path_->on_acknowledged(packet);
        } else {
          others_acknowledged_ = true;
          forget(packet);
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
  if (!is_on_path(late.packet) || late.episode == kNoEpisode) return;
  loss_.on_late_arrival(late.reason, *largest_acknowledged_ - late.packet.number.value(), now - late.packet.sent_at);
  // The loss of a probe taught nothing, so its arrival takes nothing back.
  if (tells_of_congestion(late.packet)) path_->on_late_arrival(late.packet, late.episode);
}

// RFC 9002 §5.1 samples only the largest number. Where some packets overtake all others, the largest is always one of
// those, and the estimate would be of a path that most packets do not take: so the largest of those that are newly
// acknowledged gives a sample too. An overtaken packet is acknowledged at once (docs/protocol.md §6), so that its
// sample needs no correction.
bool Recovery::take_rtt_sample(Timestamp now, std::optional<SentPacket> largest, Duration reported_delay,
                               Outcome& outcome) {
  Duration delay = handshake_confirmed_ ? std::min(reported_delay, peer_max_ack_delay_) : reported_delay;
  if (largest) {
    if (!is_on_path(*largest)) return false;
  } else {
    for (const SentPacket& packet : acknowledged_)
      if (is_on_path(packet) && (!largest || packet.number > largest->number)) largest = packet;
    if (!largest) return false;
    delay = Duration::zero();
  }
  const Duration sample = now - largest->sent_at;
  if (!path_->on_rtt_sample(now, sample, delay)) return false;
  outcome.rtt_sample = sample;
  return true;
}

void Recovery::forget(const SentPacket& packet) {
  if (!packet.in_flight) return;
  if (PathControl* path = path_of(packet)) path->forget(packet);
}

PathControl* Recovery::path_of(const SentPacket& packet) const {
  if (is_on_path(packet)) return path_;
  return standby_ != nullptr && packet.path == standby_->id() ? standby_ : nullptr;
}

void Recovery::settle_losses(Timestamp now, Outcome& outcome) {
  outcome.lost = lost_;
  const auto teaches = [this](const LostPacket& it) { return is_on_path(it.packet) && tells_of_congestion(it.packet); };
  bool others_lost = false;
  for (const LostPacket& it : lost_) {
    if (it.packet.ack_eliciting) --eliciting_in_flight_;
    if (teaches(it)) continue;
    others_lost = true;
    forget(it.packet);
  }
  if (others_lost) std::ranges::copy_if(lost_, std::back_inserter(lost_on_path_), teaches);
  const std::vector<LostPacket>& lost = others_lost ? lost_on_path_ : lost_;
  const PathControl::LossVerdict verdict = path_->on_lost(now, lost);
  if (verdict.new_episode) loss_.on_episode(verdict.previous_had_late_arrivals);
  for (const LostPacket& it : lost_) {
    const std::uint32_t episode = is_on_path(it.packet) ? path_->episode() : kNoEpisode;
    packets_.mark_lost(it.packet.number.value(), it.reason, episode);
  }

  if (lost.size() > 1 && is_persistent_congestion(packets_, lost, kPersistentCongestionThreshold * probe_timeout(),
                                                  path_->rtt().first_sample_at())) {
    outcome.persistent_congestion = true;
    path_->on_persistent_congestion();
  }
}

Timestamp Recovery::deadline() const {
  if (is_overfull()) return last_eliciting_sent_at_;
  if (loss_.loss_time()) return *loss_.loss_time();
  if (eliciting_in_flight_ == 0) return kNever;
  return probe_timer_.deadline(last_eliciting_sent_at_, path_->rtt(), peer_max_ack_delay_);
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
    settle_losses(now, outcome);
  } else if (now < deadline()) {
    return outcome;
  } else if (loss_.loss_time()) {
    loss_.detect(packets_, now, *largest_acknowledged_, path_->rtt(), lost_);
    settle_losses(now, outcome);
  } else {
    probe_timer_.on_fired(now);
    probes_due_ = kProbesPerTimeout;
    path_->on_probe_timeout(probe_timer_.count());
  }
  finish(now);
  return outcome;
}

void Recovery::begin_outcome() {
  acknowledged_.clear();
  lost_.clear();
  acknowledged_on_path_.clear();
  lost_on_path_.clear();
  spurious_ = 0;
  eliciting_acknowledged_ = false;
  others_acknowledged_ = false;
  path_->begin_update();
}

void Recovery::finish(Timestamp now) {
  packets_.trim(now - kRememberLostTimeouts * probe_timeout());
  path_->update_pacing(now);
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
  acknowledged_on_path_ = std::vector<SentPacket>();
  lost_on_path_ = std::vector<LostPacket>();
}

}  // namespace mxp
