#include "core/ip_text.h"

#include <fmt/format.h>

#include <algorithm>

namespace mxp {
namespace {

constexpr std::size_t kGroups = 8;

std::optional<std::uint16_t> parse_group(std::string_view text) {
  if (text.empty() || text.size() > 4) return std::nullopt;
  unsigned value = 0;
  for (const char c : text) {
    unsigned digit = 0;
    if (c >= '0' && c <= '9') digit = static_cast<unsigned>(c - '0');
    else if (c >= 'a' && c <= 'f') digit = static_cast<unsigned>(c - 'a') + 10;
    else if (c >= 'A' && c <= 'F') digit = static_cast<unsigned>(c - 'A') + 10;
    else return std::nullopt;
    value = value << 4 | digit;
  }
  return static_cast<std::uint16_t>(value);
}

struct Groups {
  std::array<std::uint16_t, kGroups> values{};
  std::size_t count = 0;
  bool push(std::uint16_t value) {
    if (count == kGroups) return false;
    values[count++] = value;
    return true;
  }
};

// Parses the groups between colons; "" has no groups. IPv4 may stand at the very end of the address.
std::optional<Groups> parse_groups(std::string_view text, bool ends_address) {
  Groups groups;
  while (!text.empty()) {
    const std::size_t colon = text.find(':');
    const std::string_view part = text.substr(0, colon);
    if (ends_address && colon == std::string_view::npos && part.find('.') != std::string_view::npos) {
      const auto ipv4 = parse_ipv4(part);
      if (!ipv4) return std::nullopt;
      for (const std::size_t i : {0u, 2u}) {
        if (!groups.push(static_cast<std::uint16_t>((*ipv4)[i] << 8 | (*ipv4)[i + 1]))) return std::nullopt;
      }
      return groups;
    }
    const auto group = parse_group(part);
    if (!group || !groups.push(*group)) return std::nullopt;
    if (colon == std::string_view::npos) return groups;
    text.remove_prefix(colon + 1);
    if (text.empty()) return std::nullopt;  // a colon with nothing after it
  }
  return groups;
}

}  // namespace

std::optional<std::uint32_t> parse_decimal(std::string_view text, std::uint32_t highest) {
  if (text.empty() || text.size() > 10 || (text.size() > 1 && text.front() == '0')) return std::nullopt;
  std::uint64_t value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + static_cast<unsigned>(c - '0');
  }
  if (value > highest) return std::nullopt;
  return static_cast<std::uint32_t>(value);
}

std::optional<Ipv4Bytes> parse_ipv4(std::string_view text) {
  Ipv4Bytes ip{};
  for (std::size_t i = 0; i < ip.size(); ++i) {
    const std::size_t dot = text.find('.');
    if ((dot == std::string_view::npos) != (i == ip.size() - 1)) return std::nullopt;
    const auto value = parse_decimal(text.substr(0, dot), 255);
    if (!value) return std::nullopt;
    ip[i] = static_cast<std::uint8_t>(*value);
    if (dot != std::string_view::npos) text.remove_prefix(dot + 1);
  }
  return ip;
}

std::optional<Ipv6Bytes> parse_ipv6(std::string_view text) {
  const std::size_t gap = text.find("::");
  const bool compressed = gap != std::string_view::npos;
  const auto head = parse_groups(text.substr(0, gap), !compressed);
  if (!head) return std::nullopt;
  Groups tail;
  if (compressed) {
    const auto parsed = parse_groups(text.substr(gap + 2), true);
    if (!parsed) return std::nullopt;
    tail = *parsed;
  }
  // "::" stands for at least one group.
  if (compressed ? head->count + tail.count >= kGroups : head->count != kGroups) return std::nullopt;

  std::array<std::uint16_t, kGroups> groups{};
  std::copy_n(head->values.begin(), head->count, groups.begin());
  std::copy_n(tail.values.begin(), tail.count, groups.end() - static_cast<std::ptrdiff_t>(tail.count));
  Ipv6Bytes ip{};
  for (std::size_t i = 0; i < kGroups; ++i) {
    ip[2 * i] = static_cast<std::uint8_t>(groups[i] >> 8);
    ip[2 * i + 1] = static_cast<std::uint8_t>(groups[i] & 0xff);
  }
  return ip;
}

std::string format_ipv4(const Ipv4Bytes& ip) { return fmt::format("{}.{}.{}.{}", ip[0], ip[1], ip[2], ip[3]); }

std::string format_ipv6(const Ipv6Bytes& ip) {
  std::array<unsigned, kGroups> groups{};
  for (std::size_t i = 0; i < kGroups; ++i) groups[i] = static_cast<unsigned>(ip[2 * i] << 8 | ip[2 * i + 1]);
  // RFC 5952 §5: IPv4-mapped addresses show the IPv4 part as such.
  if (std::all_of(groups.begin(), groups.begin() + 5, [](unsigned group) { return group == 0; }) &&
      groups[5] == 0xffff) {
    return "::ffff:" + format_ipv4({ip[12], ip[13], ip[14], ip[15]});
  }
  // §4.2: the longest run of two or more zero groups, the first of equals.
  std::size_t run_begin = kGroups, run_size = 1;
  for (std::size_t i = 0; i < kGroups;) {
    std::size_t end = i;
    while (end < kGroups && groups[end] == 0) ++end;
    if (end - i > run_size) run_begin = i, run_size = end - i;
    i = end + 1;
  }
  std::string text;
  for (std::size_t i = 0; i < kGroups; ++i) {
    if (i == run_begin) {
      text += "::";
      i += run_size - 1;
      continue;
    }
    if (!text.empty() && text.back() != ':') text += ':';
    text += fmt::format("{:x}", groups[i]);
  }
  return text;
}

}  // namespace mxp
