#include "connection/trace_packets.h"

#include <array>
#include <variant>

#include "core/frame_reader.h"

namespace mxp {

namespace {

using Kind = TraceFrameKind;

// The frames of one packet, up to what may be told of it.
class FrameList {
 public:
  void add(const TraceFrame& frame) {
    if (count_ == frames_.size()) cut_ = true;
    else frames_[count_++] = frame;
  }
  void add_range(PacketNumber first, PacketNumber last) {
    if (ranges_ == acknowledged_.size()) cut_ = true;
    else acknowledged_[ranges_++] = {first, last};
  }
  bool is_full() const { return cut_; }
  TraceFrames view() const { return {std::span(frames_).first(count_), std::span(acknowledged_).first(ranges_), cut_}; }

 private:
  std::array<TraceFrame, kMaxTraceFrames> frames_;
  std::array<TraceAckRange, kMaxTraceAckRanges> acknowledged_;
  std::size_t count_ = 0;
  std::size_t ranges_ = 0;
  bool cut_ = false;
};

TraceFrame brief(const SentFrame& frame) {
  const std::uint64_t subject = frame.stream.value();
  switch (frame.kind) {
    case SentFrame::Kind::ping: return {.kind = Kind::ping};
    case SentFrame::Kind::ack: return {.kind = Kind::ack, .value = frame.value};
    case SentFrame::Kind::stream: return {Kind::stream, frame.fin, subject, frame.value, frame.length};
    case SentFrame::Kind::reset_stream: return {.kind = Kind::reset_stream, .subject = subject};
    case SentFrame::Kind::stop_sending: return {.kind = Kind::stop_sending, .subject = subject};
    case SentFrame::Kind::max_data: return {.kind = Kind::max_data, .value = frame.value};
    case SentFrame::Kind::max_stream_data:
      return {.kind = Kind::max_stream_data, .subject = subject, .value = frame.value};
    case SentFrame::Kind::max_streams_bidi: return {.kind = Kind::max_streams_bidi, .value = frame.value};
    case SentFrame::Kind::max_streams_uni: return {.kind = Kind::max_streams_uni, .value = frame.value};
    case SentFrame::Kind::data_blocked: return {.kind = Kind::data_blocked, .value = frame.value};
    case SentFrame::Kind::stream_data_blocked:
      return {.kind = Kind::stream_data_blocked, .subject = subject, .value = frame.value};
    case SentFrame::Kind::streams_blocked_bidi: return {.kind = Kind::streams_blocked_bidi, .value = frame.value};
    case SentFrame::Kind::streams_blocked_uni: return {.kind = Kind::streams_blocked_uni, .value = frame.value};
    case SentFrame::Kind::ack_frequency: return {.kind = Kind::ack_frequency, .value = frame.value};
    case SentFrame::Kind::immediate_ack: return {.kind = Kind::immediate_ack};
    case SentFrame::Kind::new_connection_id: return {.kind = Kind::new_connection_id, .value = frame.value};
    case SentFrame::Kind::retire_connection_id: return {.kind = Kind::retire_connection_id, .value = frame.value};
    case SentFrame::Kind::datagram:
    case SentFrame::Kind::datagram_with_cookie: return {.kind = Kind::datagram, .length = frame.length};
    case SentFrame::Kind::message: return {.kind = Kind::message, .subject = frame.value, .length = frame.length};
    case SentFrame::Kind::message_part: return {Kind::message_part, false, subject, frame.value, frame.length};
    case SentFrame::Kind::expired: return {.kind = Kind::expired, .subject = frame.value, .length = frame.length};
    case SentFrame::Kind::max_messages: return {.kind = Kind::max_messages, .value = frame.value};
    case SentFrame::Kind::messages_blocked: return {.kind = Kind::messages_blocked, .value = frame.value};
    case SentFrame::Kind::drain: return {.kind = Kind::drain, .value = frame.value};
    case SentFrame::Kind::path_challenge: return {.kind = Kind::path_challenge};
    case SentFrame::Kind::path_response: return {.kind = Kind::path_response};
  }
  return {};
}

struct BriefReceived {
  TraceFrame operator()(const PaddingFrame& frame) const { return {.kind = Kind::padding, .length = frame.length}; }
  TraceFrame operator()(const PingFrame&) const { return {.kind = Kind::ping}; }
  TraceFrame operator()(const AckFrame& frame) const { return {.kind = Kind::ack, .value = frame.largest.value()}; }
  TraceFrame operator()(const ResetStreamFrame& frame) const {
    return {Kind::reset_stream, false, frame.stream.value(), frame.code, frame.final_size};
  }
  TraceFrame operator()(const StopSendingFrame& frame) const {
    return {.kind = Kind::stop_sending, .subject = frame.stream.value(), .value = frame.code};
  }
  TraceFrame operator()(const StreamFrame& frame) const {
    return {Kind::stream, frame.fin, frame.stream.value(), frame.offset, frame.data.size()};
  }
  TraceFrame operator()(const MaxDataFrame& frame) const { return {.kind = Kind::max_data, .value = frame.limit}; }
  TraceFrame operator()(const MaxStreamDataFrame& frame) const {
    return {.kind = Kind::max_stream_data, .subject = frame.stream.value(), .value = frame.limit};
  }
  TraceFrame operator()(const MaxStreamsFrame& frame) const {
    const bool both = frame.type == StreamType::bidirectional;
    return {.kind = both ? Kind::max_streams_bidi : Kind::max_streams_uni, .value = frame.limit};
  }
  TraceFrame operator()(const DataBlockedFrame& frame) const {
    return {.kind = Kind::data_blocked, .value = frame.limit};
  }
  TraceFrame operator()(const StreamDataBlockedFrame& frame) const {
    return {.kind = Kind::stream_data_blocked, .subject = frame.stream.value(), .value = frame.limit};
  }
  TraceFrame operator()(const StreamsBlockedFrame& frame) const {
    const bool both = frame.type == StreamType::bidirectional;
    return {.kind = both ? Kind::streams_blocked_bidi : Kind::streams_blocked_uni, .value = frame.limit};
  }
  TraceFrame operator()(const AckFrequencyFrame& frame) const {
    return {.kind = Kind::ack_frequency, .value = frame.sequence};
  }
  TraceFrame operator()(const ImmediateAckFrame&) const { return {.kind = Kind::immediate_ack}; }
  TraceFrame operator()(const NewConnectionIdFrame& frame) const {
    return {.kind = Kind::new_connection_id, .value = frame.sequence};
  }
  TraceFrame operator()(const RetireConnectionIdFrame& frame) const {
    return {.kind = Kind::retire_connection_id, .value = frame.sequence};
  }
  TraceFrame operator()(const PathChallengeFrame&) const { return {.kind = Kind::path_challenge}; }
  TraceFrame operator()(const PathResponseFrame&) const { return {.kind = Kind::path_response}; }
  TraceFrame operator()(const DatagramFrame& frame) const {
    return {.kind = Kind::datagram, .length = frame.data.size()};
  }
  TraceFrame operator()(const MessageFrame& frame) const {
    return {.kind = Kind::message, .subject = frame.sequence, .length = frame.body.size()};
  }
  TraceFrame operator()(const MessagePartFrame& frame) const {
    return {Kind::message_part, false, frame.sequence, frame.offset, frame.data.size()};
  }
  TraceFrame operator()(const ExpiredFrame& frame) const {
    return {.kind = Kind::expired, .subject = frame.first, .length = frame.count};
  }
  TraceFrame operator()(const MaxMessagesFrame& frame) const {
    return {.kind = Kind::max_messages, .value = frame.bytes};
  }
  TraceFrame operator()(const MessagesBlockedFrame& frame) const {
    return {.kind = Kind::messages_blocked, .value = frame.bytes};
  }
  TraceFrame operator()(const DrainFrame& frame) const {
    return {.kind = Kind::drain, .value = static_cast<std::uint64_t>(frame.state)};
  }
  TraceFrame operator()(const CloseFrame& frame) const { return {.kind = Kind::close, .value = frame.code}; }
};

}  // namespace

void trace_sent(const Parts& parts, Timestamp now, TracePacketSent packet, std::uint64_t frames_begin) {
  if (!parts.tells_frames) return parts.trace(now, packet);
  FrameList frames;
  for (std::uint64_t at = frames_begin; at != parts.sent_frames.end() && !frames.is_full(); ++at) {
    const SentFrame& frame = parts.sent_frames.at(at);
    frames.add(brief(frame));
    if (frame.kind != SentFrame::Kind::ack) continue;
    // Nothing was received since the frame was written.
    for (const AckRange& range : parts.acks.ranges()) frames.add_range(range.first, range.last);
  }
  packet.frames = frames.view();
  parts.trace(now, packet);
}

void trace_sent_close(const Parts& parts, Timestamp now, TracePacketSent packet, const CloseFrame& close) {
  FrameList frames;
  frames.add(BriefReceived{}(close));
  if (parts.tells_frames) packet.frames = frames.view();
  parts.trace(now, packet);
}

void trace_received(const Parts& parts, Timestamp now, TracePacketReceived packet, ByteView payload) {
  if (!parts.tells_frames) return parts.trace(now, packet);
  FrameList frames;
  FrameReader reader(payload);
  while (!frames.is_full()) {
    const auto frame = reader.next();
    if (!frame || !frame->has_value()) break;
    frames.add(std::visit(BriefReceived{}, **frame));
    const auto* ack = std::get_if<AckFrame>(&**frame);
    if (ack == nullptr) continue;
    for (const AckRange& range : ack->ranges) frames.add_range(range.first, range.last);
  }
  packet.frames = frames.view();
  parts.trace(now, packet);
}

}  // namespace mxp
