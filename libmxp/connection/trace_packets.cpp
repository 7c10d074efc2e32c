#include "connection/trace_packets.h"

#include "core/frame_reader.h"
#include "core/trace_frame_list.h"

namespace mxp {

namespace {

using Kind = TraceFrameKind;

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

}  // namespace

void trace_sent(const Parts& parts, Timestamp now, TracePacketSent packet, std::uint64_t frames_begin) {
  if (!parts.tells_frames) return parts.trace(now, packet);
  TraceFrameList frames;
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
  TraceFrameList frames;
  frames.add(Frame(close));
  if (parts.tells_frames) packet.frames = frames.view();
  parts.trace(now, packet);
}

void trace_received(const Parts& parts, Timestamp now, TracePacketReceived packet, ByteView payload) {
  if (!parts.tells_frames) return parts.trace(now, packet);
  TraceFrameList frames;
  FrameReader reader(payload);
  while (!frames.is_full()) {
    const auto frame = reader.next();
    if (!frame || !frame->has_value()) break;
    frames.add(**frame);
  }
  packet.frames = frames.view();
  parts.trace(now, packet);
}

}  // namespace mxp
