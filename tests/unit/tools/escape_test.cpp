#include "common/escape.h"

#include <rapidcheck.h>

#include <boost/test/unit_test.hpp>
#include <string>

namespace mxp::tools {
namespace {

BOOST_AUTO_TEST_SUITE(escaping)

BOOST_AUTO_TEST_CASE(text_without_controls_stays) {
  BOOST_TEST(escape("plain, naïve, ☃, 日本語, 🦀") == "plain, naïve, ☃, 日本語, 🦀");
}

BOOST_AUTO_TEST_CASE(t51_all_256_bytes_are_harmless) {
  std::string all;
  for (int byte = 0; byte < 256; ++byte) all += static_cast<char>(byte);
  const std::string safe = escape(all);
  BOOST_TEST(is_plain_but_for_selectors(safe));
  for (const char* expected : {"\\x00", "\\x1b", "\\x7f", "\\x80", "\\xff", "\\\\", "\\x0a"})
    BOOST_TEST(safe.find(expected) != std::string::npos, expected);
}

BOOST_AUTO_TEST_CASE(characters_that_reorder_hide_or_break_lines_are_shown_as_numbers) {
  BOOST_TEST(escape("a\u202eb") == "a\\u{202e}b");  // right-to-left override
  BOOST_TEST(escape("a\u2066b") == "a\\u{2066}b");  // isolate
  BOOST_TEST(escape("a\u200bb") == "a\\u{200b}b");  // zero-width space
  BOOST_TEST(escape("a\u2028b") == "a\\u{2028}b");  // line separator
  BOOST_TEST(escape("a\u009bb") == "a\\u{9b}b");    // C1: control sequence introducer
  BOOST_TEST(escape("a\ufeffb") == "a\\u{feff}b");
}

BOOST_AUTO_TEST_CASE(malformed_utf8_is_shown_byte_by_byte) {
  BOOST_TEST(escape("\xc0\xaf") == "\\xc0\\xaf");           // overlong slash
  BOOST_TEST(escape("\xed\xa0\x80") == "\\xed\\xa0\\x80");  // surrogate
  BOOST_TEST(escape("\xf4\x90\x80\x80") == "\\xf4\\x90\\x80\\x80");
  BOOST_TEST(escape("\xe2\x98") == "\\xe2\\x98");
}

BOOST_AUTO_TEST_CASE(the_shape_of_an_emoji_is_shown_as_a_number_and_no_control_in_a_name) {
  BOOST_TEST(escape("❤\ufe0f.jpg") == "❤\\u{fe0f}.jpg");
  for (const char* name : {"❤\ufe0f.jpg", "葛\U000e0100.txt", "\u1820\u180b\u180f"})
    BOOST_TEST(is_plain_but_for_selectors(name));
  for (const char* name :
       {"a\u180e", "a\u200b", "a\u202e", "a\U000e0041", "a\U000e01f0", "a\x1b", "\xe2\ufe0f\x98\x83"})
    BOOST_TEST(!is_plain_but_for_selectors(name));
}

BOOST_AUTO_TEST_CASE(long_text_is_cut_and_says_so) {
  BOOST_TEST(escape(std::string(256, 'x')) == std::string(256, 'x'));
  BOOST_TEST(escape(std::string(257, 'x')) == std::string(256, 'x') + "…");
  BOOST_TEST(escape("abc", 2) == "ab…");
}

BOOST_AUTO_TEST_CASE(nothing_in_markup_looks_like_it) {
  BOOST_TEST(in_markup("a<b> & \"c\" 'd'") == "a&lt;b&gt; &amp; &quot;c&quot; 'd'");
}

BOOST_AUTO_TEST_CASE(whatever_comes_in_no_control_comes_out) {
  BOOST_TEST(rc::check("escape() is UTF-8 without controls", [](const std::string& text) {
    const std::string safe = escape(text);
    RC_ASSERT(is_plain_but_for_selectors(safe));
  }));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace mxp::tools
