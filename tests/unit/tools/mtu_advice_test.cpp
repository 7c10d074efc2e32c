// What mxp-perf says of a test that moves no data: which --mtu to try, and when packets cannot be the reason.
#include "mxp-perf/mtu_advice.h"

#include <boost/test/unit_test.hpp>

using namespace mxp;
using namespace mxp::perf;
using namespace std::chrono_literals;

BOOST_AUTO_TEST_SUITE(mtu_advice_of_perf)

BOOST_AUTO_TEST_CASE(the_next_size_to_try_is_a_smaller_one) {
  const struct {
    std::size_t mtu;
    std::string_view advice;
  } cases[] = {{65535, "try --mtu 1500"}, {1501, "try --mtu 1500"}, {1500, "try --mtu 1400"}, {1400, "try --mtu 1280"},
               {1300, "try --mtu 1280"},  {1280, "try --mtu 1228"}, {1229, "try --mtu 1228"}};
  for (const auto& one : cases) {
    for (const bool refused_here : {false, true}) {
      const std::string text = mtu_advice({.mtu = one.mtu, .refused_here = refused_here, .after = 3s});
      BOOST_TEST(text.ends_with(one.advice), text);
      BOOST_TEST(text.find(std::to_string(one.mtu) + " bytes (--mtu)") != std::string::npos, text);
      BOOST_TEST((text.find("interface") != std::string::npos) == refused_here);
    }
  }
}

BOOST_AUTO_TEST_CASE(the_side_that_builds_the_packets_is_named) {
  BOOST_TEST(mtu_advice({.stuck = LoadDirection::down, .mtu = 1500, .after = 3s}).find("mxp-perf server --mtu 1400") !=
             std::string::npos);
  BOOST_TEST(mtu_advice({.stuck = LoadDirection::both, .mtu = 1500, .after = 3s})
                 .ends_with("--mtu 1400 here and at the server"));
}

BOOST_AUTO_TEST_CASE(small_packets_are_not_suspected) {
  const Workload bulk;
  BOOST_TEST(may_be_too_large(bulk, 1500));
  BOOST_TEST(may_be_too_large(bulk, 1229));
  BOOST_TEST(!may_be_too_large(bulk, 1228));
  Workload down;
  down.flow = LoadDirection::down;  // our own --mtu says nothing of the server's packets
  BOOST_TEST(may_be_too_large(down, 1228));
  Workload calls;
  calls.test = Test::rr;
  BOOST_TEST(!may_be_too_large(calls, 9000));
  calls.size = 1100;
  BOOST_TEST(!may_be_too_large(calls, 9000));
  calls.size = 1101;
  BOOST_TEST(may_be_too_large(calls, 9000));
}

BOOST_AUTO_TEST_CASE(a_long_path_gets_more_time) {
  BOOST_TEST((first_data_limit(1ms) == Duration(3s)));
  BOOST_TEST((first_data_limit(2s) == Duration(8s)));
}

BOOST_AUTO_TEST_CASE(no_mtu_makes_datagrams_smaller_than_a_connection_builds) {
  const auto payload = [](std::size_t mtu, AddressFamily family) { return Options{.mtu = mtu}.udp_payload(family); };
  BOOST_TEST(payload(1500, AddressFamily::ipv4) == 1472u);
  BOOST_TEST(payload(1500, AddressFamily::ipv6) == 1452u);
  BOOST_TEST(payload(kLeastMtu, AddressFamily::ipv4) == 1200u);
  BOOST_TEST(payload(kLeastMtu, AddressFamily::ipv6) == 1200u);
}

BOOST_AUTO_TEST_SUITE_END()
