#include "udp/address_watch.h"

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>

#include "udp/socket_address.h"

namespace mxp {

AddressWatch::AddressWatch() : socket_(::socket(AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, NETLINK_ROUTE)) {
  sockaddr_nl groups{};
  groups.nl_family = AF_NETLINK;
  groups.nl_groups = RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR | RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE;
  if (socket_ && ::bind(socket_.get(), reinterpret_cast<const sockaddr*>(&groups), sizeof(groups)) != 0)
    socket_ = UniqueFd();
}

bool AddressWatch::take_change() {
  // What exactly changed does not matter: the system is asked for the outcome. So reports may be cut off.
  std::array<char, 1024> report;
  bool changed = false;
  for (;;) {
    if (::recv(socket_.get(), report.data(), report.size(), MSG_TRUNC) >= 0) changed = true;
    else if (errno == ENOBUFS) changed = true;
    else if (errno != EINTR) return changed;
  }
}

std::optional<SocketAddress> local_address_toward(const SocketAddress& remote) {
  const UniqueFd probe(
      ::socket(remote.family == AddressFamily::ipv6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const auto to = to_system(remote, remote.family);
  SystemAddress from;
  from.size = sizeof(from.v6);
  if (!probe || !to || ::connect(probe.get(), &to->any, to->size) != 0 ||
      ::getsockname(probe.get(), &from.any, &from.size) != 0)
    return std::nullopt;
  auto local = from_system(&from.any, from.size);
  if (local) local->port = 0;
  return local;
}

}  // namespace mxp
