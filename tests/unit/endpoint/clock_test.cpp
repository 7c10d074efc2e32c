// Time never runs backwards in an endpoint: a smaller `now` is read as the largest one so far, by each of its verbs
// (threat t42).
#include <boost/test/unit_test.hpp>

#include "support/host.h"

using namespace mxp;
using namespace mxp::test;

namespace {

struct Client {
  Host host{default_client(), kClientAddress, 1};
  Connection& connect(Timestamp now) {
    return **host.endpoint.connect(now, kServerAddress, default_server().identity.public_key());
  }
  std::size_t poll(Timestamp now) {
    return host.poll(now, [&](const SocketAddress&, ByteView datagram) { last = copy_of(datagram); });
  }
  Bytes last;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(endpoint_clock)

BOOST_AUTO_TEST_CASE(poll_transmit_with_an_earlier_time_sends_what_was_due) {
  Client client;
  client.connect(Timestamp(10s));
  BOOST_TEST(client.poll(Timestamp(5s)) == 1u);
  BOOST_TEST((client.host.endpoint.next_timeout() == Timestamp(10s + 300ms)));
}

BOOST_AUTO_TEST_CASE(connect_with_an_earlier_time_begins_at_the_latest) {
  Client client;
  client.poll(Timestamp(10s));
  client.connect(Timestamp(5s));
  client.poll(Timestamp(10s));
  BOOST_TEST((client.host.endpoint.next_timeout() == Timestamp(10s + 300ms)));
  // Its time limit counts from there as well.
  client.host.endpoint.on_timeout(Timestamp(20s - 1ns));
  BOOST_TEST(client.host.app.closed.empty());
  client.host.endpoint.on_timeout(Timestamp(20s));
  BOOST_TEST(client.host.app.closed.size() == 1u);
}

BOOST_AUTO_TEST_CASE(on_timeout_with_an_earlier_time_does_what_was_due) {
  Client client;
  client.connect(Timestamp(10s));
  BOOST_TEST(client.poll(Timestamp(10s)) == 1u);
  BOOST_TEST(client.poll(Timestamp(11s)) == 0u);  // nobody said that it is ready
  client.host.endpoint.on_timeout(Timestamp(5s));
  BOOST_TEST(client.poll(Timestamp(5s)) >= 1u);
}

BOOST_AUTO_TEST_CASE(receive_with_an_earlier_time_measures_nothing_negative) {
  Client client;
  const Connection& connection = client.connect(Timestamp(10s));
  client.poll(Timestamp(10s));
  Host server(default_server(), kServerAddress, 2);
  server.receive(Timestamp(1s), client.last, kClientAddress);
  Bytes answer;
  server.poll(Timestamp(1s), [&](const SocketAddress&, ByteView datagram) { answer = copy_of(datagram); });
  client.host.receive(Timestamp(9s), answer, kServerAddress);
  BOOST_REQUIRE(client.host.app.connected.size() == 1u);
  BOOST_TEST((connection.stats().handshake_time == 0ns));
  // And what is timed from then on is timed from the latest.
  client.poll(Timestamp(10s));
  BOOST_TEST((client.host.endpoint.next_timeout() >= Timestamp(10s)));
}

BOOST_AUTO_TEST_CASE(on_unreachable_with_an_earlier_time_ends_at_the_latest) {
  Client client;
  client.connect(Timestamp(10s));
  client.poll(Timestamp(10s));
  client.host.endpoint.on_unreachable(Timestamp(1s), kServerAddress);
  BOOST_TEST(client.host.app.closed.size() == 1u);
  BOOST_TEST((client.host.endpoint.next_timeout() > Timestamp(10s)));  // it hears a late answer until then
}

// What next_timeout says where nothing is pending may be handed back.
BOOST_AUTO_TEST_CASE(on_timeout_at_the_time_that_never_comes_does_nothing_where_nothing_is_due) {
  Client client;
  BOOST_TEST((client.host.endpoint.next_timeout() == kNever));
  client.host.endpoint.on_timeout(client.host.endpoint.next_timeout());
  // And it is no time that others would have to follow.
  client.connect(Timestamp(1s));
  client.poll(Timestamp(1s));
  BOOST_TEST((client.host.endpoint.next_timeout() == Timestamp(1s + 300ms)));
}

BOOST_AUTO_TEST_SUITE_END()
