#include "netem/spec_units.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cmath>
#include <limits>

#include "netem/words.h"

namespace mxp::netem {
namespace {

struct Unit {
  std::string_view name;
  double factor;
};

struct Number {
  double value = 0;
  std::string unit;  // lower case
};

std::optional<Number> parse_number(std::string_view text) {
  Number number;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), number.value);
  // from_chars also reads "inf" and "nan".
  if (error != std::errc() || !std::isfinite(number.value) || std::signbit(number.value)) return std::nullopt;
  number.unit.assign(stop, text.data() + text.size());
  std::transform(number.unit.begin(), number.unit.end(), number.unit.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return number;
}

template <std::size_t N>
std::optional<double> scaled(std::string_view text, const std::array<Unit, N>& units) {
  const auto number = parse_number(text);
  if (!number) return std::nullopt;
  const auto unit = std::find_if(units.begin(), units.end(), [&](const Unit& u) { return u.name == number->unit; });
  if (unit == units.end()) return std::nullopt;
  return number->value * unit->factor;
}

constexpr std::array<Unit, 13> kTimes = {{{"", 1e3},
                                          {"ns", 1},
                                          {"nsec", 1},
                                          {"nsecs", 1},
                                          {"us", 1e3},
                                          {"usec", 1e3},
                                          {"usecs", 1e3},
                                          {"ms", 1e6},
                                          {"msec", 1e6},
                                          {"msecs", 1e6},
                                          {"s", 1e9},
                                          {"sec", 1e9},
                                          {"secs", 1e9}}};
constexpr std::array<Unit, 2> kPercent = {{{"", 0.01}, {"%", 0.01}}};
// Bits per second.
constexpr std::array<Unit, 19> kRates = {{{"", 1},
                                          {"bit", 1},
                                          {"kbit", 1e3},
                                          {"mbit", 1e6},
                                          {"gbit", 1e9},
                                          {"tbit", 1e12},
                                          {"kibit", 1024.0},
                                          {"mibit", 1048576.0},
                                          {"gibit", 1073741824.0},
                                          {"tibit", 1099511627776.0},
                                          {"bps", 8},
                                          {"kbps", 8e3},
                                          {"mbps", 8e6},
                                          {"gbps", 8e9},
                                          {"tbps", 8e12},
                                          {"kibps", 8 * 1024.0},
                                          {"mibps", 8 * 1048576.0},
                                          {"gibps", 8 * 1073741824.0},
                                          {"tibps", 8 * 1099511627776.0}}};
// Bytes.
constexpr std::array<Unit, 11> kSizes = {{{"", 1},
                                          {"b", 1},
                                          {"k", 1024},
                                          {"kb", 1024},
                                          {"m", 1048576},
                                          {"mb", 1048576},
                                          {"g", 1073741824},
                                          {"gb", 1073741824},
                                          {"kbit", 125},
                                          {"mbit", 125e3},
                                          {"gbit", 125e6}}};

}  // namespace

std::optional<Duration> parse_time(std::string_view text) {
  const auto nanoseconds = scaled(text, kTimes);
  if (!nanoseconds || *nanoseconds > static_cast<double>(kLongestTime / Duration(1))) return std::nullopt;
  return Duration(static_cast<Duration::rep>(std::llround(*nanoseconds)));
}

std::optional<double> parse_percent(std::string_view text) {
  const auto ratio = scaled(text, kPercent);
  if (!ratio || *ratio > 1) return std::nullopt;
  return ratio;
}

std::optional<ByteRate> parse_rate(std::string_view text) {
  const auto bits = scaled(text, kRates);
  if (!bits || *bits < 8 || *bits > 1e12) return std::nullopt;
  return ByteRate::bits_per_second(static_cast<std::uint64_t>(std::llround(*bits)));
}

std::optional<std::uint32_t> parse_count(std::string_view text) { return whole_number<std::uint32_t>(text); }

std::optional<std::int32_t> parse_signed(std::string_view text) { return whole_number<std::int32_t>(text); }

std::optional<std::uint32_t> parse_size(std::string_view text) {
  const auto bytes = scaled(text, kSizes);
  if (!bytes || *bytes > static_cast<double>(std::numeric_limits<std::uint32_t>::max())) return std::nullopt;
  return static_cast<std::uint32_t>(*bytes);
}

std::string time_text(Duration time) {
  const auto ns = time.count();
  if (ns % 1'000'000'000 == 0) return fmt::format("{}s", ns / 1'000'000'000);
  if (ns % 1'000'000 == 0) return fmt::format("{}ms", ns / 1'000'000);
  if (ns % 1'000 == 0) return fmt::format("{}us", ns / 1'000);
  return fmt::format("{}ns", ns);
}

std::string percent_text(double p) { return fmt::format("{:.10g}%", p * 100); }

std::string rate_text(ByteRate rate) {
  const std::uint64_t bits = rate.bits_per_second();
  if (bits % 1'000'000'000 == 0) return fmt::format("{}gbit", bits / 1'000'000'000);
  if (bits % 1'000'000 == 0) return fmt::format("{}mbit", bits / 1'000'000);
  if (bits % 1'000 == 0) return fmt::format("{}kbit", bits / 1'000);
  return fmt::format("{}bit", bits);
}

}  // namespace mxp::netem
