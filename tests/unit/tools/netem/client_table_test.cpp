// Who uses the relay and for how long, in time that the test makes up: the real idle time is five minutes.
#include "mxp-netem/client_table.h"

#include <boost/test/unit_test.hpp>

namespace mxp::tools {
namespace {

using namespace std::chrono_literals;

constexpr Timestamp kStart{1000s};
constexpr Duration kIdle = ClientTable::kIdle;

SocketAddress address(std::uint16_t port) { return SocketAddress::ipv4(127, 0, 0, 1, port); }

// To a port that nobody is asked to answer on.
RelaySocket upstream() {
  auto socket = RelaySocket::connect(address(9));
  BOOST_REQUIRE(socket.has_value());
  return std::move(*socket);
}

struct Fixture {
  ClientTable clients;
  Client& quiet = clients.add(address(1001), upstream(), kStart);
  Client& lively = clients.add(address(1002), upstream(), kStart);
};

BOOST_FIXTURE_TEST_SUITE(client_table, Fixture)

BOOST_AUTO_TEST_CASE(clients_are_found_by_address_and_by_flow) {
  BOOST_TEST(clients.find(address(1001)) == &quiet);
  BOOST_TEST(clients.find(quiet.flow) == &quiet);
  BOOST_TEST(clients.find(address(1003)) == nullptr);
  BOOST_TEST(clients.find(netem::FlowId{2}) == nullptr);
  BOOST_TEST(quiet.flow != lively.flow);
  BOOST_TEST(clients.size() == 2u);
  BOOST_TEST(!clients.full());
}

BOOST_AUTO_TEST_CASE(nobody_is_idle_before_the_time_is_over) {
  BOOST_TEST(clients.take_idle(kStart + kIdle - 1ns).empty());
  BOOST_TEST(clients.size() == 2u);
}

BOOST_AUTO_TEST_CASE(who_was_heard_of_stays_and_who_was_not_is_handed_out) {
  const netem::FlowId flow = quiet.flow;
  lively.last_seen = kStart + 1ns;
  const auto idle = clients.take_idle(kStart + kIdle);
  BOOST_REQUIRE(idle.size() == 1u);
  BOOST_TEST(idle.front()->flow == flow);
  BOOST_TEST(clients.find(flow) == nullptr);
  BOOST_TEST(clients.find(address(1001)) == nullptr);
  BOOST_TEST(clients.find(address(1002)) == &lively);
  BOOST_TEST(clients.find(lively.flow) == &lively);
  BOOST_TEST(clients.size() == 1u);
  BOOST_TEST(clients.take_idle(kStart + kIdle + 1ns).size() == 1u);
  BOOST_TEST(clients.size() == 0u);
}

BOOST_AUTO_TEST_CASE(a_client_that_comes_back_is_a_new_flow) {
  const netem::FlowId former = quiet.flow;
  clients.take_idle(kStart + kIdle);
  const Client& again = clients.add(address(1001), upstream(), kStart + kIdle);
  BOOST_TEST(again.flow != former);
  BOOST_TEST(clients.find(address(1001)) == &again);
  BOOST_TEST(clients.find(former) == nullptr);
  BOOST_TEST(clients.ever() == 3u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace mxp::tools
