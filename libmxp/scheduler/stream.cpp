#include "scheduler/stream.h"

#include "core/frame_writer.h"

namespace mxp {

void Stream::write_control(Writer& out, SentFrameSink sent) {
  const auto is_due = [this](Control frame) { return (control & frame) != 0; };
  const auto done_with = [this](Control frame) { control = static_cast<std::uint8_t>(control & ~frame); };
  if (is_due(kResetStream)) {
    if (!write_frame(out, ResetStreamFrame{id, send.reset_code(), send.sent_end()})) return;
    sent({.kind = SentFrame::Kind::reset_stream, .stream = id});
    done_with(kResetStream);
  }
  if (is_due(kStopSending)) {
    if (!write_frame(out, StopSendingFrame{id, receive.stop_code()})) return;
    sent({.kind = SentFrame::Kind::stop_sending, .stream = id});
    done_with(kStopSending);
  }
  if (is_due(kMaxStreamData)) {
    // The limit is raised and told only if its longest form fits, because it must not be raised without being told.
    constexpr std::size_t kLongest = 1 + 8 + 8;
    if (out.space() < kLongest) return;
    const MaxStreamDataFrame frame{id, receive.window().raise()};
    write_frame(out, frame);
    sent({.kind = SentFrame::Kind::max_stream_data, .stream = id, .value = frame.limit});
    done_with(kMaxStreamData);
  }
  if (is_due(kStreamDataBlocked)) {
    const std::uint64_t limit = send.credit().limit();
    if (!write_frame(out, StreamDataBlockedFrame{id, limit})) return;
    sent({.kind = SentFrame::Kind::stream_data_blocked, .stream = id, .value = limit});
    done_with(kStreamDataBlocked);
  }
}

std::uint8_t Stream::control_to_repeat(const SentFrame& lost) const {
  switch (lost.kind) {
    case SentFrame::Kind::reset_stream: return send.state() == SendStream::State::reset ? kResetStream : 0;
    case SentFrame::Kind::stop_sending: return receive.state() == ReceiveStream::State::discarding ? kStopSending : 0;
    case SentFrame::Kind::max_stream_data:
      return receive.wants_credit() && receive.window().limit() == lost.value ? kMaxStreamData : 0;
    case SentFrame::Kind::stream_data_blocked:
      return starved && send.credit().still_blocked_at(lost.value) ? kStreamDataBlocked : 0;
    default: return 0;  // no control frame of a stream
  }
}

}  // namespace mxp
