#include "mxp/text.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/utf8.h"

namespace mxp {
namespace {

struct Range {
  char32_t first, last;
};
// In order: Bidi_Control and Default_Ignorable_Code_Point of Unicode 15.1 (UAX #44), and some that stand beside them.
constexpr Range kEscaped[] = {
    {0x0000, 0x001f},    // C0
    {0x007f, 0x009f},    // DEL, C1
    {0x00ad, 0x00ad},    // soft hyphen
    {0x034f, 0x034f},    // combining grapheme joiner
    {0x061c, 0x061c},    // Arabic letter mark
    {0x115f, 0x1160},    // Hangul fillers
    {0x17b4, 0x17b5},    // Khmer inherent vowels
    {0x180b, 0x180f},    // Mongolian variation selectors and vowel separator
    {0x200b, 0x200f},    // zero-width characters, direction marks
    {0x2028, 0x202e},    // not ignorable: line and paragraph separators; embeddings and overrides
    {0x2060, 0x206f},    // word joiner, invisible operators, isolates
    {0x3164, 0x3164},    // Hangul filler
    {0xfe00, 0xfe0f},    // variation selectors
    {0xfeff, 0xfeff},    // byte order mark
    {0xffa0, 0xffa0},    // halfwidth Hangul filler
    {0xfff0, 0xfffb},    // reserved; not ignorable: interlinear annotations from FFF9 on
    {0x1bca0, 0x1bca3},  // shorthand format controls
    {0x1d173, 0x1d17a},  // musical format controls
    {0xe0000, 0xe0fff},  // tags, more variation selectors, reserved
};

bool must_be_escaped(char32_t c) {
  const auto* range = std::lower_bound(std::begin(kEscaped), std::end(kEscaped), c,
                                       [](const Range& r, char32_t value) { return r.last < value; });
  return range != std::end(kEscaped) && range->first <= c;
}

std::string number(char32_t c, EscapeForm form) {
  const auto value = static_cast<std::uint32_t>(c);
  if (value < 0x80) return fmt::format("\\x{:02x}", value);
  if (form == EscapeForm::braces) return fmt::format("\\u{{{:x}}}", value);
  if (value < 0x100) return fmt::format("\\x{:02x}", value);
  return value < 0x10000 ? fmt::format("\\u{:04x}", value) : fmt::format("\\U{:08x}", value);
}

}  // namespace

std::string escape_text(std::string_view text, EscapeForm form, std::size_t max_bytes) {
  std::string out;
  out.reserve(std::min(text.size(), max_bytes));
  std::string escaped;
  while (!text.empty()) {
    const Utf8Character c = decode_utf8(as_bytes(text));
    std::string_view piece = text.substr(0, c.size);
    if (c.size == 0) piece = escaped = fmt::format("\\x{:02x}", static_cast<std::uint8_t>(text.front()));
    else if (must_be_escaped(c.code_point)) piece = escaped = number(c.code_point, form);
    else if (c.code_point == '\\') piece = "\\\\";
    if (out.size() + piece.size() > max_bytes) break;
    out += piece;
    text.remove_prefix(std::max<std::size_t>(c.size, 1));
  }
  return out;
}

bool is_plain_text(std::string_view text) {
  while (!text.empty()) {
    const Utf8Character c = decode_utf8(as_bytes(text));
    if (c.size == 0 || must_be_escaped(c.code_point)) return false;
    text.remove_prefix(c.size);
  }
  return true;
}

bool is_valid_utf8(std::string_view text) { return is_valid_utf8(as_bytes(text)); }

}  // namespace mxp
