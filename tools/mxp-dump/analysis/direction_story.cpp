#include "mxp-dump/analysis/direction_story.h"

#include <algorithm>

namespace mxp::dump {
namespace {

// What was sent so soon behind an acknowledgement was let go by it. Our choice: a program needs some microseconds.
constexpr std::int64_t kBehindAnswerNs = 200'000;

}  // namespace

DirectionStory::Content DirectionStory::look_into(const PacketRecord& record) {
  using Continuity = NumberGaps::Continuity;
  Content content;
  for (const Frame& frame : record.frames) {
    content.eliciting = content.eliciting || is_ack_eliciting(frame);
    content.ack = content.ack || std::holds_alternative<AckFrame>(frame);
    if (!std::holds_alternative<PingFrame>(frame) && !std::holds_alternative<PaddingFrame>(frame) &&
        !std::holds_alternative<ImmediateAckFrame>(frame))
      content.probe_only = false;
    if (const auto* stream = std::get_if<StreamFrame>(&frame)) {
      content.data += stream->data.size();
      const auto known = streams_.find(stream->stream.value());
      const std::uint64_t end = stream->offset + stream->data.size();
      if (known == streams_.end()) {
        if (streams_.size() == kMaxStreams) streams_.erase(streams_.begin());
        streams_[stream->stream.value()].highest = end;
        continue;
      }
      std::uint64_t& highest = known->second.highest;
      if (stream->offset > highest) content.continuity = Continuity::data_missing;
      else if (stream->offset == highest && content.continuity == Continuity::unknown)
        content.continuity = Continuity::goes_on;
      else if (end < highest && !record.retransmission && !stream->data.empty()) content.fills = true;
      highest = std::max(highest, end);
    } else if (const auto* message = std::get_if<MessageFrame>(&frame)) {
      content.data += message->body.size();
    } else if (const auto* part = std::get_if<MessagePartFrame>(&frame)) {
      content.data += part->data.size();
    } else if (const auto* datagram = std::get_if<DatagramFrame>(&frame)) {
      content.data += datagram->data.size();
    }
  }
  return content;
}

Flight::Settled DirectionStory::settled() {
  return [this](const SentPacket& packet, Flight::Fate fate) {
    if (packet.size_probe) return;
    if (fate == Flight::Fate::delivered) lost_after.delivered();
    if (fate == Flight::Fate::lost) {
      lost_after.lost(packet.frame);
      ++history.at(packet.time_ns).lost_packets;
    }
  };
}

void DirectionStory::sent(const PacketRecord& record, std::int64_t time_ns, std::int64_t last_answer_ns) {
  if (packets == 0) first_ns = time_ns;
  last_ns = time_ns;
  ++packets;
  bytes += record.length;
  if (record.duplicate) duplicates.add(record.frame);
  if (record.damaged) damaged.add(record.frame);
  if (record.type != PacketType::one_rtt) return;
  ++short_packets;
  if (record.protection == Protection::no_key || record.protection == Protection::key_misfit) unread.add(record.frame);
  Slot& slot = history.at(time_ns);
  slot.sent_bytes += record.length;
  ++slot.sent_packets;
  if (record.protection != Protection::opened || !record.number || record.duplicate) return;
  if (!gaps.is_new(record.number->value())) return;
  ++opened;
  const Content content = look_into(record);
  if (content.ack && !content.eliciting) ++acks_only;
  const std::uint64_t number = record.number->value();
  const std::uint64_t absent = gaps.largest() && number > *gaps.largest() ? number - *gaps.largest() - 1 : 0;
  const std::uint64_t late_by = gaps.captured(number, record.frame, content.continuity);
  if (late_by > 0) {
    ++late_here;
    deepest_late = std::max(deepest_late, late_by);
    late.add(record.frame);
  } else if (content.fills) {
    ++filled;
    fills.add(record.frame);
  }
  if (record.retransmission) repeated.add(record.frame);
  sizes.captured(record.length, absent, record.frame);
  const bool size_probe = content.eliciting && content.probe_only && record.length > 1200;
  if (flight.packets() == 0) awaiting_since_ns_ = time_ns;
  static_cast<void>(
      flight.sent({.number = number,
                   .frame = record.frame,
                   .time_ns = time_ns,
                   .size = record.length,
                   .eliciting = content.eliciting && !size_probe,  // nothing waits for a probe of the size
                   .size_probe = size_probe,
                   .repeats = record.retransmission},
                  settled()));
  slot.highest_flight = std::max(slot.highest_flight, flight.bytes());
  if (content.data > 0) {
    ++data_packets;
    data_bytes += content.data;
    largest_data = std::max(largest_data, record.length);
    // How large a full packet is changes with the path, so it is judged by the packets just before.
    full_size_ = std::max<double>(record.length, 0.98 * full_size_);
    drained_ = record.length < 0.93 * full_size_;
    if (!drained_) ++full_packets;
    account.sent(last_answer_ns != 0 && time_ns - last_answer_ns < kBehindAnswerNs);
  }
  for (const Frame& frame : record.frames) credit.from_sender(frame, time_ns, record.frame);
}

void DirectionStory::acknowledged(const AckFrame& frame, std::int64_t time_ns, std::uint64_t frame_number) {
  gaps.acknowledged(frame);
  const Flight::Answer& answer = flight.acknowledged(frame, settled());
  for (const SentPacket& packet : answer.newly_acknowledged) {
    if (!packet.size_probe) sizes.acknowledged(packet.size, packet.state == SentPacket::State::missing);
    history.at(time_ns).acknowledged_bytes += packet.size;
  }
  for (const SentPacket& packet : answer.newly_missing) {
    if (packet.size_probe) continue;
    sizes.missing(packet.size, packet.frame);
    if (!recovery_ends_) recovery_ends_ = gaps.largest().value_or(0) + 1;
  }
  late_after += answer.late;
  if (answer.late > 0) late.add(frame_number);
  deepest_late = std::max(deepest_late, answer.deepest_late);
  if (recovery_ends_ && frame.largest.value() >= *recovery_ends_) recovery_ends_.reset();
  if (frame.ecn && frame.ecn->ce > last_marks_) {
    marks += frame.ecn->ce - last_marks_;
    last_marks_ = frame.ecn->ce;
    marked.add(frame_number);
  }
  if (answer.newly_acknowledged.empty()) return;
  awaiting_since_ns_ = time_ns;
  const auto whole = round_trip_ns(answer, frame, time_ns);
  if (!whole) return;
  const std::int64_t sample = without_ack_delay(*whole, frame.delay);
  round_trip.add(sample);
  history.at(time_ns).add_rtt(sample);
}

std::int64_t DirectionStory::overdue_ns() const {
  if (flight.packets() == 0 || round_trip.samples() == 0) return 0;
  return awaiting_since_ns_ + 2 * round_trip.smoothed_ns() + 30'000'000;  // RFC 9002's delay of 25 ms
}

void DirectionStory::finish(std::int64_t time_ns) {
  flight.finish(settled());
  gaps.finish();
  credit.finish(time_ns);
}

}  // namespace mxp::dump
