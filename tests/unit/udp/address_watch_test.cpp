// A machine whose addresses change, played in a network namespace: what the system reports of it, and what a client
// makes of it.
#include "udp/address_watch.h"

#include <fmt/format.h>
#include <poll.h>

#include <boost/test/unit_test.hpp>

#include "mxp/event_loop.h"
#include "udp/clock.h"
#include "udp/socket_address.h"
#include "unit/udp/network_namespace.h"

namespace mxp::test {
namespace {

using namespace std::chrono_literals;

bool is_readable(int fd) {
  pollfd entry{fd, POLLIN, 0};
  return ::poll(&entry, 1, 1000) == 1;
}

struct Remembering final : Handler {
  Connection* connection = nullptr;
  void on_connected(Connection& made) override { connection = &made; }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(address_watch)

BOOST_AUTO_TEST_CASE(a_new_address_is_reported_and_is_what_datagrams_leave_from, *kNeedsNamespaces) {
  run_or_say_why_not([]() -> std::string {
    // A second address of the loopback interface: every address of its network is reached from there.
    MXP_EXPECT(set_up_interface("lo", 1500) && set_up_interface("lo:1", 1500, "10.9.0.1"));
    const SocketAddress there = SocketAddress::ipv4(10, 9, 0, 77, 9000);
    MXP_EXPECT(local_address_toward(there) == SocketAddress::ipv4(10, 9, 0, 1, 0));
    AddressWatch watch;
    MXP_EXPECT(watch.fd() >= 0);
    MXP_EXPECT(!watch.take_change());
    MXP_EXPECT(set_up_interface("lo:1", 1500, "10.9.0.2"));
    MXP_EXPECT(is_readable(watch.fd()));
    MXP_EXPECT(watch.take_change());
    MXP_EXPECT(!watch.take_change());
    MXP_EXPECT(local_address_toward(there) == SocketAddress::ipv4(10, 9, 0, 2, 0));
    MXP_EXPECT(!local_address_toward(SocketAddress::ipv4(192, 0, 2, 1, 9000)));  // there is no route
    return "";
  });
}

BOOST_AUTO_TEST_CASE(a_client_moves_when_its_address_is_replaced, *kNeedsNamespaces) {
  run_or_say_why_not([]() -> std::string {
    MXP_EXPECT(set_up_interface("lo", 1500) && set_up_interface("lo:1", 1500, "10.9.0.1"));
    Remembering server_side, client_side;
    const PrivateKey key = PrivateKey::generate(system_random());
    auto server = EventLoop::create({.bind = SocketAddress::ipv4(10, 9, 0, 77, 0)}, {.identity = key, .accept = true},
                                    server_side);
    auto client = EventLoop::create({.bind = SocketAddress::ipv4(0, 0, 0, 0, 0)},
                                    {.identity = PrivateKey::generate(system_random())}, client_side);
    MXP_EXPECT(server && client);
    MXP_EXPECT((*client)->endpoint().connect((*client)->now(), (*server)->local_address(), key.public_key()));
    const auto until = [&](const auto& done) {
      const Timestamp give_up = monotonic_now() + 10s;
      (*client)->flush();
      while (!done() && monotonic_now() < give_up) {
        pollfd entries[2] = {{(*server)->fd(), POLLIN, 0}, {(*client)->fd(), POLLIN, 0}};
        if (::poll(entries, 2, 1000) < 0 || !(*server)->process((*server)->now()) ||
            !(*client)->process((*client)->now()))
          return false;
      }
      return done();
    };
    // Ids for another path are there.
    MXP_EXPECT(until([&] {
      return server_side.connection != nullptr && client_side.connection != nullptr &&
             client_side.connection->stats().packets_received > 0;
    }));
    MXP_EXPECT(server_side.connection->remote_address().ip[3] == 1);
    const ConnectionId before = client_side.connection->remote_id();
    MXP_EXPECT(set_up_interface("lo:1", 1500, "10.9.0.2"));
    MXP_EXPECT(until([&] { return server_side.connection->remote_address().ip[3] == 2; }));
    MXP_EXPECT(client_side.connection->stats().path_changes == 1);
    MXP_EXPECT(client_side.connection->remote_id() != before);  // RFC 9000 §9.5
    // What concerns other networks moves nobody.
    MXP_EXPECT(set_up_interface("lo:2", 1500, "10.10.0.1"));
    MXP_EXPECT(is_readable((*client)->fd()));
    MXP_EXPECT((*client)->process((*client)->now()).has_value());
    MXP_EXPECT(client_side.connection->stats().path_changes == 1);
    return "";
  });
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace mxp::test
