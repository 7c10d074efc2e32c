// SocketAddress to and from the system's sockaddr.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <optional>

#include "mxp/address.h"

namespace mxp {

// Room for either family, and how much of it is used.
struct SystemAddress {
  union {
    sockaddr any;
    sockaddr_in v4;
    sockaddr_in6 v6;
  };
  socklen_t size = 0;
  SystemAddress() : v6{} {}
};

// The address in the form that a socket of `socket_family` takes: an IPv6 socket wants IPv4 peers in mapped form (RFC
// 4291 §2.5.5.2). std::nullopt for an IPv6 address on an IPv4 socket.
std::optional<SystemAddress> to_system(const SocketAddress& address, AddressFamily socket_family);

// Mapped IPv4 addresses come out as IPv4. std::nullopt for any other family.
std::optional<SocketAddress> from_system(const sockaddr* address, socklen_t size);

// The bare addresses of packet info, with the same mapping.
in6_addr to_in6(const SocketAddress& address);
SocketAddress from_in(const in_addr& ip, std::uint16_t port);
SocketAddress from_in6(const in6_addr& ip, std::uint16_t port, std::uint32_t scope_id);

bool is_any(const SocketAddress& address);  // 0.0.0.0 or ::, whatever the port

}  // namespace mxp
