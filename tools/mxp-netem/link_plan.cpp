#include "mxp-netem/link_plan.h"

#include <algorithm>
#include <string_view>

#include "netem/words.h"

namespace mxp::tools {
namespace {

constexpr unsigned kIpv4Bits = 32;
constexpr unsigned kIpv6Bits = 128;

unsigned bits_of(AddressFamily family) { return family == AddressFamily::ipv6 ? kIpv6Bits : kIpv4Bits; }

}  // namespace

bool ClientMatch::operator()(const SocketAddress& client, std::uint64_t client_number) const {
  if (number) return *number == client_number;
  if (!network || network->family != client.family) return false;
  for (unsigned bit = 0; bit < prefix_bits; bit += 8) {
    const unsigned left = std::min(prefix_bits - bit, 8u);
    const auto mask = static_cast<std::uint8_t>(0xff00u >> left);
    if (((network->ip[bit / 8] ^ client.ip[bit / 8]) & mask) != 0) return false;
  }
  return true;
}

std::optional<ClientMatch> parse_network(std::string_view text) {
  const std::size_t slash = text.find('/');
  const std::string address(text.substr(0, slash));
  const bool ipv6 = address.find(':') != std::string::npos;
  const auto parsed = SocketAddress::parse(ipv6 ? "[" + address + "]:0" : address + ":0");
  if (!parsed) return std::nullopt;
  ClientMatch match{.network = parsed, .prefix_bits = bits_of(parsed->family), .number = {}};
  if (slash == std::string_view::npos) return match;
  const auto number = netem::whole_number<unsigned>(text.substr(slash + 1));
  if (!number || *number > match.prefix_bits) return std::nullopt;
  match.prefix_bits = *number;
  return match;
}

}  // namespace mxp::tools
