#include "common/resolve.h"

#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <memory>
#include <optional>

#include "common/escape.h"
#include "udp/socket_address.h"
#include "udp/unique_fd.h"

namespace mxp::tools {
namespace {

std::optional<std::uint16_t> parse_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return port;
}

SocketAddress from_sockaddr(const sockaddr* raw, std::uint16_t port) {
  SocketAddress address;
  address.port = port;
  if (raw->sa_family == AF_INET6) {
    sockaddr_in6 v6{};
    std::memcpy(&v6, raw, sizeof v6);
    address.family = AddressFamily::ipv6;
    std::memcpy(address.ip.data(), &v6.sin6_addr, 16);
    address.scope_id = v6.sin6_scope_id;
  } else {
    sockaddr_in v4{};
    std::memcpy(&v4, raw, sizeof v4);
    std::memcpy(address.ip.data(), &v4.sin_addr, 4);
  }
  return address;
}

struct HostPort {
  std::string host;  // may be empty
  std::uint16_t port = 0;
};

// "[HOST:]PORT" with IPv6 in brackets.
std::optional<HostPort> split_host_port(std::string_view text) {
  const auto colon = text.rfind(':');
  const auto port = parse_port(colon == std::string_view::npos ? text : text.substr(colon + 1));
  if (!port) return std::nullopt;
  if (colon == std::string_view::npos) return HostPort{"", *port};
  std::string_view host = text.substr(0, colon);
  if (host.size() >= 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
  } else if (host.find(':') != std::string_view::npos) {
    return std::nullopt;  // IPv6 without brackets: where does the port begin?
  }
  if (host.empty()) return std::nullopt;
  return HostPort{std::string(host), *port};
}

// The families taking turns, the first one's first.
std::vector<SocketAddress> in_turns(const std::vector<SocketAddress>& addresses) {
  std::vector<SocketAddress> first;
  std::vector<SocketAddress> second;
  for (const SocketAddress& one : addresses) {
    auto& family = one.family == addresses.front().family ? first : second;
    family.push_back(one);
  }
  std::vector<SocketAddress> ordered;
  for (std::size_t i = 0; ordered.size() < std::min(addresses.size(), kMaxAddresses); ++i) {
    if (i < first.size()) ordered.push_back(first[i]);
    if (i < second.size() && ordered.size() < kMaxAddresses) ordered.push_back(second[i]);
  }
  return ordered;
}

}  // namespace

Result<std::vector<SocketAddress>> resolve_all(const std::string& host, std::uint16_t port) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_DGRAM;
  addrinfo* found = nullptr;
  const int error = ::getaddrinfo(host.c_str(), nullptr, &hints, &found);
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner(found, &::freeaddrinfo);
  if (error != 0) {
    return fail(ErrorKind::network, fmt::format("cannot resolve {}: {}", escape(host), ::gai_strerror(error)));
  }
  std::vector<SocketAddress> addresses;
  for (const addrinfo* one = found; one != nullptr; one = one->ai_next) {
    if (one->ai_family != AF_INET && one->ai_family != AF_INET6) continue;
    const SocketAddress address = from_sockaddr(one->ai_addr, port);
    if (std::find(addresses.begin(), addresses.end(), address) == addresses.end()) addresses.push_back(address);
  }
  if (addresses.empty()) return fail(ErrorKind::network, fmt::format("{} has no IP address", escape(host)));
  return in_turns(addresses);
}

Result<SocketAddress> resolve(const std::string& host, std::uint16_t port) {
  const auto addresses = resolve_all(host, port);
  if (!addresses) return std::unexpected(addresses.error());
  const auto v4 = std::find_if(addresses->begin(), addresses->end(),
                               [](const SocketAddress& one) { return one.family == AddressFamily::ipv4; });
  return v4 != addresses->end() ? *v4 : addresses->front();
}

SocketAddress all_addresses(std::uint16_t port) {
  SocketAddress any;
  any.port = port;
  if (UniqueFd(::socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0))) any.family = AddressFamily::ipv6;
  return any;
}

Result<SocketAddress> parse_listen_address(std::string_view text, Families families) {
  const auto parsed = split_host_port(text);
  if (!parsed) {
    return fail(ErrorKind::usage, fmt::format("'{}' is not an address to listen on: expected [ADDR:]PORT, as in 9000, "
                                              "127.0.0.1:0 or [::1]:9000",
                                              escape(text)));
  }
  if (parsed->host.empty())
    return families == Families::both ? all_addresses(parsed->port) : SocketAddress::ipv4(0, 0, 0, 0, parsed->port);
  return resolve(parsed->host, parsed->port);
}

Result<SocketAddress> parse_host_port(std::string_view text) {
  const auto parsed = split_host_port(text);
  if (!parsed || parsed->host.empty() || parsed->port == 0) {
    return fail(ErrorKind::usage,
                fmt::format("'{}' is not HOST:PORT, as in 192.0.2.1:9000 or [2001:db8::1]:9000", escape(text)));
  }
  return resolve(parsed->host, parsed->port);
}

std::string host_port(std::string_view host, std::uint16_t port) {
  const bool is_ipv6 = host.find(':') != std::string_view::npos;
  return fmt::format("{}{}{}:{}", is_ipv6 ? "[" : "", host, is_ipv6 ? "]" : "", port);
}

bool is_loopback(const SocketAddress& address) {
  if (address.family == AddressFamily::ipv4) return address.ip[0] == 127;
  const in6_addr ip = to_in6(address);
  return IN6_IS_ADDR_LOOPBACK(&ip);
}

SocketAddress dialable(SocketAddress address) {
  const bool any = std::all_of(address.ip.begin(), address.ip.end(), [](std::uint8_t byte) { return byte == 0; });
  return any ? SocketAddress::ipv4(127, 0, 0, 1, address.port) : address;
}

}  // namespace mxp::tools
