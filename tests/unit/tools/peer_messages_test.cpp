#include "mxp-cat/peer_messages.h"

#include <boost/test/unit_test.hpp>
#include <chrono>

namespace mxp::tools {
namespace {

using namespace std::chrono_literals;

BOOST_AUTO_TEST_SUITE(messages_that_peers_cause)

BOOST_AUTO_TEST_CASE(ten_at_once_then_one_a_second_and_the_rest_is_counted) {
  PeerMessages messages;
  const Timestamp now{1h};
  for (int i = 0; i < 10; ++i)
    BOOST_TEST(messages.admit("192.0.2.1:" + std::to_string(i), "lost", now).value() == "lost");
  for (int i = 0; i < 7; ++i) BOOST_TEST(!messages.admit("192.0.2.1:99", "lost", now).has_value());
  BOOST_TEST(messages.admit("192.0.2.2:1", "lost", now).value() == "lost");  // has its own account
  BOOST_TEST(messages.admit("192.0.2.1:1", "lost", now + 1s).value() ==
             "lost (7 messages about 192.0.2.1 were not shown before)");
  BOOST_TEST(!messages.admit("192.0.2.1:1", "lost", now + 1s).has_value());
}

BOOST_AUTO_TEST_CASE(a_flood_from_everywhere_is_one_flood) {
  PeerMessages messages;
  const Timestamp now{1h};
  int shown = 0;
  for (int i = 0; i < 10'000; ++i)
    shown += messages.admit("[2001:db8::" + std::to_string(i) + "]:9", "lost", now).has_value() ? 1 : 0;
  BOOST_TEST(shown == 256 + 10);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace mxp::tools
