#include "udp/udp_socket.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <limits>
#include <string>
#include <system_error>

#include "udp/socket_address.h"

namespace mxp {
namespace {

// Asks for `wanted` bytes and returns what was granted. Root may exceed the system's limit (net.core.rmem_max).
std::size_t set_buffer(int fd, int force_name, int name, std::size_t wanted, Syscalls& syscalls) {
  const int value = static_cast<int>(std::min<std::size_t>(wanted, std::numeric_limits<int>::max() / 2));
  if (syscalls.set_option(fd, SOL_SOCKET, force_name, &value, sizeof(value)) != 0) {
    syscalls.set_option(fd, SOL_SOCKET, name, &value, sizeof(value));  // cut to the limit, never refused
  }
  int granted = 0;
  socklen_t size = sizeof(granted);
  if (syscalls.get_option(fd, SOL_SOCKET, name, &granted, &size) != 0) return 0;
  return static_cast<std::size_t>(granted) /
         2;  // socket(7): the kernel doubles it for its bookkeeping and reports that
}

// Our datagrams travel whole ("don't fragment"), and their sizes are limited by nothing but our own interface: finding
// what the path takes is the transport's job, and a forged "fragmentation needed" must not shrink what we may send
// (threat t44). PROBE is the mode of Linux that does both (ip(7), ipv6(7)). An IPv6 socket may send IPv4 as well. A
// system without these options still carries.
void forbid_fragments(int fd, [[maybe_unused]] bool v6, Syscalls& syscalls) {
  const auto set = [&](int level, int name, int value) { syscalls.set_option(fd, level, name, &value, sizeof(value)); };
#if defined(IP_MTU_DISCOVER) && defined(IP_PMTUDISC_PROBE)
  set(IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_PROBE);
#elif defined(IP_DONTFRAG)
  if (!v6) set(IPPROTO_IP, IP_DONTFRAG, 1);
#endif
#if defined(IPV6_MTU_DISCOVER) && defined(IPV6_PMTUDISC_PROBE)
  if (v6) set(IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_PROBE);
#endif
#if defined(IPV6_DONTFRAG)
  if (v6) set(IPPROTO_IPV6, IPV6_DONTFRAG, 1);
#endif
}

bool takes_both_families(const SocketAddress& address) {
  return is_any(address) || from_in6(to_in6(address), 0, 0).family == AddressFamily::ipv4;
}

}  // namespace

IoError io_error(int code, std::string_view what) {
  return {code, std::string(what) + ": " + std::generic_category().message(code)};
}

std::expected<UdpSocket, IoError> bind_udp_socket(const SocketConfig& config, Syscalls& syscalls) {
  const bool v6 = config.bind.family == AddressFamily::ipv6;
  UdpSocket out;
  out.fd = UniqueFd(::socket(v6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!out.fd.valid()) return std::unexpected(io_error(errno, "open a UDP socket"));
  const int fd = out.fd.get();
  if (v6) {
    const int only = takes_both_families(config.bind) ? 0 : 1;
    if (syscalls.set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only, sizeof(only)) != 0) {
      return std::unexpected(io_error(errno, "set IPV6_V6ONLY"));
    }
  }
  forbid_fragments(fd, v6, syscalls);
  // This comes before bind(): a datagram may arrive as soon as the port is ours.
  out.receive_buffer_bytes = set_buffer(fd, SO_RCVBUFFORCE, SO_RCVBUF, config.buffer_bytes, syscalls);
  out.send_buffer_bytes = set_buffer(fd, SO_SNDBUFFORCE, SO_SNDBUF, config.buffer_bytes, syscalls);

  const auto address = to_system(config.bind, config.bind.family);
  if (::bind(fd, &address->any, address->size) != 0) {
    return std::unexpected(io_error(errno, "bind " + config.bind.to_string()));
  }
  SystemAddress bound;
  bound.size = sizeof(bound.v6);
  if (::getsockname(fd, &bound.any, &bound.size) != 0)
    return std::unexpected(io_error(errno, "read the bound address"));
  out.local = from_system(&bound.any, bound.size).value_or(config.bind);
  out.any_address = is_any(config.bind);
  return out;
}

}  // namespace mxp
