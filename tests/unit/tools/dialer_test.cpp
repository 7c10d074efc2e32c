#include "common/dialer.h"

#include <boost/test/unit_test.hpp>
#include <chrono>
#include <memory>
#include <thread>

#include "mxp/event_loop.h"

namespace mxp::tools {
namespace {

using namespace std::chrono_literals;

const SocketAddress kLoopback = SocketAddress::ipv4(127, 0, 0, 1, 0);

// A server that runs beside the test.
struct Server {
  Handler handler;
  std::unique_ptr<EventLoop> loop;
  std::thread thread;
  Server() {
    auto made = EventLoop::create({.bind = kLoopback},
                                  {.identity = PrivateKey::generate(system_random()), .accept = true}, handler);
    BOOST_REQUIRE(made.has_value());
    loop = *std::move(made);
    thread = std::thread([this] { (void)loop->run(); });
  }
  ~Server() {
    loop->stop();
    thread.join();
  }
};

// Runs a client over `addresses` until one of them has answered or all have failed.
struct Client : Handler {
  std::unique_ptr<EventLoop> loop;
  std::optional<Dialer> dialer;
  SocketAddress reached;
  bool failed = false;

  Client(std::vector<SocketAddress> addresses, const PublicKey& key) {
    auto made = EventLoop::create({.bind = kLoopback}, {.identity = PrivateKey::generate(system_random())}, *this);
    BOOST_REQUIRE(made.has_value());
    loop = *std::move(made);
    dialer.emplace(*loop, std::move(addresses), key);
    BOOST_REQUIRE(dialer->start().has_value());
    BOOST_REQUIRE(loop->run().has_value());
  }
  void on_connected(Connection& connection) override {
    if (dialer->on_connected(connection)) reached = connection.remote_address();
    loop->stop();
  }
  void on_closed(Connection& connection, const CloseInfo&) override {
    if (dialer->on_failed(connection)) return;
    failed = true;
    loop->stop();
  }
};

SocketAddress silent_address(std::unique_ptr<EventLoop>& owner, Handler& handler) {
  auto made = EventLoop::create({.bind = kLoopback}, {.identity = PrivateKey::generate(system_random())}, handler);
  BOOST_REQUIRE(made.has_value());
  owner = *std::move(made);  // never run: nothing is answered, and the port is not refused
  return owner->local_address();
}

SocketAddress refused_address() {
  Handler handler;
  std::unique_ptr<EventLoop> gone;
  return silent_address(gone, handler);
}

BOOST_AUTO_TEST_SUITE(dialling_several_addresses)

BOOST_AUTO_TEST_CASE(an_address_that_does_not_answer_does_not_hold_up_the_next) {
  Server server;
  Handler handler;
  std::unique_ptr<EventLoop> owner;
  const SocketAddress silent = silent_address(owner, handler);
  const auto begin = std::chrono::steady_clock::now();
  const Client client({silent, server.loop->local_address()}, server.loop->endpoint().public_key());
  BOOST_TEST((client.reached == server.loop->local_address()));
  const auto took = std::chrono::steady_clock::now() - begin;
  BOOST_TEST((took >= 250ms));  // RFC 8305 §5: the first has this head start
  BOOST_TEST((took < 9s));      // and is not waited for until its own timeout
}

BOOST_AUTO_TEST_CASE(a_refused_address_is_followed_by_the_next) {
  Server server;
  const SocketAddress here = server.loop->local_address();
  const Client client({refused_address(), here}, server.loop->endpoint().public_key());
  BOOST_TEST((client.reached == here));
  BOOST_TEST(!client.failed);
}

BOOST_AUTO_TEST_CASE(all_addresses_have_to_fail_before_the_whole_does) {
  Server server;  // for its key
  const SocketAddress one = refused_address();
  const SocketAddress other = refused_address();
  const Client client({one, other}, server.loop->endpoint().public_key());
  BOOST_TEST(client.failed);
  BOOST_TEST(client.dialer->tried() == one.to_string() + " and " + other.to_string());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace mxp::tools
