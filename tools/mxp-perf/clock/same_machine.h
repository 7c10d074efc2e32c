// Whether an address is one of loopback.
#pragma once

#include "mxp/address.h"

namespace mxp::perf {

// Whether both ends read the same clock, so that the time in a message says how old it is.
inline bool is_this_machine(const SocketAddress& address) {
  if (address.family == AddressFamily::ipv4) return address.ip[0] == 127;
  SocketAddress loopback = address;
  loopback.ip = {};
  loopback.ip[15] = 1;
  return loopback == address;
}

}  // namespace mxp::perf
