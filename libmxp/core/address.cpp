#include "mxp/address.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "core/ip_text.h"

namespace mxp {
namespace {

bool is_link_local(const Ipv6Bytes& ip) { return ip[0] == 0xfe && (ip[1] & 0xc0) == 0x80; }  // fe80::/10

std::optional<SocketAddress> parse_bracketed(std::string_view inside, std::uint16_t port) {
  SocketAddress address;
  address.family = AddressFamily::ipv6;
  address.port = port;
  const std::size_t percent = inside.find('%');
  const auto ip = parse_ipv6(inside.substr(0, percent));
  if (!ip) return std::nullopt;
  address.ip = *ip;
  if (percent != std::string_view::npos) {
    // A scope is a number here: only the system can turn the name of an interface into one.
    const auto scope = parse_decimal(inside.substr(percent + 1), std::numeric_limits<std::uint32_t>::max());
    if (!scope || *scope == 0 || !is_link_local(*ip)) return std::nullopt;
    address.scope_id = *scope;
  }
  return address;
}

}  // namespace

std::optional<SocketAddress> SocketAddress::parse(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const auto port = parse_decimal(text.substr(colon + 1), kMaxPort);
  if (!port) return std::nullopt;
  const std::string_view host = text.substr(0, colon);
  if (host.size() >= 2 && host.front() == '[' && host.back() == ']') {
    return parse_bracketed(host.substr(1, host.size() - 2), static_cast<std::uint16_t>(*port));
  }
  const auto ip = parse_ipv4(host);
  if (!ip) return std::nullopt;
  return SocketAddress::ipv4((*ip)[0], (*ip)[1], (*ip)[2], (*ip)[3], static_cast<std::uint16_t>(*port));
}

std::string SocketAddress::to_string() const {
  if (family == AddressFamily::ipv4) return fmt::format("{}:{}", format_ipv4({ip[0], ip[1], ip[2], ip[3]}), port);
  if (scope_id != 0) return fmt::format("[{}%{}]:{}", format_ipv6(ip), scope_id, port);
  return fmt::format("[{}]:{}", format_ipv6(ip), port);
}

}  // namespace mxp
