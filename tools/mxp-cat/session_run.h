// What `listen` and `connect` have in common: identity, key log, loop, signals, progress, the end.
#pragma once

#include <functional>

#include "common/json_output.h"
#include "common/output.h"
#include "common/tool_error.h"
#include "mxp-cat/hub.h"
#include "mxp-cat/options.h"
#include "mxp/event_loop.h"

namespace mxp::tools {

// `configure` completes the endpoint's configuration; `start` is called with the ready loop (print the address, dial).
struct SessionRun {
  SocketAddress bind;
  std::function<void(EndpointConfig&)> configure;
  std::function<Result<void>(EventLoop&, Hub&)> start;
};

Result<void> run_sessions(const Options& options, Output& output, JsonOutput& json, const SessionRun& run);

}  // namespace mxp::tools
