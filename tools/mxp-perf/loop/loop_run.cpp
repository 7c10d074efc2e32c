#include "mxp-perf/loop/loop_run.h"

#include "udp/event_loop_access.h"

namespace mxp::perf {

std::expected<void, IoError> LoopRun::run() {
  return waiting_ == Waiting::asleep ? loop_.run() : EventLoopAccess::spin(loop_);
}

}  // namespace mxp::perf
