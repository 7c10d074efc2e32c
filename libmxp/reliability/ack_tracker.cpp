#include "reliability/ack_tracker.h"

#include <algorithm>
#include <limits>

#include "core/work.h"

namespace mxp {

void AckTracker::on_packet_received(Timestamp now, PacketNumber number, bool ack_eliciting, Ecn ecn) {
  const std::uint64_t expected = ranges_.empty() ? 0 : ranges_[0].last.value() + 1;
  if (!record(number.value())) return;

  something_new_ = true;
  if (number.value() >= expected) {
    largest_received_at_ = now;
  } else {
    lowest_late_ = std::min(lowest_late_.value_or(number.value()), number.value());
    late_mark_ = expected - 1;
  }
  ecn_.ect0 += ecn == Ecn::ect0 ? 1 : 0;
  ecn_.ect1 += ecn == Ecn::ect1 ? 1 : 0;
  ecn_.ce += ecn == Ecn::ce ? 1 : 0;
  if (!ack_eliciting) return;  // it gets no ACK of its own, or two idle peers would answer each other for ever

  receive_times_.on_packet_received(now, number);
  if (eliciting_waiting_++ == 0) waiting_since_ = now;
  ++eliciting_received_;
  const std::uint64_t ours = eliciting_received_ <= kEarlyPackets ? kEarlyInterval : kInterval;
  const bool enough = next_sequence_ != 0 ? eliciting_waiting_ > threshold_ : eliciting_waiting_ >= ours;
  // If the path is congested, the sender should know at once (RFC 9000 §13.2.1).
  if (enough || ecn == Ecn::ce || is_due_for_order(number.value(), expected)) at_once_ = true;
}

// draft-ietf-quic-ack-frequency, "Response to Out-of-Order Packets". What the last ACK already let the sender declare
// lost needs no further word.
bool AckTracker::is_due_for_order(std::uint64_t number, std::uint64_t expected) const {
  if (reordering_threshold_ == 0) return false;
  // A gap opens or closes, or a packet is late (RFC 9000 §13.2.1).
  if (reordering_threshold_ == 1) return number != expected;
  const std::uint64_t largest = ranges_.front().last.value();
  const std::uint64_t reported = told_below_ - std::min<std::uint64_t>(told_below_, reordering_threshold_);
  const auto missing = smallest_missing(std::max(reported, settled_below_));
  return missing && largest - *missing >= reordering_threshold_;
}

// Of the numbers from `from` up to the largest one received.
std::optional<std::uint64_t> AckTracker::smallest_missing(std::uint64_t from) const {
  std::optional<std::uint64_t> missing;
  for (std::size_t i = 0; i < ranges_.size() && ranges_[i].first.value() > from; ++i) {
    MXP_WORK(1);
    const std::uint64_t after_next = i + 1 < ranges_.size() ? ranges_[i + 1].last.value() + 1 : from;
    missing = std::max(after_next, from);
  }
  return missing;
}

std::expected<void, TransportError> AckTracker::on_request(const AckFrequencyFrame& frame) {
  if (frame.max_ack_delay < min_ack_delay_) {
    return std::unexpected(TransportError{TransportErrorCode::protocol_violation, frame_type::kAckFrequency,
                                          "ACK_FREQUENCY with a delay below min_ack_delay"});
  }
  if (frame.sequence < next_sequence_) return {};
  next_sequence_ = frame.sequence + 1;
  max_ack_delay_ = frame.max_ack_delay;
  // Larger ones are as good as none.
  constexpr std::uint64_t kMost = std::numeric_limits<std::uint32_t>::max();
  threshold_ = static_cast<std::uint32_t>(std::min(frame.threshold, kMost));
  reordering_threshold_ = static_cast<std::uint32_t>(std::min(frame.reordering_threshold, kMost));
  return {};
}

void AckTracker::on_ack_sent(Timestamp) {
  if (!ranges_.empty()) told_below_ = ranges_.front().last.value() + 1;
  eliciting_waiting_ = 0;
  at_once_ = false;
  something_new_ = false;
  receive_times_.on_told();
}

void AckTracker::on_ack_acknowledged(PacketNumber largest) {
  std::uint64_t end = largest.value() + 1;  // numbers below it are dropped
  if (lowest_late_) {
    if (largest.value() > late_mark_) {
      lowest_late_.reset();
    } else {
      end = std::min(end, *lowest_late_);
    }
  }
  settled_below_ = std::max(settled_below_, end);
  while (ranges_.size() > 1 && ranges_.back().last.value() < end) ranges_.pop_back();
  if (ranges_.empty()) return;
  AckRange& lowest = ranges_.back();
  lowest.first = std::max(lowest.first, PacketNumber(std::min(end, lowest.last.value())));
}

bool AckTracker::ack_due(Timestamp now) const { return at_once_ || now >= deadline(); }

Timestamp AckTracker::deadline() const {
  if (eliciting_waiting_ == 0) return kNever;
  return at_once_ ? waiting_since_ : waiting_since_ + max_ack_delay_;
}

Duration AckTracker::delay(Timestamp now) const {
  return ranges_.empty() ? Duration::zero() : std::max(now - largest_received_at_, Duration::zero());
}

std::optional<EcnCounts> AckTracker::ecn() const {
  if (ecn_ == EcnCounts{}) return std::nullopt;
  return ecn_;
}

bool AckTracker::record(std::uint64_t number) {
  if (!ranges_.empty() && number == ranges_[0].last.value() + 1) {  // in order, by far the most frequent case
    ranges_[0].last = PacketNumber(number);
    return true;
  }
  // The first range, from the highest down, that does not lie wholly above `number`.
  const auto below = std::partition_point(ranges_.begin(), ranges_.end(),
                                          [&](const AckRange& range) { return range.first.value() > number; });
  const auto index = static_cast<std::size_t>(below - ranges_.begin());
  if (index < ranges_.size() && number <= below->last.value()) return false;

  const bool extends_below = index < ranges_.size() && below->last.value() + 1 == number;
  const bool extends_above = index > 0 && ranges_[index - 1].first.value() == number + 1;
  if (extends_below && extends_above) {
    ranges_[index - 1].first = below->first;
    erase_range(index);
  } else if (extends_below) {
    below->last = PacketNumber(number);
  } else if (extends_above) {
    ranges_[index - 1].first = PacketNumber(number);
  } else if (index == kCapacity) {
    return false;
  } else {
    insert_range(index, number);
  }
  return true;
}

void AckTracker::erase_range(std::size_t index) {
  MXP_WORK(ranges_.size() - index);
  ranges_.erase(ranges_.begin() + static_cast<std::ptrdiff_t>(index));
}

void AckTracker::insert_range(std::size_t index, std::uint64_t number) {
  MXP_WORK(ranges_.size() - index + 1);
  if (ranges_.size() == kCapacity) {  // the oldest range gives way (threat t03)
    settled_below_ = std::max(settled_below_, ranges_.back().last.value() + 1);
    ranges_.pop_back();
  }
  if (ranges_.size() == ranges_.capacity()) ranges_.reserve(std::clamp(2 * ranges_.size(), kFirstCapacity, kCapacity));
  ranges_.insert(ranges_.begin() + static_cast<std::ptrdiff_t>(index), {PacketNumber(number), PacketNumber(number)});
}

}  // namespace mxp
