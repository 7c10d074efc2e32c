#include "mxp-cat/connect.h"

#include <fmt/format.h>

#include "common/resolve.h"
#include "mxp-cat/session_run.h"

namespace mxp::tools {

Result<void> run_connect(const Options& options, Output& output, JsonOutput& json) {
  const auto remote = resolve(options.url.host, options.url.port);
  if (!remote) return std::unexpected(remote.error());
  SocketAddress any;
  any.family = remote->family;
  const SessionRun run{
      .bind = any,
      .configure = [](EndpointConfig& config) { config.accept = false; },
      .start = [&](EventLoop& loop, Hub& hub) -> Result<void> {
        hub.set_target(remote->to_string());
        const auto connection = loop.endpoint().connect(loop.now(), *remote, *options.url.key);
        if (connection) return {};
        const ErrorKind kind =
            connection.error() == ConnectError::invalid_server_key ? ErrorKind::usage : ErrorKind::network;
        return fail(kind, fmt::format("cannot connect to {}: {}", remote->to_string(), to_string(connection.error())));
      },
  };
  return run_sessions(options, output, json, run);
}

}  // namespace mxp::tools
