// How --frame cuts stdin into payloads: wherever the reads happen to end, and whatever stands in them.
#include "mxp-cat/frame_cutter.h"

#include <boost/test/unit_test.hpp>
#include <string>

using namespace mxp;
using namespace mxp::tools;
using Kind = FrameCutter::Cut::Kind;

namespace {

constexpr std::size_t kLimit = 5;

ByteView view_of_text(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

// "<abc><de>": the payloads of `input`, added in pieces of so many bytes; then what ended it.
std::string cut(Framing framing, std::string_view input, std::size_t piece) {
  FrameCutter cutter(framing, kLimit);
  std::string cuts;
  const auto take_all = [&] {
    for (auto front = cutter.front(); front.kind != Kind::nothing; front = cutter.front()) {
      if (front.kind == Kind::too_large) {
        cuts += "#" + std::to_string(cutter.number()) + " has " + std::to_string(front.size);
        return false;
      }
      cuts += "<" + std::string(front.payload.begin(), front.payload.end()) + ">";
      cutter.take();
    }
    return true;
  };
  for (std::size_t at = 0; at < input.size(); at += piece) {
    cutter.add(view_of_text(input.substr(at, piece)));
    if (!take_all()) return cuts;
  }
  cutter.on_end();
  if (!take_all()) return cuts;
  return cuts + (cutter.is_cut_short() ? "#" + std::to_string(cutter.number()) + " cut short" : "");
}

}  // namespace

BOOST_AUTO_TEST_SUITE(frame_cutter)

BOOST_AUTO_TEST_CASE(payloads_do_not_depend_on_where_reads_end) {
  using namespace std::string_view_literals;
  const struct {
    Framing framing;
    std::string_view input, expected;
  } cases[] = {{Framing::line, ""sv, ""},
               {Framing::line, "abc\n\nde\n"sv, "<abc><><de>"},
               {Framing::line, "abc\nde"sv, "<abc><de>"},
               {Framing::line, "12345\n123456\n"sv, "<12345>#2 has 6"},
               {Framing::line, "a\n1234567890123456"sv, "<a>#2 has 16"},
               {Framing::nul, "a\nb\0c\0"sv, std::string_view("<a\nb><c>")},
               {Framing::len, "\0\0\0\0\2\0\0\0\n\0"sv, "<><\n\0>"sv},
               {Framing::len, "\5\0\0\00012345\6\0\0\0"sv, "<12345>#2 has 6"},
               {Framing::len, "\1\0\0\0a\1\0\0\1"sv, "<a>#2 has 16777217"},
               {Framing::len, "\1\0\0\0a\3\0\0\0ab"sv, "<a>#2 cut short"},
               {Framing::len, "\1\0\0\0a\3\0"sv, "<a>#2 cut short"}};
  for (const auto& each : cases)
    for (std::size_t piece = 1; piece <= each.input.size() + 1; ++piece)
      BOOST_TEST_CONTEXT("expected " << each.expected << ", pieces of " << piece)
  BOOST_TEST(cut(each.framing, each.input, piece) == each.expected);
}

BOOST_AUTO_TEST_CASE(raw_bytes_are_cut_to_the_limit_of_the_moment) {
  FrameCutter cutter(Framing::raw, 5);
  cutter.add(view_of_text("abcdefgh"));
  BOOST_TEST(cutter.front().payload.size() == 5u);
  cutter.set_limit(3);
  BOOST_TEST(cutter.front().payload.size() == 3u);
  cutter.take();
  cutter.set_limit(100);
  BOOST_TEST(cutter.front().payload.size() == 5u);  // what is left; nothing is waited for
  cutter.take();
  BOOST_CHECK(cutter.front().kind == Kind::nothing);
}

BOOST_AUTO_TEST_CASE(a_line_that_was_too_large_stays_so_when_the_limit_grows) {
  FrameCutter cutter(Framing::line, 3);
  cutter.add(view_of_text("abcd"));
  BOOST_CHECK(cutter.front().kind == Kind::nothing);  // and the four bytes are gone
  cutter.set_limit(100);
  cutter.add(view_of_text("ef\n"));
  const auto front = cutter.front();
  BOOST_CHECK(front.kind == Kind::too_large);
  BOOST_TEST(front.size == 6u);
}

BOOST_AUTO_TEST_CASE(what_is_joined_is_cut_again) {
  using namespace std::string_view_literals;
  const std::string_view payloads[] = {"abc", "", "\1\2"};
  for (const Framing framing : {Framing::line, Framing::nul, Framing::len}) {
    std::vector<std::uint8_t> out;
    for (const std::string_view payload : payloads) append_framed(framing, view_of_text(payload), out);
    BOOST_TEST(cut(framing, {reinterpret_cast<const char*>(out.data()), out.size()}, 3) == "<abc><><\1\2>"sv);
  }
  std::vector<std::uint8_t> raw;
  append_framed(Framing::raw, view_of_text("abc"), raw);
  BOOST_TEST(raw.size() == 3u);
}

BOOST_AUTO_TEST_SUITE_END()
