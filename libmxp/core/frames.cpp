#include "core/frames.h"

namespace mxp {

bool is_ack_eliciting(const Frame& frame) {
  return !std::holds_alternative<PaddingFrame>(frame) && !std::holds_alternative<AckFrame>(frame) &&
         !std::holds_alternative<CloseFrame>(frame);
}

bool is_probing(const Frame& frame) {
  return std::holds_alternative<PaddingFrame>(frame) || std::holds_alternative<PathChallengeFrame>(frame) ||
         std::holds_alternative<PathResponseFrame>(frame) || std::holds_alternative<NewConnectionIdFrame>(frame);
}

}  // namespace mxp
