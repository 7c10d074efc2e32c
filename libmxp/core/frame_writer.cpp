// Sizes first, bytes after: a frame is written whole or not at all.
#include "core/frame_writer.h"

#include <algorithm>
#include <chrono>
#include <initializer_list>

namespace mxp {
namespace {

// A frame of nothing but varints, the type among them.
bool write_varints(Writer& out, std::initializer_list<std::uint64_t> values) {
  std::size_t size = 0;
  for (const std::uint64_t value : values) size += varint_size(value);
  if (out.space() < size) return false;
  for (const std::uint64_t value : values) out.varint(value);
  return true;
}

// ORDERED up to the frame that it is of.
std::uint64_t link_value(const OrderLink& link) {
  return std::uint64_t{link.distance} * kMessageClasses + static_cast<std::uint64_t>(link.channel);
}
std::size_t order_size(const std::optional<OrderLink>& order) {
  return order ? 1 + varint_size(link_value(*order)) : 0;
}
// REQUIRES: it fits.
void write_order(Writer& out, const std::optional<OrderLink>& order) {
  if (!order) return;
  out.varint(frame_type::kOrdered);
  out.varint(link_value(*order));
}

bool write_path_data(Writer& out, std::uint64_t type, const PathData& data) {
  if (out.space() < 1 + data.size()) return false;
  return out.varint(type) && out.bytes(data);
}

// The most bytes of data that fit into `space` together with their own length field.
std::optional<std::size_t> data_capacity(std::size_t space) {
  std::optional<std::size_t> best;
  for (const std::size_t size : {1u, 2u, 4u, 8u}) {
    if (space < size) break;
    const std::size_t largest = static_cast<std::size_t>((std::uint64_t{1} << (8 * size - 2)) - 1);
    best = std::max(best.value_or(0), std::min(space - size, largest));
  }
  return best;
}

std::size_t stream_header_size(StreamId stream, std::uint64_t offset) {
  return 1 + varint_size(stream.value()) + (offset == 0 ? 0 : varint_size(offset));
}

// The latest of `times` as ranges of the wire (docs/protocol.md §4.2): a pass over them for the size of what fits, and
// one that writes.
class TimesWriter {
 public:
  TimesWriter(std::uint64_t largest, std::span<const ReceiveTime> times, std::size_t space)
      : largest_(largest), times_(times) {
    // Counts take one byte, but for one that reaches kMaxReceiveTimes: that of the ranges or that of the only range.
    static_assert(varint_size(kMaxReceiveTimes - 1) == 1);
    std::size_t size = 1;
    for (std::size_t i = times_.size(); i-- > 0 && count_ < kMaxReceiveTimes; ++count_) {
      const bool begins = begins_range(i);
      size += varint_size(step(i)) + (begins ? varint_size(largest_ - number(i)) + 1 : 0);
      if (count_ + 1 == kMaxReceiveTimes) ++size;
      if (size > space) break;
      if (begins) ++ranges_;
    }
  }
  bool empty() const { return count_ == 0; }
  // REQUIRES: the space that it was made for.
  void write(Writer& out) const {
    out.varint(ranges_);
    const std::size_t end = times_.size() - count_;
    for (std::size_t i = times_.size(); i-- > end;) {
      if (begins_range(i)) {
        std::size_t last = i;  // of the range
        while (last > end && !begins_range(last - 1)) --last;
        out.varint(largest_ - number(i));
        out.varint(i - last + 1);
      }
      out.varint(step(i));
    }
  }

 private:
  std::uint64_t number(std::size_t i) const { return times_[i].number.value(); }
  std::uint64_t time_us(std::size_t i) const {
    return static_cast<std::uint64_t>(std::chrono::floor<std::chrono::microseconds>(times_[i].at).count());
  }
  bool begins_range(std::size_t i) const { return i + 1 == times_.size() || number(i) + 1 != number(i + 1); }
  std::uint64_t step(std::size_t i) const { return i + 1 == times_.size() ? time_us(i) : time_us(i + 1) - time_us(i); }

