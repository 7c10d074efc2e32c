// From what a user types to an address. The only place of the tools that asks the resolver; it may block.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/tool_error.h"
#include "mxp/address.h"

namespace mxp::tools {

// A name or a numeric address, for those who take one address only: IPv4 is preferred where a name has both.
// A name that does not resolve is a network error (exit 1).
Result<SocketAddress> resolve(const std::string& host, std::uint16_t port);

// All addresses of a name, at most kMaxAddresses, in the order in which to try them (RFC 8305 §4): the resolver's, with
// the families taking turns.
inline constexpr std::size_t kMaxAddresses = 8;
Result<std::vector<SocketAddress>> resolve_all(const std::string& host, std::uint16_t port);

// All addresses of this machine, IPv4 and IPv6 on one socket: "::", or 0.0.0.0 where the system has no IPv6.
SocketAddress all_addresses(std::uint16_t port);

// "[ADDR:]PORT" of a listener: "9000", "127.0.0.1:0", "[::1]:9000", "localhost:9000". No ADDR: all addresses of
// these families.
enum class Families : std::uint8_t { ipv4, both };
Result<SocketAddress> parse_listen_address(std::string_view text, Families families = Families::ipv4);

// "HOST:PORT" of a peer; the port is required.
Result<SocketAddress> parse_host_port(std::string_view text);
// That text of a name or a numeric address: "192.0.2.1:9000", "[2001:db8::1]:9000".
std::string host_port(std::string_view host, std::uint16_t port);

// 127.0.0.0/8 or ::1.
bool is_loopback(const SocketAddress& address);

// What a client on this machine dials: 127.0.0.1 in place of "all addresses", of which it is one in either family.
SocketAddress dialable(SocketAddress address);

}  // namespace mxp::tools
