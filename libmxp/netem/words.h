// What all texts of this room are read with: lines, words, whole numbers.
#pragma once

#include <charconv>
#include <concepts>
#include <optional>
#include <string_view>
#include <vector>

namespace mxp::netem {

// Takes the first line off `text`; its newline goes with it and is no part of what is returned. The last line needs
// none.
inline std::string_view take_line(std::string_view& text) {
  const std::size_t end = text.find('\n');
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return line;
}

std::vector<std::string_view> words_of(std::string_view text, std::string_view blanks = " \t\r\n");

// All of `text` as a number that fits; a minus only where the type has one, and never a plus.
template <std::integral Integer>
std::optional<Integer> whole_number(std::string_view text) {
  Integer value = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || stop != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace mxp::netem
