#include "mxp/url.h"

#include <boost/test/unit_test.hpp>

using namespace mxp;

namespace {

constexpr std::string_view kKey = "AAcOFRwjKjE4P0ZNVFtiaXB3foWMk5qhqK-2vcTL0tk";

}  // namespace

BOOST_AUTO_TEST_SUITE(url)

BOOST_AUTO_TEST_CASE(every_part_is_read) {
  const auto url = parse_url(std::string("mxp://") + std::string(kKey) + "@host.example:4433/agent-7");
  BOOST_REQUIRE(url.has_value());
  BOOST_REQUIRE(url->key.has_value());
  BOOST_TEST(url->key->to_string() == kKey);
  BOOST_TEST(url->host == "host.example");
  BOOST_TEST(url->port == 4433);
  BOOST_TEST(url->agent_id == "agent-7");
  BOOST_TEST(url->to_string() == "mxp://" + std::string(kKey) + "@host.example:4433/agent-7");
}

BOOST_AUTO_TEST_CASE(absent_parts_have_their_defaults) {
  const auto url = parse_url("mxp://h");
  BOOST_REQUIRE(url.has_value());
  BOOST_TEST(!url->key);
  BOOST_TEST(url->host == "h");
  BOOST_TEST(url->port == 9000);
  BOOST_TEST(url->agent_id.empty());
}

BOOST_AUTO_TEST_CASE(text_round_trips) {
  const std::pair<std::string_view, std::string_view> table[] = {
      {"mxp://localhost", "mxp://localhost:9000"},
      {"mxp://127.0.0.1:1", "mxp://127.0.0.1:1"},
      {"mxp://[::1]", "mxp://[::1]:9000"},
      {"mxp://[::1]:65535/x", "mxp://[::1]:65535/x"},
      {"mxp://[fe80::1%2]:7", "mxp://[fe80::1%2]:7"},
      {"mxp://host/", "mxp://host:9000"},
      {"mxp://a-b_c.d:9/6f9619ff-8b86-d011-b42d-00c04fc964ff", "mxp://a-b_c.d:9/6f9619ff-8b86-d011-b42d-00c04fc964ff"},
      {"mxp://host./a@b:c", "mxp://host.:9000/a@b:c"},
      {"mxp://123.example:9", "mxp://123.example:9"},
  };
  for (const auto& [typed, canonical] : table) {
    BOOST_TEST_CONTEXT(typed) {
      const auto url = parse_url(typed);
      BOOST_REQUIRE(url.has_value());
      BOOST_TEST(url->to_string() == canonical);
      const auto again = parse_url(canonical);
      BOOST_REQUIRE(again.has_value());
      BOOST_TEST(again->to_string() == canonical);
    }
  }
}

// Each is refused, and the sentence names the part that is wrong.
BOOST_AUTO_TEST_CASE(malformed_urls_say_what_is_wrong) {
  const std::string key(kKey);
  const std::pair<std::string, std::string_view> table[] = {
      {"", "not an MXP URL"},
      {"mxp", "not an MXP URL"},
      {"mxp:/host", "not an MXP URL"},
      {"MXP://host", "not an MXP URL"},
      {"http://host", "not an MXP URL"},
      {" mxp://host", "not an MXP URL"},
      {"mxp://", "host is missing"},
      {"mxp:///agent", "host is missing"},
      {"mxp://:9000", "host is missing"},
      {"mxp://" + key + "@", "host is missing"},
      {"mxp://host:", "not a port"},
      {"mxp://host:0", "not a port"},
      {"mxp://host:65536", "not a port"},
      {"mxp://host:09", "not a port"},
      {"mxp://host:9a", "not a port"},
      {"mxp://host:-1", "not a port"},
      {"mxp://a:1:2", "more than one ':'"},
      {"mxp://::1", "more than one ':'"},
      {"mxp://[::1", "without ']'"},
      {"mxp://[::1]9000", "follows the IPv6 address"},
      {"mxp://[::1]:", "not a port"},
      {"mxp://[host]", "not an IPv6 address"},
      {"mxp://[]", "not an IPv6 address"},
      {"mxp://[::1%eth0]", "not an IPv6 address"},
      {"mxp://host name", "not a host"},
      {"mxp://host?x", "not a host"},
      {"mxp://a..b", "not a host"},
      {"mxp://.a", "not a host"},
      {"mxp://1.2.3", "not a host"},
      {"mxp://1.2.3.256", "not a host"},
      {"mxp://2130706433", "not a host"},
      {"mxp://" + std::string(64, 'a'), "not a host"},
      {"mxp://caf\xc3\xa9", "not a host"},
      {"mxp://@host", "not a public key"},
      {"mxp://short@host", "not a public key"},
      {"mxp://" + key + "=@host", "not a public key"},
      {"mxp://" + key + "@b@host", "not a public key"},
      {"mxp://host/a/b", "not an agent id"},
      {"mxp://host/a b", "not an agent id"},
      {"mxp://host/a%20b", "not an agent id"},
      {"mxp://host/a?b", "not an agent id"},
      {"mxp://host/a#b", "not an agent id"},
      {"mxp://host/" + std::string(256, 'a'), "not an agent id"},
  };
  for (const auto& [text, part] : table) {
    BOOST_TEST_CONTEXT(text) {
      const auto url = parse_url(text);
      BOOST_REQUIRE(!url.has_value());
      BOOST_TEST(url.error().find(part) != std::string::npos, url.error());
    }
  }
}

BOOST_AUTO_TEST_CASE(control_characters_are_not_echoed) {
  const auto url = parse_url("mxp://a\x1b[31mb");
  BOOST_REQUIRE(!url.has_value());
  BOOST_TEST(url.error().find('\x1b') == std::string::npos);
  BOOST_TEST(url.error().find("\\x1b") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
