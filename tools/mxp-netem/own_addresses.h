// The addresses of this host, and whether a target is the relay itself.
#pragma once

#include <vector>

#include "mxp/address.h"

namespace mxp::tools {

// Of the interfaces that are up, without ports.
std::vector<SocketAddress> own_addresses(AddressFamily family);

// Whether what is sent to `target` comes in where `listen` listens, so that one datagram would go round and round, each
// time as a client that is new. `listen` may be all addresses.
bool leads_back(const SocketAddress& listen, const SocketAddress& target);

}  // namespace mxp::tools
