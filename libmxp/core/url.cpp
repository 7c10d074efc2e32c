// A URL is read from left to right: the scheme, then what stands before the first "/" (key, host, port), then the agent
// id.
#include "mxp/url.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/ip_text.h"
#include "mxp/address.h"

namespace mxp {
namespace {

constexpr std::string_view kScheme = "mxp://";
constexpr std::size_t kMaxHostName = 253;  // RFC 1035 §2.3.4
constexpr std::size_t kMaxAgentId = 255;   // our choice

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_name_character(char c) { return is_letter(c) || is_digit(c) || c == '-' || c == '_'; }

// What the user typed, made safe to print: control characters and the like are shown as \xNN.
std::string shown(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c >= 0x20 && c < 0x7f) out += c;
    else out += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
  }
  return out;
}

// Labels of letters, digits, "-" and "_", one to 63 characters each. Some resolvers would read a name whose last label
// is a number as an odd IPv4 address, so of those only the plain form of four numbers is taken.
bool is_host(std::string_view host) {
  if (parse_ipv4(host)) return true;
  if (host.ends_with('.')) host.remove_suffix(1);  // the name was given from the root
  if (host.empty() || host.size() > kMaxHostName) return false;
  while (true) {
    const std::size_t dot = host.find('.');
    const std::string_view label = host.substr(0, dot);
    if (label.empty() || label.size() > 63 || !std::all_of(label.begin(), label.end(), is_name_character)) return false;
    if (dot == std::string_view::npos) return !std::all_of(label.begin(), label.end(), is_digit);
    host.remove_prefix(dot + 1);
  }
}

// RFC 3986 §3.3 without percent-encoding, so that each id has one text.
bool is_agent_id(std::string_view id) {
  constexpr std::string_view kOthers = "-._~!$&'()*+,;=:@";
  return id.size() <= kMaxAgentId && std::all_of(id.begin(), id.end(), [&](char c) {
           return is_letter(c) || is_digit(c) || kOthers.find(c) != std::string_view::npos;
         });
}

std::unexpected<std::string> no_url(std::string text) { return std::unexpected(std::move(text)); }

// host[:port], IPv6 in brackets.
std::expected<void, std::string> read_host_and_port(Url& url, std::string_view text) {
  std::string_view host, port;
  bool has_port = false;
  if (text.starts_with('[')) {
    const std::size_t end = text.find(']');
    if (end == std::string_view::npos)
      return no_url(fmt::format("'{}' has '[' without ']': an IPv6 address is written [::1]", shown(text)));
    host = text.substr(1, end - 1);
    if (!SocketAddress::parse(fmt::format("[{}]:{}", host, kDefaultPort))) {
      return no_url(fmt::format("'{}' is not an IPv6 address: expected one like [2001:db8::1]", shown(host)));
    }
    const std::string_view after = text.substr(end + 1);
    if (!after.empty() && after.front() != ':') {
      return no_url(
          fmt::format("'{}' follows the IPv6 address: expected ':' and a port, '/' or the end", shown(after)));
    }
    has_port = !after.empty();
    port = has_port ? after.substr(1) : after;
  } else {
    const std::size_t colon = text.find(':');
    host = text.substr(0, colon);
    has_port = colon != std::string_view::npos;
    port = has_port ? text.substr(colon + 1) : std::string_view();
    if (has_port && port.find(':') != std::string_view::npos) {
      return no_url(
          fmt::format("'{}' has more than one ':': an IPv6 address is written in brackets, like [::1]", shown(text)));
    }
    if (host.empty()) return no_url("the host is missing: expected mxp://[KEY@]host[:port][/agent-id]");
    if (!is_host(host))
      return no_url(fmt::format("'{}' is not a host: expected a name or a numeric address", shown(host)));
  }
  url.host = host;
  if (has_port) {
    const auto number = parse_decimal(port, kMaxPort);
    if (!number || *number == 0)
      return no_url(fmt::format("'{}' is not a port: expected a number from 1 to 65535", shown(port)));
    url.port = static_cast<std::uint16_t>(*number);
  }
  return {};
}

}  // namespace

std::expected<Url, std::string> parse_url(std::string_view text) {
  if (!text.starts_with(kScheme)) {
    return no_url(fmt::format("'{}' is not an MXP URL: expected mxp://[KEY@]host[:port][/agent-id]", shown(text)));
  }
  text.remove_prefix(kScheme.size());
  Url url;
  const std::size_t slash = text.find('/');
  std::string_view authority = text.substr(0, slash);
  if (slash != std::string_view::npos) {
    const std::string_view id = text.substr(slash + 1);
    if (!is_agent_id(id)) {
      return no_url(fmt::format("'{}' is not an agent id: expected at most {} letters, digits and -._~!$&'()*+,;=:@",
                                shown(id), kMaxAgentId));
    }
    url.agent_id = id;
  }
  if (const std::size_t at = authority.rfind('@'); at != std::string_view::npos) {
    url.key = PublicKey::parse(authority.substr(0, at));
    if (!url.key) {
      return no_url(
          fmt::format("'{}' is not a public key: expected 43 characters of base64url", shown(authority.substr(0, at))));
    }
    authority.remove_prefix(at + 1);
  }
  if (const auto read = read_host_and_port(url, authority); !read) return std::unexpected(read.error());
  return url;
}

std::string Url::to_string() const {
  std::string text(kScheme);
  if (key) text += key->to_string() + "@";
  text += host.find(':') == std::string::npos ? host : "[" + host + "]";
  text += fmt::format(":{}", port);
  if (!agent_id.empty()) text += "/" + agent_id;
  return text;
}

}  // namespace mxp
