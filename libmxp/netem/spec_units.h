// Numbers of a link spec, in the units of tc(8). Each returns std::nullopt if the text is anything else than such a
// number, or if the number is negative, not finite, or outside the range named here.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "mxp/rate.h"
#include "mxp/time.h"

namespace mxp::netem {

inline constexpr Duration kLongestTime =
    std::chrono::hours(24);  // our choice: keeps every sum of times far from overflow

// "40ms", "1.5s", "20us", "7ns"; bare = microseconds. 0..24 h, rounded to nanoseconds.
std::optional<Duration> parse_time(std::string_view text);
// "1.5%" or "1.5" = 0.015. 0..100 %.
std::optional<double> parse_percent(std::string_view text);
// "10mbit", "1.5gbit", "100kbps" (bytes), "1mibit"; bare = bit/s. 8 bit/s .. 1 Tbit/s; less than a byte a second would
// be no rate at all.
std::optional<ByteRate> parse_rate(std::string_view text);
// Whole number.
std::optional<std::uint32_t> parse_count(std::string_view text);
std::optional<std::int32_t> parse_signed(std::string_view text);
// "1500", "64k" (1024), "1mb" (1024^2), "8kbit" (1000 bytes), as get_size() of tc reads sizes.
std::optional<std::uint32_t> parse_size(std::string_view text);

// The inverse. Times come in the largest unit that leaves a whole number ("1500us", "2s"), percentages with up to ten
// digits.
std::string time_text(Duration time);
std::string percent_text(double p);
std::string rate_text(ByteRate rate);

}  // namespace mxp::netem
