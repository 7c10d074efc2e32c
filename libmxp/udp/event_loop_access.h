// What the public face of EventLoop does not have: a carrier of one's own, for tests and for a system where only the
// portable one works, and a loop that does not sleep.
#pragma once

#include <expected>
#include <memory>

#include "mxp/event_loop.h"
#include "udp/carrier.h"

namespace mxp {

struct EventLoopAccess {
  static std::expected<std::unique_ptr<EventLoop>, IoError> create(std::unique_ptr<Carrier> carrier,
                                                                   EndpointConfig endpoint, Handler& handler,
                                                                   TraceSink* trace = nullptr);
  // run(), but for looking again and again in place of sleeping: that costs a processor, and saves what it takes to be
  // woken. No timer is set for anybody who would wait for the descriptor, as process() sets it.
  static std::expected<void, IoError> spin(EventLoop& loop);
};

}  // namespace mxp
