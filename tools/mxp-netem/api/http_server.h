// The HTTP interface: Toxiproxy's paths, methods and answers, and /metrics. It reads requests and writes answers; what
// they do is done by the loop (loop_mailbox.h). Threads: a few of its own.
#pragma once

#include <memory>

#include "common/tool_error.h"
#include "mxp-netem/api/loop_mailbox.h"
#include "mxp-netem/api/proxy_registry.h"
#include "mxp/address.h"

namespace mxp::tools {

class HttpServer {
 public:
  // Listens at once, and answers from then on. `mailbox` and `registry` outlive it; `registry` is touched by the loop
  // alone.
  static Result<std::unique_ptr<HttpServer>> open(const SocketAddress& address, LoopMailbox& mailbox,
                                                  ProxyRegistry& registry);
  // REQUIRES: the mailbox is closed, so that no request waits for a loop that has ended.
  ~HttpServer();

  const SocketAddress& local() const { return local_; }

 private:
  struct Server;
  HttpServer(std::unique_ptr<Server> server, SocketAddress local);
  std::unique_ptr<Server> server_;
  SocketAddress local_;
};

}  // namespace mxp::tools
