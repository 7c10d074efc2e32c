#include "common/suite_list.h"

#include <boost/test/unit_test.hpp>

namespace mxp::tools {
namespace {

constexpr Suite kChaCha = Suite::chacha20_poly1305;
constexpr Suite kAes = Suite::aes_256_gcm;

BOOST_AUTO_TEST_SUITE(suite_list)

BOOST_AUTO_TEST_CASE(suites_keep_the_order_in_which_they_were_named) {
  const struct {
    std::string_view text;
    std::vector<Suite> suites;
  } cases[] = {{"chacha20", {kChaCha}},
               {"aes256", {kAes}},
               {"chacha20,aes256", {kChaCha, kAes}},
               {"aes256,chacha20", {kAes, kChaCha}}};
  for (const auto& one : cases) {
    const auto parsed = parse_suites(one.text);
    BOOST_REQUIRE_MESSAGE(parsed.has_value(), one.text);
    BOOST_TEST((*parsed == one.suites), one.text);
  }
}

BOOST_AUTO_TEST_CASE(what_is_no_suite_is_refused_by_its_word) {
  const struct {
    std::string_view text;
    std::string_view word;
  } cases[] = {{"", "''"},
               {",", "''"},
               {"aes256,", "''"},
               {",aes256", "''"},
               {"aes256,,chacha20", "''"},
               {"rot13", "'rot13'"},
               {"aes256,rot13,chacha20", "'rot13'"},
               {"AES256", "'AES256'"},
               {"aes256 ", "'aes256 '"},
               {"aes256;chacha20", "'aes256;chacha20'"},
               {"p256", "'p256'"}};
  for (const auto& one : cases) {
    const auto parsed = parse_suites(one.text);
    BOOST_REQUIRE_MESSAGE(!parsed.has_value(), one.text);
    BOOST_TEST((parsed.error().kind == ErrorKind::usage), one.text);
    BOOST_TEST(parsed.error().message ==
               "--suite: " + std::string(one.word) + " is not a suite: use chacha20 or aes256");
  }
}

BOOST_AUTO_TEST_CASE(a_word_that_would_write_on_the_terminal_is_shown_escaped) {
  const auto parsed = parse_suites("\x1b[31m");
  BOOST_REQUIRE(!parsed.has_value());
  BOOST_TEST(parsed.error().message.find('\x1b') == std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace mxp::tools
