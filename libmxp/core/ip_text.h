// Numeric IP addresses as text, without a socket header: strict reading, canonical writing.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace mxp {

inline constexpr std::uint32_t kMaxPort = 65535;

using Ipv4Bytes = std::array<std::uint8_t, 4>;   // network order
using Ipv6Bytes = std::array<std::uint8_t, 16>;  // network order

// Four decimal numbers of 0..255 without leading zeros, since "010.0.0.1" means different things to different readers.
std::optional<Ipv4Bytes> parse_ipv4(std::string_view text);
// RFC 4291 §2.2: groups of one to four hexadecimal digits, "::" at most once, IPv4 in the last two groups. No scope.
std::optional<Ipv6Bytes> parse_ipv6(std::string_view text);
// An unsigned decimal number without leading zeros, sign or blanks, at most `highest`.
std::optional<std::uint32_t> parse_decimal(std::string_view text, std::uint32_t highest);

std::string format_ipv4(const Ipv4Bytes& ip);
// RFC 5952.
std::string format_ipv6(const Ipv6Bytes& ip);

}  // namespace mxp
