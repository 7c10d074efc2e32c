#include "mxp-cat/listen.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "common/resolve.h"
#include "common/units.h"
#include "mxp-cat/session_run.h"

namespace mxp::tools {
namespace {

std::string url_of(EventLoop& loop) {
  return fmt::format("mxp://{}@{}", loop.endpoint().public_key().to_string(),
                     dialable(loop.local_address()).to_string());
}

Result<void> announce(const Options& options, Output& output, EventLoop& loop, Hub& hub) {
  output.line(fmt::format("listening {}", url_of(loop)));
  output.release();
  if (options.say_that_anyone_may_connect) {
    output.note(
        "every client that knows this key may connect (--authorized-keys FILE restricts it, --allow-any says it is "
        "meant)");
  }
  if (options.timeout) {
    loop.at(loop.now() + *options.timeout, [&options, &hub] {
      if (hub.had_connection()) return;
      hub.give_up({ErrorKind::timeout,
                   fmt::format("no client connected within {} (--timeout)", format_duration(*options.timeout))});
    });
  }
  return {};
}

}  // namespace

Result<void> run_listen(const Options& options, Output& output, JsonOutput& json) {
  output.hold();  // scripts read the address from the first line of stderr
  std::set<PublicKey> authorized;
  if (options.authorized) authorized.insert(options.authorized->begin(), options.authorized->end());
  Hub* hub_of_run = nullptr;  // before there can be a client
  const SessionRun run{
      .bind = options.listen_address,
      .configure =
          [&](EndpointConfig& config) {
            config.accept = true;
            if (!options.authorized) return;
            config.authorize = [&](const PublicKey& client) {
              const bool allowed = authorized.contains(client);
              if (!allowed && hub_of_run)
                hub_of_run->note_about(
                    "unauthorized clients",
                    fmt::format("refused a client that is not authorized, key {}", client.to_string()));
              return allowed;
            };
          },
      .start =
          [&](EventLoop& loop, Hub& hub) {
            hub_of_run = &hub;
            return announce(options, output, loop, hub);
          },
  };
  Result<void> result = run_sessions(options, output, json, run);
  output.release();
  return result;
}

}  // namespace mxp::tools
