// The loop of a run with --http: one thread that drives all relays and does what the HTTP server's threads ask for.
#pragma once

#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <vector>

#include "common/output.h"
#include "common/signals.h"
#include "common/tool_error.h"
#include "mxp-netem/api/loop_mailbox.h"
#include "mxp-netem/api/proxy_registry.h"
#include "mxp-netem/options.h"
#include "mxp-netem/relay.h"
#include "udp/unique_fd.h"

namespace mxp::tools {

class ApiLoop {
 public:
  // `first`: the relay of the command line, or none. All outlive the loop.
  ApiLoop(const Options& options, Relay* first, Output& output);

  // Says at which address the interface listens, and serves until the duration is over or a signal comes. The relays
  // are finished then.
  Result<RelayEnd> run(const SignalWatch& signals);

  const std::vector<std::unique_ptr<Proxy>>& proxies() const { return registry_.proxies(); }

 private:
  Result<void> watch(int fd);
  Timestamp next_event() const;
  Result<void> wait(Timestamp until);
  Result<void> step_all();
  void finish_all();

  const Options& options_;
  Output& output_;
  Relay* first_;
  UniqueFd epoll_;
  UniqueFd timer_;
  LoopMailbox mailbox_;
  ProxyRegistry registry_;
};

}  // namespace mxp::tools
