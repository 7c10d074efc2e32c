#include "mxp-netem/source_addresses.h"

#include <netinet/in.h>

#include <algorithm>

#include "common/resolve.h"
#include "mxp-netem/own_addresses.h"
#include "mxp-netem/relay_socket.h"
#include "udp/socket_address.h"

namespace mxp::tools {
namespace {

// Our choices: enough to tell one move from the next, and a bound for hosts with very many addresses.
constexpr std::uint8_t kOfLoopback = 8;
constexpr std::size_t kMost = 64;

bool is_link_local(const SocketAddress& address) {
  if (address.family == AddressFamily::ipv4) return address.ip[0] == 169 && address.ip[1] == 254;
  const in6_addr ip = to_in6(address);
  return IN6_IS_ADDR_LINKLOCAL(&ip);
}

}  // namespace

std::vector<SocketAddress> source_addresses(const SocketAddress& target) {
  const auto chosen = RelaySocket::connect(target);
  if (!chosen) return {};
  SocketAddress first = chosen->local();
  first.port = 0;
  std::vector<SocketAddress> out{first};

  std::vector<SocketAddress> candidates = own_addresses(target.family);
  if (target.family == AddressFamily::ipv4 && is_loopback(target)) {
    for (std::uint8_t last = 1; last <= kOfLoopback; ++last) {
      candidates.push_back(SocketAddress::ipv4(127, 0, 0, last, 0));
    }
  }
  for (const SocketAddress& address : candidates) {
    // A packet from a loopback or link-local address does not reach beyond, although the kernel would bind to it.
    if (is_loopback(address) != is_loopback(first) || is_link_local(address) != is_link_local(first)) continue;
    if (out.size() == kMost || std::find(out.begin(), out.end(), address) != out.end()) continue;
    if (RelaySocket::connect(target, address)) out.push_back(address);
  }
  return out;
}

}  // namespace mxp::tools
