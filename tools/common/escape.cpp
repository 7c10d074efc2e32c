#include "common/escape.h"

#include <fmt/format.h>

#include <cstdint>

namespace mxp::tools {
namespace {

struct Character {
  std::uint32_t code_point = 0;
  std::size_t length = 0;  // bytes; 0 = malformed at this place
};

// RFC 3629 §4: shortest form only, no surrogates, at most U+10FFFF.
Character decode(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
  const std::uint8_t first = byte(0);
  if (first < 0x80) return {first, 1};
  const std::size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || text.size() < length) return {};
  std::uint32_t value = first & (0xffu >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return {};
    value = value << 6 | (byte(i) & 0x3fu);
  }
  constexpr std::uint32_t kSmallest[] = {0, 0, 0x80, 0x800, 0x10000};
  if (value < kSmallest[length] || value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff)) return {};
  return {value, length};
}

// What could move the cursor, hide text or make it read in another order.
bool is_control(std::uint32_t c) {
  return c < 0x20 || (c >= 0x7f && c <= 0x9f) || c == 0x061c || (c >= 0x200b && c <= 0x200f) ||
         (c >= 0x2028 && c <= 0x202e) || (c >= 0x2060 && c <= 0x206f) || c == 0xfeff || (c >= 0xfff9 && c <= 0xfffb) ||
         (c >= 0xe0000 && c <= 0xe007f);
}

}  // namespace

std::string escape(std::string_view text, std::size_t max_bytes) {
  const bool cut = text.size() > max_bytes;
  if (cut) text = text.substr(0, max_bytes);
  std::string result;
  result.reserve(text.size());
  while (!text.empty()) {
    const Character c = decode(text);
    if (c.length == 0) {
      // The cut may have gone through a character: that is ours, not the peer's fault.
      result += fmt::format("\\x{:02x}", static_cast<std::uint8_t>(text[0]));
      text.remove_prefix(1);
      continue;
    }
    if (is_control(c.code_point)) {
      result += c.code_point < 0x80 ? fmt::format("\\x{:02x}", c.code_point) : fmt::format("\\u{{{:x}}}", c.code_point);
    } else if (c.code_point == '\\') {
      result += "\\\\";
    } else {
      result += text.substr(0, c.length);
    }
    text.remove_prefix(c.length);
  }
  if (cut) result += "…";
  return result;
}

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const Character c = decode(text);
    if (c.length == 0 || c.code_point == 0) return false;
    text.remove_prefix(c.length);
  }
  return true;
}

bool has_control_characters(std::string_view text) {
  while (!text.empty()) {
    const Character c = decode(text);
    if (c.length == 0 || is_control(c.code_point)) return true;
    text.remove_prefix(c.length);
  }
  return false;
}

}  // namespace mxp::tools
