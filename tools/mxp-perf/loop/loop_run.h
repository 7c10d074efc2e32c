// How the loop of a client or a server waits for work: asleep in the kernel, or with --busy-poll by looking again and
// again, which costs a processor and saves what it takes to be woken.
#pragma once

#include <cstdint>
#include <expected>

#include "mxp/error.h"
#include "mxp/event_loop.h"

namespace mxp::perf {

enum class Waiting : std::uint8_t { asleep, spinning };

// Runs a loop until stop(). One thread, and once.
class LoopRun {
 public:
  // `loop` outlives it.
  LoopRun(EventLoop& loop, Waiting waiting) : loop_(loop), waiting_(waiting) {}

  std::expected<void, IoError> run();
  // From a callback of the loop: its turn ends first.
  void stop() { loop_.stop(); }
  // The same once the peers have heard that their connections are closed (EventLoop::stop_when_closed).
  void stop_when_closed(Duration at_most) { loop_.stop_when_closed(at_most); }

 private:
  EventLoop& loop_;
  Waiting waiting_;
};

}  // namespace mxp::perf
