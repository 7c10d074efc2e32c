#include "common/units.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <span>

namespace mxp::tools {
namespace {

struct Unit {
  std::string_view name;
  double factor;
};

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return result;
}

// The number before the unit, times the unit; nothing if there is no such number or unit, or the product does not fit
// into 63 bits.
std::optional<std::uint64_t> scaled(std::string_view text, std::span<const Unit> units) {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
  if (error != std::errc() || text.empty() || text.front() == '-' || !std::isfinite(number)) return std::nullopt;
  const std::string suffix = lower(text.substr(static_cast<std::size_t>(end - text.data())));
  for (const Unit& unit : units) {
    if (suffix != unit.name) continue;
    // Whole numbers go through integers: a double is exact only up to 2^53.
    std::uint64_t whole = 0;
    const auto parsed = std::from_chars(text.data(), end, whole);
    const double product = number * unit.factor;
    if (product >= static_cast<double>(std::numeric_limits<std::int64_t>::max())) return std::nullopt;
    if (parsed.ec == std::errc() && parsed.ptr == end && unit.factor >= 1) {
      return whole * static_cast<std::uint64_t>(unit.factor);
    }
    return static_cast<std::uint64_t>(std::llround(product));
  }
  return std::nullopt;
}

constexpr double kKi = 1024.0;
constexpr std::array kSizeUnits = std::to_array<Unit>({{"", 1},
                                                       {"b", 1},
                                                       {"k", kKi},
                                                       {"kib", kKi},
                                                       {"kb", 1e3},
                                                       {"m", kKi* kKi},
                                                       {"mib", kKi* kKi},
                                                       {"mb", 1e6},
                                                       {"g", kKi* kKi* kKi},
                                                       {"gib", kKi* kKi* kKi},
                                                       {"gb", 1e9},
                                                       {"t", kKi* kKi* kKi* kKi},
                                                       {"tib", kKi* kKi* kKi* kKi},
                                                       {"tb", 1e12}});
constexpr std::array kRateUnits = std::to_array<Unit>({{"", 1},
                                                       {"bit", 1},
                                                       {"bit/s", 1},
                                                       {"k", 1e3},
                                                       {"kbit", 1e3},
                                                       {"kbit/s", 1e3},
                                                       {"m", 1e6},
                                                       {"mbit", 1e6},
                                                       {"mbit/s", 1e6},
                                                       {"g", 1e9},
                                                       {"gbit", 1e9},
                                                       {"gbit/s", 1e9},
                                                       {"t", 1e12},
                                                       {"tbit", 1e12},
                                                       {"tbit/s", 1e12}});
// In nanoseconds.
constexpr std::array kTimeUnits =
    std::to_array<Unit>({{"", 1e9}, {"s", 1e9}, {"ns", 1}, {"us", 1e3}, {"ms", 1e6}, {"m", 60e9}, {"h", 3600e9}});

template <typename Target, typename Parser>
CLI::Option* add_parsed(CLI::App& app, const std::string& name, Target& target, const std::string& description,
                        const char* type_name, Parser parse) {
  return app
      .add_option_function<std::string>(
          name,
          [&target, name, parse](const std::string& text) {
            const auto value = parse(text);
            if (!value) throw CLI::ValidationError(name, value.error());
            target = *value;
          },
          description)
      ->type_name(type_name);
}

// "1 ms" as a user would type it, "1ms": whole numbers only, as the ends of ranges are.
std::string typed_time(Duration span) {
  using namespace std::chrono;
  if (span % 1h == Duration::zero() || span >= 100h) return fmt::format("{}h", floor<hours>(span).count());
  if (span % 1s == Duration::zero()) return fmt::format("{}s", floor<seconds>(span).count());
  if (span % 1ms == Duration::zero()) return fmt::format("{}ms", floor<milliseconds>(span).count());
  return fmt::format("{}us", floor<microseconds>(span).count());
}

std::expected<Duration, std::string> parse_time_in(std::string_view text, const TimeRange& range) {
  const auto time = parse_time(text);
  if (!time) return time;
  const bool zero = *time == Duration::zero();
  if (zero && range.zero != TimeRange::Zero::refused) return time;
  if (!zero && *time >= range.least && *time <= range.most) return time;
  return std::unexpected(fmt::format("'{}' is out of range: use {} to {}{}", text, typed_time(range.least),
                                     typed_time(range.most),
                                     range.zero == TimeRange::Zero::means_none ? ", or 0 for no limit" : ""));
}

}  // namespace

