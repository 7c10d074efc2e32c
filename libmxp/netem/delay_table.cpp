#include "netem/delay_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace mxp::netem {
namespace {

constexpr std::string_view kTableBlanks = " \t\r\v\f";

}  // namespace

std::expected<std::vector<std::int16_t>, std::string> parse_delay_table(std::string_view text) {
  std::vector<std::int16_t> values;
  std::size_t line_number = 0;
  while (!text.empty()) {
    ++line_number;
    const std::size_t line_end = text.find('\n');
    const std::string_view line = text.substr(0, line_end);
    text.remove_prefix(line_end == std::string_view::npos ? text.size() : line_end + 1);
    if (line.starts_with('#')) continue;
    for (std::size_t start = line.find_first_not_of(kTableBlanks); start != std::string_view::npos;
         start = line.find_first_not_of(kTableBlanks, start)) {
      const std::size_t end = std::min(line.find_first_of(kTableBlanks, start), line.size());
      std::int16_t value = 0;
      const auto [stop, error] = std::from_chars(line.data() + start, line.data() + end, value);
      if (error != std::errc() || stop != line.data() + end) {
        return std::unexpected(fmt::format("line {}: whole numbers from -32768 to 32767 expected", line_number));
      }
      if (values.size() == kMostTableValues) {
        return std::unexpected(fmt::format("line {}: more than {} numbers", line_number, kMostTableValues));
      }
      values.push_back(value);
      start = end;
    }
  }
  if (values.empty()) return std::unexpected(std::string("no number in it"));
  return values;
}

}  // namespace mxp::netem
