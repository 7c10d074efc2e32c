#include "mxp-netem/icmp_sender.h"

#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>

#include "mxp-netem/raw_ip.h"
#include "udp/socket_address.h"

namespace mxp::tools {
namespace {

constexpr std::size_t kIcmpHeader = 8;
// The whole packet with its IP header: RFC 1812 §4.3.2.3 and RFC 4443 §2.4 (c).
constexpr std::size_t kMostIpv4 = 576 - 20;
constexpr std::size_t kMostIpv6 = 1280 - 40;

// ICMP_FILTER of linux/icmp.h, which cannot be included together with netinet/ip_icmp.h.
constexpr int kIcmpFilter = 1;

UniqueFd raw_socket(int family, int protocol) {
  return UniqueFd(::socket(family, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol));
}

// A raw socket gets a copy of every ICMP message that the machine receives, unless a filter blocks them all.
void receive_nothing(int ipv4, int ipv6) {
  const std::uint32_t all_types = ~0u;
  if (ipv4 >= 0) ::setsockopt(ipv4, SOL_RAW, kIcmpFilter, &all_types, sizeof all_types);
  if (ipv6 < 0) return;
  icmp6_filter none;
  ICMP6_FILTER_SETBLOCKALL(&none);
  ::setsockopt(ipv6, IPPROTO_ICMPV6, ICMP6_FILTER, &none, sizeof none);
}

}  // namespace

void append_port_unreachable(std::vector<std::uint8_t>& out, const SocketAddress& client, const SocketAddress& reached,
                             ByteView payload) {
  const bool ipv6 = client.family == AddressFamily::ipv6;
  const std::size_t start = out.size();
  out.insert(out.end(), kIcmpHeader, 0);
  out[start] = ipv6 ? ICMP6_DST_UNREACH : ICMP_DEST_UNREACH;
  out[start + 1] = ipv6 ? ICMP6_DST_UNREACH_NOPORT : ICMP_PORT_UNREACH;
  append_raw_ip(out, client, reached, Ecn::not_ect, payload);
  out.resize(std::min(out.size(), start + (ipv6 ? kMostIpv6 : kMostIpv4)));
  if (ipv6) return;
  const std::uint16_t checksum = fold_checksum(add_to_checksum(0, ByteView(out).subspan(start)));
  out[start + 2] = static_cast<std::uint8_t>(checksum >> 8);
  out[start + 3] = static_cast<std::uint8_t>(checksum & 0xff);
}

IcmpSender::IcmpSender() : ipv4_(raw_socket(AF_INET, IPPROTO_ICMP)), ipv6_(raw_socket(AF_INET6, IPPROTO_ICMPV6)) {
  receive_nothing(ipv4_.get(), ipv6_.get());
}

void IcmpSender::port_unreachable(const SocketAddress& client, const SocketAddress& reached, ByteView payload) {
  const UniqueFd& socket = client.family == AddressFamily::ipv6 ? ipv6_ : ipv4_;
  if (!socket || client.family != reached.family) return;
  message_.clear();
  append_port_unreachable(message_, client, reached, payload);
  SocketAddress to = client;
  to.port = 0;  // ICMP has no ports, and on a raw IPv6 socket Linux refuses any but 0 or the protocol
  const auto system = to_system(to, to.family);
  if (system) ::sendto(socket.get(), message_.data(), message_.size(), 0, &system->any, system->size);
}

}  // namespace mxp::tools
