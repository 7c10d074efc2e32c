// A loop is not made from a setting outside its range: nothing is bound, and the message names the setting.
#include <boost/test/unit_test.hpp>
#include <cerrno>
#include <chrono>

#include "mxp/event_loop.h"

namespace mxp::test {

BOOST_AUTO_TEST_SUITE(settings)

BOOST_AUTO_TEST_CASE(a_setting_beyond_the_wire_is_refused_by_its_name) {
  EndpointConfig config{.identity = PrivateKey::generate(system_random())};
  config.transport.idle_timeout = std::chrono::hours(1194);
  Handler handler;
  const auto loop = EventLoop::create({.bind = *SocketAddress::parse("127.0.0.1:0")}, config, handler);
  BOOST_TEST_REQUIRE(!loop.has_value());
  BOOST_TEST(loop.error().code == EINVAL);
  BOOST_TEST(loop.error().message ==
             "setting transport.idle_timeout is 4298400000 ms; allowed: 0 (none), or 1 ms to 4294967296 ms");
}

BOOST_AUTO_TEST_CASE(an_endpoint_says_so_too) {
  EndpointConfig config{.identity = PrivateKey::generate(system_random())};
  Handler handler;
  BOOST_TEST(Endpoint::create(config, system_random(), handler).has_value());
  config.suites.clear();
  const auto endpoint = Endpoint::create(config, system_random(), handler);
  BOOST_TEST_REQUIRE(!endpoint.has_value());
  BOOST_TEST(endpoint.error().field == "suites");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace mxp::test
