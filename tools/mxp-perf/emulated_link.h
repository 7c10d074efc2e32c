// --link: an emulated link between client and server. mxp-netem plays it, in a process of its own that ends with this
// object, and with this process whatever ends it.
#pragma once

#include <sys/types.h>

#include <string>
#include <utility>

#include "common/tool_error.h"
#include "mxp-perf/partner.h"
#include "mxp/address.h"

namespace mxp::perf {

class EmulatedLink {
 public:
  // `spec`: as mxp-netem takes it, for both directions. `target`: HOST:PORT. mxp-netem is looked for beside this
  // program, then in PATH. The error has its words where it cannot begin. REQUIRES: `spec` is one
  // (netem::parse_link_spec).
  static tools::Result<EmulatedLink> start(const std::string& spec, const std::string& target);

  pid_t process() const { return relay_.process(); }
  // The client's end.
  const SocketAddress& address() const { return address_; }

 private:
  explicit EmulatedLink(Partner relay) : relay_(std::move(relay)) {}
  tools::Result<void> wait_until_ready();

  Partner relay_;  // the pipe is its stderr; what it says later is little and stays there
  SocketAddress address_;
};

}  // namespace mxp::perf
