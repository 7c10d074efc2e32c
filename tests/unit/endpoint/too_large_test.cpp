// What the carrier could not send for its size is told to those who sent to that address, and to nobody else.
#include <boost/test/unit_test.hpp>

#include "connection/access.h"
#include "support/host.h"

using namespace mxp;
using namespace mxp::test;

BOOST_AUTO_TEST_SUITE(too_large)

BOOST_AUTO_TEST_CASE(a_refused_size_is_told_to_the_connections_with_that_address_only) {
  DirectPair pair;
  const Connection* first = pair.establish();
  const Connection* second = pair.establish();
  const auto elsewhere =
      pair.client.endpoint.connect(pair.now, kStrangerAddress, default_server().identity.public_key());
  BOOST_REQUIRE(elsewhere.has_value());
  pair.exchange();
  pair.client.endpoint.on_too_large(pair.now, kServerAddress, 1400);
  BOOST_TEST(first->stats().datagrams_too_large == 1u);
  BOOST_TEST(second->stats().datagrams_too_large == 1u);
  BOOST_TEST((*elsewhere)->stats().datagrams_too_large == 0u);
  BOOST_TEST((first->state() == ConnectionState::established));
}

// A server that follows its client still asks on the path that it left, and both may be sent on.
BOOST_AUTO_TEST_CASE(a_refused_size_is_told_to_the_path_that_leads_there) {
  DirectPair pair;
  Connection* client = pair.establish();
  Bytes copy;
  pair.lose = [&](Role sender, ByteView datagram) {
    if (sender == Role::client) copy = copy_of(datagram);
    return sender == Role::client;
  };
  BOOST_REQUIRE(client->write(*client->open_stream(StreamType::unidirectional), text("x")).has_value());
  pair.exchange();
  BOOST_REQUIRE(!copy.empty());
  pair.server.receive(pair.now, copy, kStrangerAddress);
  Parts& parts = ConnectionAccess::parts(*pair.server_connection());
  BOOST_REQUIRE((parts.path->remote == kStrangerAddress));
  BOOST_REQUIRE(parts.other != nullptr);
  pair.server.poll(pair.now, [](const SocketAddress&, ByteView) {});
  const auto asked = [&](Path& path) { return path.sizes.probe_due(pair.now, 1 << 20).value_or(0); };
  const std::size_t before[] = {asked(*parts.path), asked(*parts.other)};
  BOOST_TEST(before[0] > 1400u);
  const std::size_t size = before[1] > 1400 ? 1400 : 1300;
  pair.server.endpoint.on_too_large(pair.now, kClientAddress, size);
  BOOST_TEST(asked(*parts.path) == before[0]);
  BOOST_TEST(asked(*parts.other) < size);
  pair.server.endpoint.on_too_large(pair.now, kStrangerAddress, 1400);
  BOOST_TEST(asked(*parts.path) < 1400u);
}

BOOST_AUTO_TEST_CASE(a_report_after_the_connection_has_gone_reaches_nobody) {
  DirectPair pair;
  Connection* connection = pair.establish();
  connection->close(0, "done");
  pair.exchange();
  for (int i = 0; i < 100 && pair.client.endpoint.connection_count() > 0; ++i) pair.advance(1s);
  BOOST_REQUIRE(pair.client.endpoint.connection_count() == 0u);
  pair.client.endpoint.on_too_large(pair.now, kServerAddress, 1400);  // a dangling entry would be found by asan
  std::vector<std::uint8_t> buffer(65536);
  BOOST_TEST(!pair.client.endpoint.poll_transmit(pair.now, buffer).has_value());
}

BOOST_AUTO_TEST_SUITE_END()
