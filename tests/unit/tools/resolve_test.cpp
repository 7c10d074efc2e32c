#include "common/resolve.h"

#include <boost/test/unit_test.hpp>
#include <string_view>
#include <utility>

#include "common/exit_codes.h"

namespace mxp::tools {
namespace {

BOOST_AUTO_TEST_SUITE(resolving)

BOOST_AUTO_TEST_CASE(host_and_port_are_read_as_they_were_written) {
  BOOST_TEST(host_port("192.0.2.1", 9000) == "192.0.2.1:9000");
  BOOST_TEST(host_port("2001:db8::1", 9000) == "[2001:db8::1]:9000");
  BOOST_TEST(host_port("example.net", 1) == "example.net:1");
  for (const std::string_view host : {"192.0.2.1", "2001:db8::1"}) {
    const auto read = parse_host_port(host_port(host, 9000));
    BOOST_REQUIRE(read.has_value());
    BOOST_TEST(read->to_string() == host_port(host, 9000));
  }
}

BOOST_AUTO_TEST_CASE(loopback_is_127_slash_8_and_one_address_of_ipv6) {
  for (const auto& [text, is] :
       {std::pair("127.0.0.1:1", true), std::pair("127.9.9.9:1", true), std::pair("[::1]:1", true),
        std::pair("128.0.0.1:1", false), std::pair("[::2]:1", false), std::pair("[::]:1", false)})
    BOOST_TEST(is_loopback(*SocketAddress::parse(text)) == is, text);
}

BOOST_AUTO_TEST_CASE(each_kind_of_error_has_a_word_of_its_own) {
  using enum ErrorKind;
  for (const ErrorKind kind : {network, io, usage, auth, timeout, peer, threshold, nomatch, interrupted})
    BOOST_TEST((kind_of_word(kind_word(kind)) == kind), kind_word(kind));
  BOOST_TEST(!kind_of_word("nothing").has_value());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace mxp::tools
