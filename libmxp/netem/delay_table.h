// A distribution of delays in the format of tc's `.dist` files (netem(8), "distribution"; iproute2's netem/README):
// whole numbers from -32768 to 32767 between blanks, each a deviation from the mean in units of jitter / 8192. All are
// equally likely, so a table of n numbers is the distribution's quantiles at n even steps. Lines that begin with # are
// comments.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

namespace mxp::netem {

inline constexpr std::size_t kMostTableValues = 16384;  // what the kernel takes (NETEM_DIST_MAX)
inline constexpr double kTableScale = 8192;             // a deviation of one jitter (NETEM_DIST_SCALE)

// The error names the line at fault.
std::expected<std::vector<std::int16_t>, std::string> parse_delay_table(std::string_view text);

}  // namespace mxp::netem