std::expected<std::uint64_t, std::string> parse_size(std::string_view text) {
  if (const auto bytes = scaled(text, kSizeUnits)) return *bytes;
  return std::unexpected(fmt::format(
      "'{}' is not a size: use bytes, or K, M, G (powers of 1024) or KB, MB, GB (of 1000), as in 64K", text));
}

std::expected<std::uint64_t, std::string> parse_bits_per_second(std::string_view text) {
  if (const auto bits = scaled(text, kRateUnits)) return *bits;
  return std::unexpected(fmt::format("'{}' is not a rate: use bit/s, or kbit, mbit, gbit, as in 100mbit", text));
}

std::expected<Duration, std::string> parse_time(std::string_view text) {
  if (const auto nanoseconds = scaled(text, kTimeUnits)) return Duration(static_cast<Duration::rep>(*nanoseconds));
  return std::unexpected(fmt::format("'{}' is not a time: use seconds, or us, ms, s, m, h, as in 500ms", text));
}

std::string format_bytes(std::uint64_t bytes) {
  if (bytes < 1024) return fmt::format("{} B", bytes);
  constexpr std::array kNames = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  double value = static_cast<double>(bytes) / 1024;
  std::size_t unit = 0;
  while (value >= 1023.95 && unit + 1 < kNames.size()) {
    value /= 1024;
    ++unit;
  }
  return fmt::format("{:.1f} {}", value, kNames[unit]);
}

std::string format_bit_rate(double bits_per_second) {
  constexpr std::array kNames = {"bit/s", "kbit/s", "Mbit/s", "Gbit/s", "Tbit/s"};
  double value = bits_per_second;
  std::size_t unit = 0;
  while (value >= 999.5 && unit + 1 < kNames.size()) {
    value /= 1000;
    ++unit;
  }
  return unit == 0 ? fmt::format("{:.0f} {}", value, kNames[unit]) : fmt::format("{:.3g} {}", value, kNames[unit]);
}

std::string format_duration(Duration span) {
  const double nanoseconds = static_cast<double>(span.count());
  if (nanoseconds < 1e3) return fmt::format("{} ns", span.count());
  if (nanoseconds < 1e6) return fmt::format("{:.0f} us", nanoseconds / 1e3);
  if (nanoseconds < 1e9) return fmt::format("{:.1f} ms", nanoseconds / 1e6);
  if (nanoseconds < 60e9) return fmt::format("{:.2f} s", nanoseconds / 1e9);
  const auto seconds = static_cast<std::uint64_t>(span.count()) / 1'000'000'000u;
  if (seconds < 3600) return fmt::format("{}m{:02}s", seconds / 60, seconds % 60);
  return fmt::format("{}h{:02}m", seconds / 3600, seconds / 60 % 60);
}

CLI::Option* add_size(CLI::App& app, const std::string& name, std::uint64_t& target, const std::string& description) {
  return add_parsed(app, name, target, description, "SIZE", parse_size);
}

CLI::Option* add_size(CLI::App& app, const std::string& name, std::optional<std::uint64_t>& target,
                      const std::string& description) {
  return add_parsed(app, name, target, description, "SIZE", parse_size);
}

CLI::Option* add_time(CLI::App& app, const std::string& name, Duration& target, const std::string& description,
                      const TimeRange& range) {
  return add_parsed(app, name, target, description, "TIME",
                    [range](std::string_view text) { return parse_time_in(text, range); });
}

CLI::Option* add_time(CLI::App& app, const std::string& name, std::optional<Duration>& target,
                      const std::string& description, const TimeRange& range) {
  return add_parsed(app, name, target, description, "TIME",
                    [range](std::string_view text) { return parse_time_in(text, range); });
}

}  // namespace mxp::tools
