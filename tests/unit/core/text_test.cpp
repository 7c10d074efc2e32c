#include "mxp/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <utility>

#include "core/utf8.h"

using namespace mxp;

namespace {

std::string encode(char32_t c) {
  const auto byte = [](char32_t value) { return static_cast<char>(static_cast<unsigned char>(value)); };
  if (c < 0x80) return {byte(c)};
  if (c < 0x800) return {byte(0xc0 | c >> 6), byte(0x80 | (c & 0x3f))};
  if (c < 0x10000) return {byte(0xe0 | c >> 12), byte(0x80 | (c >> 6 & 0x3f)), byte(0x80 | (c & 0x3f))};
  return {byte(0xf0 | c >> 18), byte(0x80 | (c >> 12 & 0x3f)), byte(0x80 | (c >> 6 & 0x3f)), byte(0x80 | (c & 0x3f))};
}

using Ranges = std::initializer_list<std::pair<char32_t, char32_t>>;

bool contains(const Ranges& ranges, char32_t c) {
  return std::any_of(ranges.begin(), ranges.end(), [&](const auto& r) { return r.first <= c && c <= r.second; });
}

// As the Unicode character database has them (PropList.txt, DerivedCoreProperties.txt).
const Ranges kBidiControl = {{0x61c, 0x61c}, {0x200e, 0x200f}, {0x202a, 0x202e}, {0x2066, 0x2069}};
const Ranges kDefaultIgnorable = {
    {0xad, 0xad},     {0x34f, 0x34f},   {0x61c, 0x61c},     {0x115f, 0x1160},   {0x17b4, 0x17b5},  {0x180b, 0x180f},
    {0x200b, 0x200f}, {0x202a, 0x202e}, {0x2060, 0x206f},   {0x3164, 0x3164},   {0xfe00, 0xfe0f},  {0xfeff, 0xfeff},
    {0xffa0, 0xffa0}, {0xfff0, 0xfff8}, {0x1bca0, 0x1bca3}, {0x1d173, 0x1d17a}, {0xe0000, 0xe0fff}};
// Controls, separators of lines and paragraphs, interlinear annotations.
const Ranges kOthers = {{0x0, 0x1f}, {0x7f, 0x9f}, {0x2028, 0x2029}, {0xfff9, 0xfffb}};

bool is_escaped(char32_t c) {
  return contains(kBidiControl, c) || contains(kDefaultIgnorable, c) || contains(kOthers, c);
}

std::string all_bytes() {
  std::string all;
  for (int byte = 0; byte < 256; ++byte) all += static_cast<char>(byte);
  return all;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(text)

// Golden: in this row no byte beyond ASCII is part of a character.
BOOST_AUTO_TEST_CASE(t51_each_of_the_256_bytes_has_its_form) {
  std::string expected;
  for (unsigned byte = 0; byte < 256; ++byte) {
    if (byte == '\\') expected += "\\\\";
    else if (byte >= 0x20 && byte < 0x7f) expected += static_cast<char>(byte);
    else expected += fmt::format("\\x{:02x}", byte);
  }
  BOOST_TEST(escape_text(all_bytes()) == expected);
  BOOST_TEST(escape_text(all_bytes(), EscapeForm::plain) == expected);
  BOOST_TEST(expected.substr(0, 16) == "\\x00\\x01\\x02\\x03");
  BOOST_TEST(is_plain_text(expected));
  BOOST_TEST(!is_plain_text(all_bytes()));
}

BOOST_AUTO_TEST_CASE(t51_every_character_that_hides_or_reorders_is_a_number_and_no_other_is) {
  std::size_t wrong = 0;
  for (char32_t c = 0; c <= 0x10ffff; ++c) {
    if (c == '\\' || (c >= 0xd800 && c < 0xe000)) continue;
    const std::string raw = encode(c);
    const auto value = static_cast<std::uint32_t>(c);
    std::string braces = raw, plain = raw;
    if (is_escaped(c)) {
      braces = value < 0x80 ? fmt::format("\\x{:02x}", value) : fmt::format("\\u{{{:x}}}", value);
      plain = value < 0x100     ? fmt::format("\\x{:02x}", value)
              : value < 0x10000 ? fmt::format("\\u{:04x}", value)
                                : fmt::format("\\U{:08x}", value);
    }
    const bool right = escape_text(raw) == braces && escape_text(raw, EscapeForm::plain) == plain &&
                       is_plain_text(raw) == !is_escaped(c);
    if (!right && ++wrong < 10) BOOST_ERROR(fmt::format("U+{:04X}", value));
  }
  BOOST_TEST(wrong == 0u);
}

BOOST_AUTO_TEST_CASE(text_stays_and_its_backslashes_are_doubled) {
  BOOST_TEST(escape_text("plain, naïve, ☃, 日本語, 🦀") == "plain, naïve, ☃, 日本語, 🦀");
  BOOST_TEST(escape_text("\\x1b") == "\\\\x1b");
  BOOST_TEST(is_plain_text("\\x1b"));
  BOOST_TEST(escape_text("").empty());
}

BOOST_AUTO_TEST_CASE(what_is_not_utf8_is_shown_byte_by_byte) {
  for (const EscapeForm form : {EscapeForm::braces, EscapeForm::plain}) {
    BOOST_TEST(escape_text("\xc0\xaf", form) == "\\xc0\\xaf");                          // overlong slash
    BOOST_TEST(escape_text("\xed\xa0\x80", form) == "\\xed\\xa0\\x80");                 // surrogate
    BOOST_TEST(escape_text("\xf4\x90\x80\x80", form) == "\\xf4\\x90\\x80\\x80");        // beyond the last
    BOOST_TEST(escape_text("a\xe2\x98", form) == "a\\xe2\\x98");                        // cut
    BOOST_TEST(escape_text("\xe2\x98\xe2\x98\x83", form) == "\\xe2\\x98\xe2\x98\x83");  // and a whole one behind it
  }
  BOOST_TEST(!is_plain_text("\xe2\x98"));
  BOOST_TEST(!is_valid_utf8(std::string_view("\xe2\x98")));
  BOOST_TEST(is_valid_utf8(std::string_view("\x1b\xe2\x98\x83")));
}

BOOST_AUTO_TEST_CASE(the_result_ends_before_what_would_not_fit) {
  BOOST_TEST(escape_text("abc", EscapeForm::braces, 2) == "ab");
  BOOST_TEST(escape_text("ab\x07"
                         "c",
                         EscapeForm::braces, 5) == "ab");       // not "ab\x0", and nothing from behind it
  BOOST_TEST(escape_text("a☃", EscapeForm::braces, 3) == "a");  // not a piece of it
  BOOST_TEST(escape_text("a☃", EscapeForm::braces, 4) == "a☃");
  BOOST_TEST(escape_text("a\\", EscapeForm::braces, 2) == "a");
}

BOOST_AUTO_TEST_CASE(decoding_gives_the_character_and_its_size) {
  for (const char32_t c : {U'a', U'\u00e9', U'\u2603', U'\uffff', U'\U0001f980', U'\U0010ffff'}) {
    const std::string raw = encode(c) + "x";
    const Utf8Character read = decode_utf8(as_bytes(raw));
    BOOST_TEST((read.code_point == c));
    BOOST_TEST(read.size == raw.size() - 1);
  }
  BOOST_TEST(decode_utf8(as_bytes("\xff")).size == 0u);
}

BOOST_AUTO_TEST_SUITE_END()
