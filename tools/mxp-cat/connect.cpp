#include "mxp-cat/connect.h"

#include "common/dialer.h"
#include "common/resolve.h"
#include "mxp-cat/session_run.h"

namespace mxp::tools {
Result<void> run_connect(const Options& options, Output& output, JsonOutput& json) {
  auto addresses = resolve_all(options.url.host, options.url.port);
  if (!addresses) return std::unexpected(addresses.error());
  const SessionRun run{
      .bind = local_address_for(*addresses),
      .configure = [](EndpointConfig& config) { config.accept = false; },
      .start = [&](EventLoop&, Hub& hub) { return hub.dial(*addresses, *options.url.key); },
  };
  return run_sessions(options, output, json, run);
}

}  // namespace mxp::tools
