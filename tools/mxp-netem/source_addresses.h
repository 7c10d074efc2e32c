// The addresses of this host that a NAT in front of the target may take in turn.
#pragma once

#include <vector>

#include "mxp/address.h"

namespace mxp::tools {

// Those from which the target can be reached, beginning with the one that the kernel would choose; without ports. Empty
// if there is no way to the target. On 127.0.0.0/8 every address belongs to this host, so a few of them are made up.
std::vector<SocketAddress> source_addresses(const SocketAddress& target);

}  // namespace mxp::tools
