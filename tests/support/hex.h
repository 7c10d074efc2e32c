// Bytes as tests write them: pairs of hexadecimal digits, blanks between them as the reader likes.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string_view>
#include <vector>

namespace mxp::test {

inline std::vector<std::uint8_t> hex(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::vector<std::uint8_t> bytes;
  bool high = true;
  for (const char c : text) {
    if (c == ' ' || c == '\n') continue;
    const std::size_t digit = kDigits.find(c);
    if (digit == std::string_view::npos) throw std::invalid_argument("not a hexadecimal digit");
    if (high) bytes.push_back(static_cast<std::uint8_t>(digit << 4));
    else bytes.back() = static_cast<std::uint8_t>(bytes.back() | digit);
    high = !high;
  }
  if (!high) throw std::invalid_argument("half a byte");
  return bytes;
}

}  // namespace mxp::test
