// From what a user types to an address. The only place of the tools that asks the resolver; it may block.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "common/tool_error.h"
#include "mxp/address.h"

namespace mxp::tools {

// A name or a numeric address. IPv4 is preferred where a name has both, since a listener on all addresses means IPv4.
// A name that does not resolve is a network error (exit 1).
Result<SocketAddress> resolve(const std::string& host, std::uint16_t port);

// "[ADDR:]PORT" of a listener: "9000", "127.0.0.1:0", "[::1]:9000", "localhost:9000". No ADDR: all IPv4 addresses.
Result<SocketAddress> parse_listen_address(std::string_view text);

// "HOST:PORT" of a peer; the port is required.
Result<SocketAddress> parse_host_port(std::string_view text);

// What a client on this machine dials: the loopback address in place of "all addresses".
SocketAddress dialable(SocketAddress address);

}  // namespace mxp::tools
