#include "core/trace_frame_list.h"

#include <variant>

namespace mxp {

namespace {

using Kind = TraceFrameKind;

struct BriefFrame {
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

void TraceFrameList::add(const Frame& frame) {
  add(std::visit(BriefFrame{}, frame));
  const auto* ack = std::get_if<AckFrame>(&frame);
  if (ack == nullptr) return;
  for (const AckRange& range : ack->ranges) add_range(range.first, range.last);
}

}  // namespace mxp
