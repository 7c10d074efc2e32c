// Frames as values to compare and to write again: what the round-trip tests and the fuzz target share.
#pragma once

#include <algorithm>
#include <variant>
#include <vector>

#include "core/frame_reader.h"
#include "core/frame_writer.h"

namespace mxp::test {

inline std::vector<AckRange> ranges_of(const AckFrame& frame) {
  std::vector<AckRange> ranges;
  for (const AckRange& range : frame.ranges) ranges.push_back(range);
  return ranges;
}

// Empty where the frame is of a type without them.
inline std::vector<ReceiveTime> times_of(const AckFrame& frame) {
  std::vector<ReceiveTime> times;
  if (!frame.times) return times;
  for (const ReceiveTime& time : *frame.times) times.push_back(time);
  return times;
}

struct CompareFrames {
  bool operator()(const PaddingFrame& x, const PaddingFrame& y) const { return x.length == y.length; }
  bool operator()(const PingFrame&, const PingFrame&) const { return true; }
  bool operator()(const AckFrame& x, const AckFrame& y) const {
    return x.largest == y.largest && x.delay == y.delay && x.ecn == y.ecn && ranges_of(x) == ranges_of(y) &&
           times_of(x) == times_of(y);
  }
  bool operator()(const ResetStreamFrame& x, const ResetStreamFrame& y) const {
    return x.stream == y.stream && x.code == y.code && x.final_size == y.final_size;
  }
  bool operator()(const StopSendingFrame& x, const StopSendingFrame& y) const {
    return x.stream == y.stream && x.code == y.code;
  }
  bool operator()(const StreamFrame& x, const StreamFrame& y) const {
    return x.stream == y.stream && x.offset == y.offset && x.fin == y.fin && std::ranges::equal(x.data, y.data);
  }
  bool operator()(const MaxDataFrame& x, const MaxDataFrame& y) const { return x.limit == y.limit; }
  bool operator()(const MaxStreamDataFrame& x, const MaxStreamDataFrame& y) const {
    return x.stream == y.stream && x.limit == y.limit;
  }
  bool operator()(const MaxStreamsFrame& x, const MaxStreamsFrame& y) const {
    return x.type == y.type && x.limit == y.limit;
  }
  bool operator()(const DataBlockedFrame& x, const DataBlockedFrame& y) const { return x.limit == y.limit; }
  bool operator()(const StreamDataBlockedFrame& x, const StreamDataBlockedFrame& y) const {
    return x.stream == y.stream && x.limit == y.limit;
  }
  bool operator()(const StreamsBlockedFrame& x, const StreamsBlockedFrame& y) const {
    return x.type == y.type && x.limit == y.limit;
  }
  bool operator()(const AckFrequencyFrame& x, const AckFrequencyFrame& y) const {
    return x.sequence == y.sequence && x.threshold == y.threshold && x.max_ack_delay == y.max_ack_delay &&
           x.reordering_threshold == y.reordering_threshold;
  }
  bool operator()(const ImmediateAckFrame&, const ImmediateAckFrame&) const { return true; }
  bool operator()(const NewConnectionIdFrame& x, const NewConnectionIdFrame& y) const {
    return x.sequence == y.sequence && x.retire_prior_to == y.retire_prior_to && x.id == y.id;
  }
  bool operator()(const RetireConnectionIdFrame& x, const RetireConnectionIdFrame& y) const {
    return x.sequence == y.sequence;
  }
  bool operator()(const PathChallengeFrame& x, const PathChallengeFrame& y) const { return x.data == y.data; }
  bool operator()(const PathResponseFrame& x, const PathResponseFrame& y) const { return x.data == y.data; }
  bool operator()(const DatagramFrame& x, const DatagramFrame& y) const { return std::ranges::equal(x.data, y.data); }
  bool operator()(const MessageFrame& x, const MessageFrame& y) const {
    return x.form == y.form && x.sequence == y.sequence && x.order == y.order && std::ranges::equal(x.body, y.body);
  }
  bool operator()(const MessagePartFrame& x, const MessagePartFrame& y) const {
    return x.form == y.form && x.sequence == y.sequence && x.body_size == y.body_size && x.offset == y.offset &&
           x.order == y.order && std::ranges::equal(x.data, y.data);
  }
  bool operator()(const ExpiredFrame& x, const ExpiredFrame& y) const {
    return x.first == y.first && x.count == y.count && x.length == y.length && x.order == y.order;
  }
  bool operator()(const MaxMessagesFrame& x, const MaxMessagesFrame& y) const {
    return x.window == y.window && x.bytes == y.bytes;
  }
  bool operator()(const MessagesBlockedFrame& x, const MessagesBlockedFrame& y) const {
    return x.bytes == y.bytes && x.needed == y.needed;
  }
  bool operator()(const DrainFrame& x, const DrainFrame& y) const { return x.state == y.state && x.time == y.time; }
  bool operator()(const CloseFrame& x, const CloseFrame& y) const {
    return x.application == y.application && x.code == y.code && x.frame_type == y.frame_type &&
           std::ranges::equal(x.reason, y.reason);
  }
  template <typename X, typename Y>
  bool operator()(const X&, const Y&) const {
    return false;
  }
};

// Whether both say the same; STREAM and DATAGRAM frames with and without an explicit length do.
inline bool same_frame(const Frame& a, const Frame& b) { return std::visit(CompareFrames{}, a, b); }

struct WriteFrame {
  Writer& out;
  bool operator()(const PaddingFrame& padding) const { return write_padding(out, padding.length); }
  bool operator()(const PingFrame&) const { return write_ping(out); }
  bool operator()(const AckFrame& ack) const {
    const auto ranges = ranges_of(ack);
    const std::size_t before = out.written();
    auto times = times_of(ack);
    std::ranges::reverse(times);
    if (!write_ack(out, ranges, ack.delay, ack.ecn, {times})) return false;
    FrameReader reader(out.so_far().subspan(before));
    const auto again = reader.next();
    if (!again || !*again) return false;
    const auto& copy = std::get<AckFrame>(**again);
    return copy.ranges.size() == ranges.size() && times_of(copy).size() == times.size();
  }
  bool operator()(const StreamFrame& stream) const {
    const auto slot = begin_stream_frame(out, stream.stream, stream.offset, stream.data.size(), stream.fin);
    if (!slot) return false;
    std::ranges::copy(stream.data, slot->data.begin());
    return true;
  }
  template <typename F>
  bool operator()(const F& other) const {
    return write_frame(out, other);
  }
};

// Writes any frame with the library's writers. An ACK must fit whole: false if ranges or times were left
// out.
inline bool write_any(Writer& out, const Frame& frame) { return std::visit(WriteFrame{out}, frame); }

}  // namespace mxp::test
