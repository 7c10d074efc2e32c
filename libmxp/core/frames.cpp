#include "core/frames.h"

namespace mxp {

bool is_ack_eliciting(const Frame& frame) {
  return !std::holds_alternative<PaddingFrame>(frame) && !std::holds_alternative<AckFrame>(frame) &&
         !std::holds_alternative<CloseFrame>(frame);
}

std::string_view frame_name(std::uint64_t type) {
  if (type >= frame_type::kStream && type <= frame_type::kStreamLast) return "STREAM";
  switch (type) {
    case frame_type::kPadding: return "PADDING";
    case frame_type::kPing: return "PING";
    case frame_type::kAck:
    case frame_type::kAckEcn: return "ACK";
    case frame_type::kResetStream: return "RESET_STREAM";
    case frame_type::kStopSending: return "STOP_SENDING";
    case frame_type::kMaxData: return "MAX_DATA";
    case frame_type::kMaxStreamData: return "MAX_STREAM_DATA";
    case frame_type::kMaxStreamsBidi:
    case frame_type::kMaxStreamsUni: return "MAX_STREAMS";
    case frame_type::kDataBlocked: return "DATA_BLOCKED";
    case frame_type::kStreamDataBlocked: return "STREAM_DATA_BLOCKED";
    case frame_type::kStreamsBlockedBidi:
    case frame_type::kStreamsBlockedUni: return "STREAMS_BLOCKED";
    case frame_type::kCloseTransport:
    case frame_type::kCloseApplication: return "CLOSE";
    default: return "UNKNOWN";
  }
}

}  // namespace mxp
