#include "mxp-perf/loop/loop_run.h"

namespace mxp::perf {

std::expected<void, IoError> LoopRun::run() {
  if (waiting_ == Waiting::asleep) return loop_.run();
  while (!stopped_)
    if (auto done = loop_.process(loop_.now()); !done) return done;
  return {};
}

void LoopRun::stop() {
  stopped_ = true;  // process() does not know of the loop's own stop()
  loop_.stop();
}

}  // namespace mxp::perf
