#include "mxp-dump/analysis/flight.h"

#include <algorithm>
#include <chrono>

#include "core/packet_threshold.h"

namespace mxp::dump {
namespace {

bool below(const SentPacket& packet, std::uint64_t number) { return packet.number < number; }

}  // namespace

bool Flight::sent(const SentPacket& packet, const Settled& settled) {
  const auto place = packets_.empty() || packets_.back().number < packet.number
                         ? packets_.end()
                         : std::lower_bound(packets_.begin(), packets_.end(), packet.number, below);
  if (place != packets_.end() && place->number == packet.number) return false;
  packets_.insert(place, packet);
  if (packet.eliciting) {
    bytes_ += packet.size;
    ++outstanding_;
  }
  settle(settled);
  return true;
}

void Flight::leave(const SentPacket& packet) {
  if (packet.state != SentPacket::State::outstanding || !packet.eliciting) return;
  bytes_ -= packet.size;
  --outstanding_;
}

void Flight::take(SentPacket& packet) {
  leave(packet);
  if (packet.state == SentPacket::State::missing) {
    ++answer_.late;
    answer_.deepest_late = std::max(answer_.deepest_late, largest_acknowledged_ - packet.number);
  }
  answer_.newly_acknowledged.push_back(packet);
  packet.state = SentPacket::State::acknowledged;
}

const Flight::Answer& Flight::acknowledged(const AckFrame& frame, const Settled& settled) {
  answer_.newly_acknowledged.clear();
  answer_.newly_missing.clear();
  answer_.late = answer_.deepest_late = 0;
  if (packets_.empty()) return answer_;
  const std::uint64_t largest = frame.largest.value();
  if (largest <= packets_.back().number) largest_acknowledged_ = std::max(largest_acknowledged_, largest);
  else largest_acknowledged_ = std::max(largest_acknowledged_, packets_.back().number);
  std::uint64_t above = 0;  // where the range before this one begins
  for (const AckRange& range : frame.ranges) {
    const auto begin = std::lower_bound(packets_.begin(), packets_.end(), range.first.value(), below);
    auto end = std::lower_bound(begin, packets_.end(), range.last.value() + 1, below);
    for (auto it = end; it != begin;) {
      --it;
      if (it->state != SentPacket::State::acknowledged) take(*it);
    }
    for (; above != 0 && end != packets_.end() && end->number < above; ++end) {
      if (end->state != SentPacket::State::outstanding || end->number + kPacketThreshold > largest) continue;
      leave(*end);
      end->state = SentPacket::State::missing;
      answer_.newly_missing.push_back(*end);
    }
    above = range.first.value();
    if (above <= packets_.front().number) break;
  }
  settle(settled);
  return answer_;
}

void Flight::settle(const Settled& settled) {
  while (!packets_.empty()) {
    const SentPacket& front = packets_.front();
    const bool old = front.number + kPatience < largest_acknowledged_ || packets_.size() > kMaxPackets;
    if (front.state == SentPacket::State::acknowledged) settled(front, Fate::delivered);
    else if (!old) return;
    else settled(front, front.state == SentPacket::State::missing ? Fate::lost : Fate::unknown);
    leave(front);
    packets_.pop_front();
  }
}

void Flight::finish(const Settled& settled) {
  for (const SentPacket& packet : packets_) {
    settled(packet, packet.state == SentPacket::State::acknowledged ? Fate::delivered
                    : packet.state == SentPacket::State::missing    ? Fate::lost
                                                                    : Fate::unknown);
  }
  packets_.clear();
  bytes_ = outstanding_ = 0;
}

std::int64_t Flight::oldest_ns() const {
  for (const SentPacket& packet : packets_) {
    if (packet.state == SentPacket::State::outstanding && packet.eliciting) return packet.time_ns;
  }
  return 0;
}

std::optional<std::int64_t> round_trip_ns(const Flight::Answer& answer, const AckFrame& frame, std::int64_t time_ns) {
  if (answer.newly_acknowledged.empty()) return std::nullopt;
  const SentPacket& newest = answer.newly_acknowledged.front();
  if (newest.number != frame.largest.value() || !newest.eliciting || time_ns < newest.time_ns) return std::nullopt;
  return time_ns - newest.time_ns;
}

std::int64_t without_ack_delay(std::int64_t whole_ns, Duration delay) {
  const std::int64_t waited = std::chrono::duration_cast<std::chrono::nanoseconds>(delay).count();
  return waited < whole_ns ? whole_ns - waited : whole_ns;
}

}  // namespace mxp::dump
