// Sizes, rates and times as the tools take and print them. Errors are one sentence that says what is expected.
//   size   bytes; K M G T are powers of 1024, KB MB GB TB of 1000
//   rate   bit/s; kbit mbit gbit (or k m g), decimal
//   time   seconds; us ms s m h
// A fraction is taken where a unit makes it whole ("1.5G"). Inside a netem SPEC tc's own grammar holds, not this one.
#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "mxp/config.h"
#include "mxp/rate.h"
#include "mxp/time.h"

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace mxp::tools {

std::expected<std::uint64_t, std::string> parse_size(std::string_view text);  // bytes
std::expected<std::uint64_t, std::string> parse_bits_per_second(std::string_view text);
std::expected<Duration, std::string> parse_time(std::string_view text);  // never negative

// "0 B", "1023 B", "16.0 MiB"
std::string format_bytes(std::uint64_t bytes);
// "94.3 Mbit/s"
std::string format_bit_rate(double bits_per_second);
// "12 us", "40.1 ms", "1.23 s"
std::string format_duration(Duration span);

// CLI11 options whose text goes through the parsers above; what they refuse is a usage error that names the option.
CLI::Option* add_size(CLI::App& app, const std::string& name, std::uint64_t& target, const std::string& description);
CLI::Option* add_size(CLI::App& app, const std::string& name, std::optional<std::uint64_t>& target,
                      const std::string& description);

struct TimeRange {
  enum class Zero : std::uint8_t { is_a_time, means_none, refused };
  Zero zero = Zero::is_a_time;
  Duration least{};                 // of those that are not 0
  Duration most = kLongestSetting;  // of the library
};
// What lies outside `range` is refused with the range.
CLI::Option* add_time(CLI::App& app, const std::string& name, Duration& target, const std::string& description,
                      const TimeRange& range = {});
CLI::Option* add_time(CLI::App& app, const std::string& name, std::optional<Duration>& target,
                      const std::string& description, const TimeRange& range = {});

}  // namespace mxp::tools
