#include "netem/delay_table.h"

#include <fmt/format.h>

#include "netem/words.h"

namespace mxp::netem {
namespace {

constexpr std::string_view kTableBlanks = " \t\r\v\f";

}  // namespace

std::expected<std::vector<std::int16_t>, std::string> parse_delay_table(std::string_view text) {
  std::vector<std::int16_t> values;
  std::size_t line_number = 0;
  while (!text.empty()) {
    ++line_number;
    const std::string_view line = take_line(text);
    if (line.starts_with('#')) continue;
    for (const std::string_view word : words_of(line, kTableBlanks)) {
      const auto value = whole_number<std::int16_t>(word);
      if (!value) {
        return std::unexpected(fmt::format("line {}: whole numbers from -32768 to 32767 expected", line_number));
      }
      if (values.size() == kMostTableValues) {
        return std::unexpected(fmt::format("line {}: more than {} numbers", line_number, kMostTableValues));
      }
      values.push_back(*value);
    }
  }
  if (values.empty()) return std::unexpected(std::string("no number in it"));
  return values;
}

}  // namespace mxp::netem
