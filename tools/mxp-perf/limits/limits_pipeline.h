// A sender and a receiver in processes of their own, for measuring what arrives.
#pragma once

#include <functional>

#include "common/tool_error.h"
#include "mxp/address.h"
#include "mxp/time.h"
#include "udp/carrier.h"

namespace mxp::perf {

// `receive` is called in a child process for every run of datagrams and returns the useful bytes in it; `fill` in this
// process fills one GSO buffer and returns how many bytes of it are used. Returns useful bytes per second × 8.
tools::Result<double> measure_pipeline(Duration duration, std::size_t datagram_bytes,
                                       const std::function<std::size_t(MutableBytes)>& fill,
                                       const std::function<std::size_t(const ReceivedRun&)>& receive);

}  // namespace mxp::perf
