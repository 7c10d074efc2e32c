#include "common/escape.h"

#include "mxp/text.h"

namespace mxp::tools {
namespace {

// Of what mxp/text.h escapes, the characters with Unicode's property Variation_Selector, which its table does not tell.
// Bytes of the one at the front: U+180B..U+180D, U+180F, U+FE00..U+FE0F, U+E0100..U+E01EF; 0 if none.
std::size_t variation_selector_size(std::string_view text) {
  const auto between = [&](std::string_view low, std::string_view high) {
    const std::string_view front = text.substr(0, low.size());
    return low <= front && front <= high;
  };
  if (between("\u180b", "\u180d") || between("\u180f", "\u180f") || between("\ufe00", "\ufe0f")) return 3;
  return between("\U000e0100", "\U000e01ef") ? 4 : 0;
}

}  // namespace

std::string escape(std::string_view text, std::size_t max_bytes) {
  // The cut may go through a character, whose bytes are then shown as such: that is ours, not the peer's fault.
  std::string result = escape_text(text.substr(0, max_bytes));
  if (text.size() > max_bytes) result += "…";
  return result;
}

bool is_plain_but_for_selectors(std::string_view text) {
  if (!is_valid_utf8(text)) return false;
  std::string rest;
  rest.reserve(text.size());
  while (!text.empty()) {
    const std::size_t selector = variation_selector_size(text);
    if (selector == 0) rest += text.front();
    text.remove_prefix(selector == 0 ? 1 : selector);
  }
  return is_plain_text(rest);
}

std::string in_markup(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      default: out += c;
    }
  }
  return out;
}

}  // namespace mxp::tools
