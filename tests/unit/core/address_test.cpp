#include "mxp/address.h"

#include <boost/test/unit_test.hpp>

#include "core/ip_text.h"

using namespace mxp;

BOOST_AUTO_TEST_SUITE(address)

BOOST_AUTO_TEST_CASE(text_is_read_and_written_in_its_canonical_form) {
  const std::pair<std::string_view, std::string_view> table[] = {
      {"127.0.0.1:9000", "127.0.0.1:9000"},
      {"0.0.0.0:0", "0.0.0.0:0"},
      {"255.255.255.255:65535", "255.255.255.255:65535"},
      {"[::]:1", "[::]:1"},
      {"[::1]:9000", "[::1]:9000"},
      {"[1::]:9000", "[1::]:9000"},
      {"[2001:DB8:0:0:0:0:0:1]:1", "[2001:db8::1]:1"},
      {"[2001:db8:0:1:1:1:1:1]:1", "[2001:db8:0:1:1:1:1:1]:1"},  // RFC 5952 §4.2.2: one group is not shortened
      {"[2001:0:0:1:0:0:0:1]:1", "[2001:0:0:1::1]:1"},           // §4.2.3: the longer run
      {"[2001:db8:0:0:1:0:0:1]:1", "[2001:db8::1:0:0:1]:1"},     // §4.2.3: the first of equals
      {"[0:0:1:2:3:4:5:6]:1", "[::1:2:3:4:5:6]:1"},
      {"[1:2:3:4:5:6:0:0]:1", "[1:2:3:4:5:6::]:1"},
      {"[1:2:3:4:5:6:7::]:1", "[1:2:3:4:5:6:7:0]:1"},
      {"[::ffff:192.0.2.1]:1", "[::ffff:192.0.2.1]:1"},  // §5
      {"[::ffff:c000:201]:1", "[::ffff:192.0.2.1]:1"},
      {"[64:ff9b::192.0.2.33]:1", "[64:ff9b::c000:221]:1"},
      {"[1:2:3:4:5:6:192.0.2.1]:1", "[1:2:3:4:5:6:c000:201]:1"},
      {"[fe80::1%3]:1", "[fe80::1%3]:1"},
      {"[febf::%4294967295]:1", "[febf::%4294967295]:1"},
  };
  for (const auto& [typed, canonical] : table) {
    BOOST_TEST_CONTEXT(typed) {
      const auto parsed = SocketAddress::parse(typed);
      BOOST_REQUIRE(parsed.has_value());
      BOOST_TEST(parsed->to_string() == canonical);
      BOOST_TEST((SocketAddress::parse(canonical) == parsed));
    }
  }
}

BOOST_AUTO_TEST_CASE(fields_are_where_they_belong) {
  const auto four = SocketAddress::parse("192.0.2.7:443");
  BOOST_REQUIRE(four.has_value());
  BOOST_TEST((*four == SocketAddress::ipv4(192, 0, 2, 7, 443)));
  const auto six = SocketAddress::parse("[fe80::a:b%7]:443");
  BOOST_REQUIRE(six.has_value());
  BOOST_TEST((six->family == AddressFamily::ipv6));
  BOOST_TEST(six->port == 443);
  BOOST_TEST(six->scope_id == 7u);
  BOOST_TEST((six->ip == std::array<std::uint8_t, 16>{0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x0a, 0, 0x0b}));
}

BOOST_AUTO_TEST_CASE(malformed_text_is_refused) {
  for (const std::string_view text : {"",
                                      ":",
                                      "1.2.3.4",
                                      "1.2.3.4:",
                                      ":9000",
                                      "1.2.3:1",
                                      "1.2.3.4.5:1",
                                      "1.2.3.:1",
                                      ".1.2.3:1",
                                      "1..2.3:1",
                                      "256.0.0.1:1",
                                      "01.2.3.4:1",
                                      "1.2.3.4:65536",
                                      "1.2.3.4:-1",
                                      "1.2.3.4:+1",
                                      "1.2.3.4:01",
                                      "1.2.3.4: 1",
                                      "1.2.3.4:1 ",
                                      " 1.2.3.4:1",
                                      "1.2.3.4:99999999999",
                                      "localhost:1",
                                      "0x7f.0.0.1:1",
                                      "::1:9000",
                                      "[::1]",
                                      "[::1]:",
                                      "[::1:9000",
                                      "::1]:9000",
                                      "[]:1",
                                      "[:]:1",
                                      "[:::]:1",
                                      "[1::2::3]:1",
                                      "[1:2:3:4:5:6:7]:1",
                                      "[1:2:3:4:5:6:7:8:9]:1",
                                      "[1:2:3:4::5:6:7:8]:1",
                                      "[12345::]:1",
                                      "[g::]:1",
                                      "[1:]:1",
                                      "[:1]:1",
                                      "[::1.2.3]:1",
                                      "[::1.2.3.4:5]:1",
                                      "[1:2:3:4:5:6:7:1.2.3.4]:1",
                                      "[1.2.3.4::]:1",
                                      "[127.0.0.1]:1",
                                      "[fe80::1%]:1",
                                      "[fe80::1%eth0]:1",
                                      "[fe80::1%0]:1",
                                      "[fe80::1%01]:1",
                                      "[fe80::1%4294967296]:1",
                                      "[2001:db8::1%3]:1"}) {
    BOOST_TEST(!SocketAddress::parse(text).has_value(), "'" << text << "' was taken");
  }
}

BOOST_AUTO_TEST_SUITE_END()
