// An EventLoop over a carrier of one's own: for tests, and for a system where only the portable one works.
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
};

}  // namespace mxp
