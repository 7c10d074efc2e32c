#include "mxp-cat/connect.h"

#include <algorithm>

#include "common/resolve.h"
#include "mxp-cat/session_run.h"

namespace mxp::tools {
namespace {

// From where all of `addresses` can be reached; those that the system has no family for are left out.
SocketAddress bind_for(std::vector<SocketAddress>& addresses) {
  SocketAddress any;
  any.family = addresses.front().family;
  const auto of_other_family = [&](const SocketAddress& one) { return one.family != any.family; };
  if (std::none_of(addresses.begin(), addresses.end(), of_other_family)) return any;
  any = all_addresses(0);
  if (any.family == AddressFamily::ipv4) std::erase_if(addresses, of_other_family);
  return any;
}

}  // namespace

Result<void> run_connect(const Options& options, Output& output, JsonOutput& json) {
  auto addresses = resolve_all(options.url.host, options.url.port);
  if (!addresses) return std::unexpected(addresses.error());
  const SessionRun run{
      .bind = bind_for(*addresses),
      .configure = [](EndpointConfig& config) { config.accept = false; },
      .start = [&](EventLoop&, Hub& hub) { return hub.dial(*addresses, *options.url.key); },
  };
  return run_sessions(options, output, json, run);
}

}  // namespace mxp::tools
