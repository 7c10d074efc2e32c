// What stands to the right of an operator, read by the type of the field to the left of it.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <limits>

#include "common/escape.h"
#include "mxp-dump/filter/filter_nodes.h"

namespace mxp::dump {
namespace {

constexpr std::uint64_t kNanosecondsInSecond = 1'000'000'000;

std::optional<std::uint64_t> read_integer(std::string_view text, int base) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<std::uint64_t> read_number(std::string_view text) {
  if (text.starts_with("0x") || text.starts_with("0X")) return read_integer(text.substr(2), 16);
  return read_integer(text, 10);
}

// "1.25" of a unit, exactly: as a binary number a time of today would lose its nanoseconds. Digits below a nanosecond
// have to be zero.
std::optional<std::uint64_t> read_decimal(std::string_view text, std::uint64_t unit_ns) {
  const std::size_t dot = text.find('.');
  const auto whole = read_integer(text.substr(0, dot), 10);
  if (!whole || *whole > std::numeric_limits<std::uint64_t>::max() / unit_ns - 1) return std::nullopt;
  std::uint64_t value = *whole * unit_ns;
  if (dot == std::string_view::npos) return value;
  const std::string_view fraction = text.substr(dot + 1);
  if (fraction.empty()) return std::nullopt;
  for (const char digit : fraction) {
    if (digit < '0' || digit > '9' || (unit_ns % 10 != 0 && digit != '0')) return std::nullopt;
    unit_ns /= 10;
    value += static_cast<std::uint64_t>(digit - '0') * unit_ns;
  }
  return value;
}

std::optional<std::uint64_t> read_duration(std::string_view text) {
  struct Unit {
    std::string_view name;
    std::uint64_t ns;
  };
  constexpr Unit kUnits[] = {{"ns", 1},
                             {"us", 1000},
                             {"ms", 1'000'000},
                             {"s", kNanosecondsInSecond},
                             {"m", 60 * kNanosecondsInSecond},
                             {"h", 3600 * kNanosecondsInSecond}};
  for (const Unit& unit : kUnits)
    if (text.ends_with(unit.name)) return read_decimal(text.substr(0, text.size() - unit.name.size()), unit.ns);
  return read_decimal(text, kNanosecondsInSecond);
}

// Seconds since 1970, or 2026-11-28T03:04:05.678Z (the time of day may be left out).
std::optional<std::uint64_t> read_time(std::string_view text) {
  if (const auto seconds = read_decimal(text, kNanosecondsInSecond)) return seconds;
  if (text.ends_with('Z')) text.remove_suffix(1);
  const auto part = [&](std::size_t at, std::size_t size) -> std::optional<unsigned> {
    const auto value = at + size <= text.size() ? read_integer(text.substr(at, size), 10) : std::nullopt;
    return value ? std::optional(static_cast<unsigned>(*value)) : std::nullopt;
  };
  const auto year = part(0, 4), month = part(5, 2), day = part(8, 2);
  if (!year || !month || !day || *year < 1970 || *year > 2500 || text[4] != '-' || text[7] != '-') return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(static_cast<int>(*year)), std::chrono::month(*month),
                                         std::chrono::day(*day)};
  if (!date.ok()) return std::nullopt;
  const auto days = std::chrono::sys_days(date).time_since_epoch();
  std::uint64_t ns = static_cast<std::uint64_t>(std::chrono::nanoseconds(days).count());
  if (text.size() == 10) return ns;
  const auto hour = part(11, 2), minute = part(14, 2);
  if (!hour || !minute || *hour > 23 || *minute > 59 || (text[10] != 'T' && text[10] != ' ') || text[13] != ':')
    return std::nullopt;
  ns += (*hour * 60 + *minute) * 60 * kNanosecondsInSecond;
  if (text.size() == 16) return ns;
  const auto seconds = text[16] == ':' ? read_decimal(text.substr(17), kNanosecondsInSecond) : std::nullopt;
  if (!seconds || *seconds > 60 * kNanosecondsInSecond) return std::nullopt;
  return ns + *seconds;
}

// "c1c2c3c4c5c6c7c8", and with colons or 0x.
std::optional<std::uint64_t> read_id(std::string_view text) {
  if (text.starts_with("0x")) text.remove_prefix(2);
  std::string digits(text);
  std::erase(digits, ':');
  return digits.size() == 16 ? read_integer(digits, 16) : std::nullopt;
}

std::optional<std::uint64_t> read_boolean(std::string_view text) {
  for (const std::string_view yes : {"1", "true", "True", "TRUE"})
    if (text == yes) return 1;
  for (const std::string_view no : {"0", "false", "False", "FALSE"})
    if (text == no) return 0;
  return std::nullopt;
}

std::optional<SocketAddress> read_ip(std::string_view text) {
  const bool six = text.find(':') != std::string_view::npos;
  return SocketAddress::parse(fmt::format("{}{}{}:0", six ? "[" : "", text, six ? "]" : ""));
}

// 10.0.0.0/8: all addresses of it, as a range.
std::expected<Literal, std::string> read_network(std::string_view text) {
  const std::size_t slash = text.find('/');
  const auto address = read_ip(text.substr(0, slash));
  if (!address) return std::unexpected("it is compared with an address such as 10.0.0.1, fe80::1 or 10.0.0.0/8");
  Literal literal{.from = *address, .to = *address};
  if (slash == std::string_view::npos) return literal;
  const std::size_t bytes = address->family == AddressFamily::ipv4 ? 4 : 16;
  const auto bits = read_integer(text.substr(slash + 1), 10);
  if (!bits || *bits > bytes * 8)
    return std::unexpected(fmt::format("after the / stands a number up to {}", bytes * 8));
  for (std::size_t i = 0; i < bytes; ++i) {
    const std::size_t kept = std::min<std::size_t>(8, *bits > i * 8 ? *bits - i * 8 : 0);
    const auto rest = static_cast<std::uint8_t>(0xff >> kept);
    literal.from.ip[i] &= static_cast<std::uint8_t>(~rest);
    literal.to.ip[i] |= rest;
  }
  return literal;
}

std::expected<Literal, std::string> read_addresses(const Field& field, std::string_view low, std::string_view high) {
  if (field.type == FieldType::ip) {
    auto first = read_network(low);
    if (!first || low == high) return first;
    const auto last = read_network(high);
    if (!last) return last;
    if (first->from.family != last->to.family) return std::unexpected("a range has addresses of one kind");
    first->to = last->to;
    return first;
  }
  const auto address = SocketAddress::parse(low);
  if (!address || low != high)
    return std::unexpected("it is compared with an address and port such as 10.0.0.1:9000 or [fe80::1]:9000");
  return Literal{.from = *address, .to = *address};
}

std::optional<std::uint64_t> read_value(FieldType type, std::string_view text) {
  switch (type) {
    case FieldType::flag:
    case FieldType::boolean: return read_boolean(text);
    case FieldType::time: return read_time(text);
    case FieldType::duration: return read_duration(text);
    case FieldType::id: return read_id(text);
    default: return read_number(text);
  }
}

std::string_view example(FieldType type) {
  switch (type) {
    case FieldType::flag:
    case FieldType::boolean: return "true or false";
    case FieldType::time: return "seconds since 1970 or a time such as \"2026-11-28T03:04:05.678Z\" (UTC)";
    case FieldType::duration: return "a time such as 250us, 25ms or 1.5s";
    case FieldType::id: return "16 hexadecimal digits";
    default: return "a number such as 4 or 0x1f, without a unit";
  }
}

}  // namespace

std::expected<Literal, std::string> read_literal(const Field& field, std::string_view low, std::string_view high) {
  if (field.type == FieldType::ip || field.type == FieldType::endpoint) return read_addresses(field, low, high);
  if (field.type == FieldType::text || field.type == FieldType::word) {
    if (!field.words.empty() && std::ranges::find(field.words, low) == field.words.end())
      return std::unexpected(
          fmt::format("it is never \"{}\"; there are: {}", tools::escape(low), fmt::join(field.words, ", ")));
    return Literal{.text = std::string(low)};
  }
  const auto first = read_value(field.type, low), last = read_value(field.type, high);
  if (!first || !last)
    return std::unexpected(
        fmt::format("it is compared with {}, not with \"{}\"", example(field.type), tools::escape(first ? high : low)));
  return Literal{.low = *first, .high = *last};
}

}  // namespace mxp::dump
