#include "udp/socket_address.h"

#include <algorithm>
#include <cstring>

namespace mxp {
namespace {

constexpr std::array<std::uint8_t, 12> kMappedPrefix = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

}  // namespace

in6_addr to_in6(const SocketAddress& address) {
  in6_addr out{};
  if (address.family == AddressFamily::ipv6) {
    std::memcpy(out.s6_addr, address.ip.data(), 16);
  } else {
    std::memcpy(out.s6_addr, kMappedPrefix.data(), kMappedPrefix.size());
    std::memcpy(out.s6_addr + kMappedPrefix.size(), address.ip.data(), 4);
  }
  return out;
}

SocketAddress from_in(const in_addr& ip, std::uint16_t port) {
  SocketAddress out;
  std::memcpy(out.ip.data(), &ip.s_addr, 4);
  out.port = port;
  return out;
}

SocketAddress from_in6(const in6_addr& ip, std::uint16_t port, std::uint32_t scope_id) {
  SocketAddress out;
  out.port = port;
  if (std::equal(kMappedPrefix.begin(), kMappedPrefix.end(), ip.s6_addr)) {
    std::memcpy(out.ip.data(), ip.s6_addr + kMappedPrefix.size(), 4);
    return out;
  }
  out.family = AddressFamily::ipv6;
  std::memcpy(out.ip.data(), ip.s6_addr, 16);
  out.scope_id = scope_id;
  return out;
}

std::optional<SystemAddress> to_system(const SocketAddress& address, AddressFamily socket_family) {
  SystemAddress out;
  if (socket_family == AddressFamily::ipv6) {
    out.v6.sin6_family = AF_INET6;
    out.v6.sin6_port = htons(address.port);
    out.v6.sin6_addr = to_in6(address);
    out.v6.sin6_scope_id = address.scope_id;
    out.size = sizeof(sockaddr_in6);
    return out;
  }
  if (address.family == AddressFamily::ipv6) return std::nullopt;
  out.v4.sin_family = AF_INET;
  out.v4.sin_port = htons(address.port);
  std::memcpy(&out.v4.sin_addr.s_addr, address.ip.data(), 4);
  out.size = sizeof(sockaddr_in);
  return out;
}

std::optional<SocketAddress> from_system(const sockaddr* address, socklen_t size) {
  // Copied out: the kernel's bytes need not be aligned for the type that they turn out to be.
  if (size >= sizeof(sockaddr_in) && address->sa_family == AF_INET) {
    sockaddr_in v4;
    std::memcpy(&v4, address, sizeof(v4));
    return from_in(v4.sin_addr, ntohs(v4.sin_port));
  }
  if (size >= sizeof(sockaddr_in6) && address->sa_family == AF_INET6) {
    sockaddr_in6 v6;
    std::memcpy(&v6, address, sizeof(v6));
    return from_in6(v6.sin6_addr, ntohs(v6.sin6_port), v6.sin6_scope_id);
  }
  return std::nullopt;
}

bool is_any(const SocketAddress& address) {
  return std::all_of(address.ip.begin(), address.ip.end(), [](std::uint8_t byte) { return byte == 0; });
}

}  // namespace mxp
