#include "mxp-netem/own_addresses.h"

#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>

#include <algorithm>
#include <memory>

#include "common/resolve.h"
#include "udp/socket_address.h"

namespace mxp::tools {

std::vector<SocketAddress> own_addresses(AddressFamily family) {
  std::vector<SocketAddress> out;
  ifaddrs* list = nullptr;
  if (::getifaddrs(&list) != 0) return out;
  const std::unique_ptr<ifaddrs, decltype(&::freeifaddrs)> owner(list, &::freeifaddrs);
  const int wanted = family == AddressFamily::ipv6 ? AF_INET6 : AF_INET;
  for (const ifaddrs* one = list; one != nullptr; one = one->ifa_next) {
    if (one->ifa_addr == nullptr || one->ifa_addr->sa_family != wanted || (one->ifa_flags & IFF_UP) == 0) continue;
    const socklen_t size = wanted == AF_INET6 ? sizeof(sockaddr_in6) : sizeof(sockaddr_in);
    if (auto address = from_system(one->ifa_addr, size)) {
      address->port = 0;
      out.push_back(*address);
    }
  }
  return out;
}

bool leads_back(const SocketAddress& listen, const SocketAddress& target) {
  if (listen.port != target.port) return false;
  if (!is_any(listen)) {
    if (listen == target) return true;
    return is_any(target) && listen.family == target.family && is_loopback(listen);  // where the kernel sends it
  }
  // On all addresses of IPv6 the relay hears IPv4 as well.
  if (listen.family != target.family && listen.family != AddressFamily::ipv6) return false;
  if (is_any(target) || is_loopback(target)) return true;
  SocketAddress host = target;
  host.port = 0;
  const std::vector<SocketAddress> own = own_addresses(target.family);
  return std::find(own.begin(), own.end(), host) != own.end();
}

}  // namespace mxp::tools