  std::uint64_t largest_;
  std::span<const ReceiveTime> times_;
  std::size_t count_ = 0;   // of times that fit
  std::size_t ranges_ = 0;  // of them
};

// `reason` cut to `limit` bytes, not inside a UTF-8 sequence.
ByteView cut_reason(ByteView reason, std::size_t limit) {
  if (reason.size() <= limit) return reason;
  std::size_t end = limit;
  while (end > 0 && limit - end < 3 && (reason[end] & 0xc0) == 0x80) --end;
  return reason.first(end);
}

}  // namespace

bool write_padding(Writer& out, std::size_t count) { return out.fill(0, count); }

bool write_ping(Writer& out) { return out.u8(static_cast<std::uint8_t>(frame_type::kPing)); }

bool write_ack(Writer& out, std::span<const AckRange> ranges, Duration delay, const std::optional<EcnCounts>& ecn,
               const TimesForAck& times) {
  if (ranges.empty()) return false;
  const std::uint64_t largest = ranges.front().last.value();
  const std::uint64_t first_length = largest - ranges.front().first.value();
  const auto delay_us =
      std::chrono::duration_cast<std::chrono::microseconds>(std::max(delay, Duration::zero())).count();
  const auto gap_before = [&](std::size_t i) { return ranges[i - 1].first.value() - ranges[i].last.value() - 2; };
  const auto length_of = [&](std::size_t i) { return ranges[i].last.value() - ranges[i].first.value(); };

  std::size_t size =
      1 + varint_size(largest) + varint_size(static_cast<std::uint64_t>(delay_us)) + varint_size(first_length);
  if (ecn) size += varint_size(ecn->ect0) + varint_size(ecn->ect1) + varint_size(ecn->ce);
  if (out.space() < size + varint_size(0)) return false;
  std::size_t count = 0;  // ranges beyond the first that fit, with the field that counts them
  for (std::size_t i = 1; i < ranges.size() && i <= kMaxAckRanges; ++i) {
    const std::size_t more = varint_size(gap_before(i)) + varint_size(length_of(i));
    if (out.space() < size + more + varint_size(i)) break;
    size += more;
    count = i;
  }

  // Ranges come first: what they say cannot wait.
  const TimesWriter some(largest, times.times, std::min(out.space() - size - varint_size(count), times.most_bytes));

  if (some.empty()) out.varint(ecn ? frame_type::kAckEcn : frame_type::kAck);
  else out.varint(ecn ? frame_type::kAckEcnTimes : frame_type::kAckTimes);
  out.varint(largest);
  out.varint(static_cast<std::uint64_t>(delay_us));
  out.varint(count);
  out.varint(first_length);
  for (std::size_t i = 1; i <= count; ++i) {
    out.varint(gap_before(i));
    out.varint(length_of(i));
  }
  if (ecn) {
    out.varint(ecn->ect0);
    out.varint(ecn->ect1);
    out.varint(ecn->ce);
  }
  if (!some.empty()) some.write(out);
  return true;
}

bool write_frame(Writer& out, const ResetStreamFrame& frame) {
  return write_varints(out, {frame_type::kResetStream, frame.stream.value(), frame.code, frame.final_size});
}

bool write_frame(Writer& out, const StopSendingFrame& frame) {
  return write_varints(out, {frame_type::kStopSending, frame.stream.value(), frame.code});
}

bool write_frame(Writer& out, const MaxDataFrame& frame) {
  return write_varints(out, {frame_type::kMaxData, frame.limit});
}

bool write_frame(Writer& out, const MaxStreamDataFrame& frame) {
  return write_varints(out, {frame_type::kMaxStreamData, frame.stream.value(), frame.limit});
}

bool write_frame(Writer& out, const MaxStreamsFrame& frame) {
  const bool one_way = frame.type == StreamType::unidirectional;
  return write_varints(out, {one_way ? frame_type::kMaxStreamsUni : frame_type::kMaxStreamsBidi, frame.limit});
}

bool write_frame(Writer& out, const DataBlockedFrame& frame) {
  return write_varints(out, {frame_type::kDataBlocked, frame.limit});
}

bool write_frame(Writer& out, const StreamDataBlockedFrame& frame) {
  return write_varints(out, {frame_type::kStreamDataBlocked, frame.stream.value(), frame.limit});
}

bool write_frame(Writer& out, const StreamsBlockedFrame& frame) {
  const bool one_way = frame.type == StreamType::unidirectional;
  return write_varints(out, {one_way ? frame_type::kStreamsBlockedUni : frame_type::kStreamsBlockedBidi, frame.limit});
}

bool write_frame(Writer& out, const AckFrequencyFrame& frame) {
  MXP_REQUIRE(frame.max_ack_delay >= Duration::zero() && frame.max_ack_delay <= kLongestAckDelay);
  const auto delay_us = std::chrono::duration_cast<std::chrono::microseconds>(frame.max_ack_delay).count();
  return write_varints(out, {frame_type::kAckFrequency, frame.sequence, frame.threshold,
                             static_cast<std::uint64_t>(delay_us), frame.reordering_threshold});
}

bool write_frame(Writer& out, const ImmediateAckFrame&) { return out.varint(frame_type::kImmediateAck); }

bool write_frame(Writer& out, const NewConnectionIdFrame& frame) {
  MXP_REQUIRE(frame.retire_prior_to <= frame.sequence);
  const std::size_t numbers = 1 + varint_size(frame.sequence) + varint_size(frame.retire_prior_to);
  if (out.space() < numbers + ConnectionId::kSize) return false;
  return write_varints(out, {frame_type::kNewConnectionId, frame.sequence, frame.retire_prior_to}) &&
         out.bytes(frame.id.bytes());
}

bool write_frame(Writer& out, const RetireConnectionIdFrame& frame) {
  return write_varints(out, {frame_type::kRetireConnectionId, frame.sequence});
}

bool write_frame(Writer& out, const PathChallengeFrame& frame) {
  return write_path_data(out, frame_type::kPathChallenge, frame.data);
}

bool write_frame(Writer& out, const PathResponseFrame& frame) {
  return write_path_data(out, frame_type::kPathResponse, frame.data);
}

bool write_frame(Writer& out, const DatagramFrame& frame) {
  const auto space = begin_datagram_frame(out, frame.data.size());
  if (!space) return false;
  std::copy(frame.data.begin(), frame.data.end(), space->begin());
  return true;
}

std::optional<MutableBytes> begin_datagram_frame(Writer& out, std::size_t length) {
  if (out.space() < 1 || out.space() - 1 < length) return std::nullopt;
  const std::size_t rest = out.space() - 1 - length;
  if (const std::size_t length_size = varint_size(length); length_size <= rest) {
    out.varint(frame_type::kDatagramWithLength);
    out.varint(length);
  } else {
    out.fill(0, rest);
    out.varint(frame_type::kDatagram);
  }
  const MutableBytes data = out.free_space().first(length);
  out.commit(length);
  return data;
}

bool write_frame(Writer& out, const ExpiredFrame& frame) {
  MXP_REQUIRE(frame.count >= 1 && frame.count <= kMaxMessageWindow);
  const std::size_t size =
      order_size(frame.order) + 1 + varint_size(frame.first) + varint_size(frame.count - 1) + varint_size(frame.length);
  if (out.space() < size) return false;
  write_order(out, frame.order);
  return write_varints(out, {frame_type::kExpired, frame.first, frame.count - 1, frame.length});
}

bool write_frame(Writer& out, const MaxMessagesFrame& frame) {
  return write_varints(out, {frame_type::kMaxMessages, frame.window, frame.bytes});
}

bool write_frame(Writer& out, const MessagesBlockedFrame& frame) {
  return write_varints(out, {frame_type::kMessagesBlocked, frame.bytes, frame.needed});
}

std::size_t message_frame_overhead(std::uint64_t sequence, std::size_t body_size,
                                   const std::optional<OrderLink>& order) {
  return order_size(order) + 1 + varint_size(sequence) + varint_size(body_size);
}

bool write_frame(Writer& out, const MessageFrame& frame) {
  if (out.space() < message_frame_overhead(frame.sequence, frame.body.size(), frame.order) + frame.body.size())
    return false;
  write_order(out, frame.order);
  return write_varints(out, {type_of(frame), frame.sequence, frame.body.size()}) && out.bytes(frame.body);
}

bool write_frame(Writer& out, const DrainFrame& frame) {
  const auto state = static_cast<std::uint64_t>(frame.state);
  if (frame.state != DrainFrame::State::begins) return write_varints(out, {frame_type::kDrain, state});
  MXP_REQUIRE(frame.time >= Duration::zero() && frame.time <= kLongestDrain);
  const auto time_ms = std::chrono::duration_cast<std::chrono::milliseconds>(frame.time).count();
  return write_varints(out, {frame_type::kDrain, state, static_cast<std::uint64_t>(time_ms)});
}

namespace {

std::size_t message_part_overhead(std::uint64_t sequence, std::uint64_t body_size, std::uint64_t offset,
                                  const std::optional<OrderLink>& order) {
  return order_size(order) + 1 + varint_size(sequence) + varint_size(body_size) + varint_size(offset);
}

}  // namespace

std::size_t message_part_capacity(std::size_t space, std::uint64_t sequence, std::uint64_t body_size,
                                  std::uint64_t offset, const std::optional<OrderLink>& order) {
  const std::size_t header = message_part_overhead(sequence, body_size, offset, order);
  return space < header ? 0 : data_capacity(space - header).value_or(0);
}

bool write_frame(Writer& out, const MessagePartFrame& frame) {
  const std::size_t header = message_part_overhead(frame.sequence, frame.body_size, frame.offset, frame.order);
  if (out.space() < header + varint_size(frame.data.size()) + frame.data.size()) return false;
  write_order(out, frame.order);
  return write_varints(out, {type_of(frame), frame.sequence, frame.body_size, frame.offset, frame.data.size()}) &&
         out.bytes(frame.data);
}

bool write_frame(Writer& out, const CloseFrame& frame) {
  const std::size_t fixed = 1 + varint_size(frame.code) + (frame.application ? 0 : varint_size(frame.frame_type));
  if (out.space() < fixed) return false;
  const auto capacity = data_capacity(out.space() - fixed);
  if (!capacity) return false;
  const ByteView reason = cut_reason(frame.reason, std::min(*capacity, kMaxCloseReason));
  out.varint(frame.application ? frame_type::kCloseApplication : frame_type::kCloseTransport);
  out.varint(frame.code);
  if (!frame.application) out.varint(frame.frame_type);
  out.varint(reason.size());
  return out.bytes(reason);
}

std::optional<std::size_t> stream_frame_capacity(std::size_t space, StreamId stream, std::uint64_t offset) {
  const std::size_t header = stream_header_size(stream, offset);
  if (space < header) return std::nullopt;
  return data_capacity(space - header);
}

std::optional<StreamFrameSlot> begin_stream_frame(Writer& out, StreamId stream, std::uint64_t offset,
                                                  std::size_t length, bool fin) {
  const std::size_t header = stream_header_size(stream, offset) + varint_size(length);
  if (out.space() < header || out.space() - header < length) return std::nullopt;
  std::uint64_t type = frame_type::kStream | frame_type::kStreamLengthBit;
  if (offset != 0) type |= frame_type::kStreamOffsetBit;
  if (fin) type |= frame_type::kStreamFinBit;
  out.varint(type);
  out.varint(stream.value());
  if (offset != 0) out.varint(offset);
  out.varint(length);
  const MutableBytes data = out.free_space().first(length);
  out.commit(length);
  return StreamFrameSlot{data};
}

}  // namespace mxp
