// --link: an emulated link between client and server. mxp-netem plays it, in a process of its own that ends with this
// object, and with this process whatever ends it.
#pragma once

#include <sys/types.h>

#include <memory>
#include <string>

#include "common/tool_error.h"
#include "mxp/address.h"
#include "udp/unique_fd.h"

namespace mxp::perf {

class EmulatedLink {
 public:
  // `spec`: as mxp-netem takes it, for both directions. `target`: HOST:PORT. mxp-netem is looked for beside this
  // program, then in PATH. The error has its words where it cannot begin. REQUIRES: `spec` is one
  // (netem::parse_link_spec).
  static tools::Result<std::unique_ptr<EmulatedLink>> start(const std::string& spec, const std::string& target);
  ~EmulatedLink();
  EmulatedLink(const EmulatedLink&) = delete;
  EmulatedLink& operator=(const EmulatedLink&) = delete;

  pid_t process() const { return relay_; }
  // The client's end.
  const SocketAddress& address() const { return address_; }

 private:
  EmulatedLink(pid_t relay, UniqueFd said) : relay_(relay), said_(std::move(said)) {}
  tools::Result<void> wait_until_ready();

  pid_t relay_;
  UniqueFd said_;  // its stderr; what it says later is little and stays there
  SocketAddress address_;
};

}  // namespace mxp::perf
