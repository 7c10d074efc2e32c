// What a key update tells sinks and key logs, at both ends (mxp/trace.h).
#include <boost/test/unit_test.hpp>

#include "support/host.h"

using namespace mxp;
using namespace mxp::test;

namespace {

using Turned = TraceKeyUpdated::KeySide;
using Begun = TraceKeyUpdated::Begun;

bool same(const TraceKeyUpdated& event, Turned side, Begun begun) {
  return event.side == side && event.phase == 1 && event.begun == begun;
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_key_update_is_traced_at_both_ends_with_its_secrets_before_its_packets) {
  DirectPair::Config config;
  config.client.transport.key_update.packets = 1;
  DirectPair pair(std::move(config));
  Connection* connection = pair.establish();
  const StreamId id = *connection->open_stream(StreamType::bidirectional);
  for (int i = 0; i < 100 && pair.client_trace.key_updates.size() < 2; ++i) {
    (void)connection->write(id, text("x"));
    pair.advance(20ms);
  }
  BOOST_REQUIRE(connection->stats().key_updates == 1u);
  const TraceRecorder& client = pair.client_trace;
  const TraceRecorder& server = pair.server_trace;
  BOOST_REQUIRE(client.key_updates.size() == 2u);
  BOOST_TEST(same(client.key_updates[0], Turned::sending, Begun::by_us));
  BOOST_TEST(same(client.key_updates[1], Turned::receiving, Begun::by_us));
  BOOST_REQUIRE(server.key_updates.size() == 2u);
  BOOST_TEST(same(server.key_updates[0], Turned::receiving, Begun::by_peer));
  BOOST_TEST(same(server.key_updates[1], Turned::sending, Begun::by_peer));

  BOOST_REQUIRE((client.secrets.size() == 2u && server.secrets.size() == 2u));
  BOOST_TEST((client.secrets[1].client_to_server == server.secrets[1].client_to_server));
  BOOST_TEST((client.secrets[1].server_to_client == server.secrets[1].server_to_client));
  BOOST_REQUIRE((client.first_sent.has_value() && server.first_received.has_value()));
  BOOST_TEST((*client.first_sent == *server.first_received));
}
