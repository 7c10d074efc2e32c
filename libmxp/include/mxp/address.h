// An IP address and a port as a plain value, without any socket header.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#pragma GCC visibility push(default)
namespace mxp {

enum class AddressFamily : std::uint8_t { ipv4, ipv6 };
// Bytes of the IP header, without options, and the UDP header: what a datagram takes of the MTU beside its payload.
constexpr std::size_t ip_and_udp_headers(AddressFamily family) { return (family == AddressFamily::ipv4 ? 20 : 40) + 8; }

struct SocketAddress {
  AddressFamily family = AddressFamily::ipv4;
  std::array<std::uint8_t, 16> ip{};  // network order; IPv4 uses the first four bytes, the rest is zero
  std::uint16_t port = 0;             // host order
  std::uint32_t scope_id = 0;         // IPv6 link-local only

  static SocketAddress ipv4(std::uint8_t a, std::uint8_t b, std::uint8_t c, std::uint8_t d, std::uint16_t port) {
    SocketAddress address;
    address.ip = {a, b, c, d};
    address.port = port;
    return address;
  }

  // "127.0.0.1:9000" or "[::1]:9000": numeric only, no name is looked up.
  static std::optional<SocketAddress> parse(std::string_view text);
  std::string to_string() const;

  auto operator<=>(const SocketAddress&) const = default;
};

}  // namespace mxp
#pragma GCC visibility pop
