// Threat t56: what one client's key, or all clients together, can make a server keep. Whoever holds much gives way, and
// a client that is honest is served beside it.
#include <boost/test/unit_test.hpp>

#include "connection/access.h"
#include "connection/flows.h"
#include "mxp/endpoint.h"
#include "support/attacker.h"

using namespace mxp;
using namespace mxp::test;

namespace memory_test {
namespace {

constexpr std::size_t kMegabyte = std::size_t{1} << 20;

// Makes the server keep all that the default windows allow, with a byte at the end of each of four streams: the ring of
// a stream reaches from the first byte that is missing to the last one that came.
void fill_windows(Attacker& attacker) {
  const std::uint64_t last = FlowControlConfig().stream_window - 1;
  for (std::uint64_t i = 0; i < FlowControlConfig().connection_window / FlowControlConfig().stream_window; ++i)
    attacker.ask(stream_frame(StreamId::make(Role::client, StreamType::unidirectional, i), last, text("x")));
}

// A server with hogs, and a client with a key of its own that wants to be served.
struct Scene {
  explicit Scene(EndpointLimits limits = {})
      : pair([&] {
          DirectPair::Config config;
          config.server.limits = limits;
          return config;
        }()) {}

  EndpointStats stats() const { return pair.server.endpoint.stats(); }
  std::uint64_t memory() const { return stats().memory_in_use; }

  void honest_client_is_served() {
    const std::uint64_t before = pair.server.app.bytes;
    Connection* honest = pair.establish();
    BOOST_REQUIRE(honest != nullptr);
    BOOST_REQUIRE((honest->state() == ConnectionState::established));
    const auto id = honest->open_stream(StreamType::unidirectional);
    BOOST_REQUIRE(id.has_value());
    pair.client.app.send(*honest, *id, Bytes(500'000));
    pair.advance(1s);
    BOOST_TEST(pair.server.app.bytes - before == 500'000u);
    BOOST_TEST((honest->state() == ConnectionState::established));
  }

  DirectPair pair;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(memory)

BOOST_AUTO_TEST_CASE(t56_one_key_cannot_take_every_connection) {
  Scene scene;
  Attacker hog(scene.pair.server, scene.pair.now);
  const std::size_t limit = EndpointLimits().max_connections_per_key;
  std::size_t taken = 0;
  while (taken < limit + 1 && hog.connect()) ++taken;
  BOOST_TEST(taken == limit);
  BOOST_REQUIRE(hog.handshake_close.has_value());
  BOOST_TEST((hog.handshake_close->transport_code() == TransportErrorCode::connection_refused));
  BOOST_TEST(hog.handshake_close->reason == "this key has too many connections");
  BOOST_TEST(scene.stats().handshakes_refused_for_room == 1u);
  BOOST_TEST(scene.memory() < 16 * kMegabyte);
  scene.honest_client_is_served();
}

BOOST_AUTO_TEST_CASE(t56_a_connection_that_ends_gives_its_place_back_to_its_key) {
  Scene scene({.max_connections_per_key = 2});
  Attacker client(scene.pair.server, scene.pair.now);
  BOOST_REQUIRE(client.connect());
  BOOST_REQUIRE(client.connect());
  BOOST_TEST(!client.connect());
  Attacker other(scene.pair.server, scene.pair.now, {.seed = 67});
  BOOST_TEST(other.connect());
  scene.pair.advance(11min);  // nobody says anything: they are idle for too long
  BOOST_TEST(scene.pair.server.endpoint.connection_count() == 0u);
  BOOST_TEST(scene.memory() == 0u);
  BOOST_TEST(client.connect());
  BOOST_TEST(client.connect());
  BOOST_TEST(!client.connect());
}

// Message 1 can be recorded and replayed: what is not confirmed counts for nobody's key.
BOOST_AUTO_TEST_CASE(t56_half_open_handshakes_lock_no_key_out) {
  Scene scene({.max_connections_per_key = 2});
  Attacker client(scene.pair.server, scene.pair.now);
  for (int i = 0; i < 5; ++i) BOOST_REQUIRE(client.handshake());
  BOOST_TEST(client.connect());
  BOOST_TEST(client.connect());
  BOOST_TEST(!client.connect());
}

// Handshakes of one key that are under way together may be more than it has places for.
BOOST_AUTO_TEST_CASE(t56_a_key_is_counted_when_its_handshakes_are_confirmed) {
  Scene scene({.max_connections_per_key = 2});
  DirectPair& pair = scene.pair;
  for (int i = 0; i < 3; ++i)
    BOOST_REQUIRE(
        pair.client.endpoint.connect(pair.now, pair.server.address, pair.server.endpoint.public_key()).has_value());
  pair.advance(1s);
  BOOST_TEST(scene.stats().connections_accepted == 3u);
  BOOST_TEST(scene.stats().handshakes_refused_for_room == 1u);
  BOOST_REQUIRE(pair.client.app.closed.size() == 1u);
  BOOST_TEST(pair.client.app.closed.front().reason == "this key has too many connections");
  BOOST_TEST(scene.stats().connections_shed == 0u);
}

// Downloads whose data the server's application has at hand, to clients that are slow to take them: it has to wait.
BOOST_AUTO_TEST_CASE(t56_honest_downloads_are_not_closed_for_what_waits_to_be_sent) {
  const EndpointLimits limits{.memory_per_key = 48 * kMegabyte};  // 256 KiB for each of them would be 52 MB
  Scene scene(limits);
  DirectPair& pair = scene.pair;
  std::uint64_t most = 0;
  const Bytes chunk(kMegabyte);
  for (int i = 0; i < 200; ++i) {
    BOOST_REQUIRE(pair.establish() != nullptr);
    Connection* server = pair.server_connection();
    const auto id = server->open_stream(StreamType::unidirectional);
    BOOST_REQUIRE(id.has_value());
    pair.lose = [](Role, ByteView) { return true; };
    while (server->write(*id, chunk).value_or(0) == chunk.size()) {
    }
    pair.advance(1ms);
    pair.lose = nullptr;
    most = std::max(most, scene.memory());
  }
  BOOST_TEST(most > limits.memory_per_key / 2);
  BOOST_TEST(most <= limits.memory_per_key);
  BOOST_TEST(scene.stats().connections_shed == 0u);
  BOOST_TEST(pair.client.app.closed.empty());
}

// Connections that hold nothing have nothing to give: they are not closed to make room, even where those that hold most
// hold little.
BOOST_AUTO_TEST_CASE(t56_idle_connections_are_not_closed_to_make_room) {
  Scene scene({.memory = 8 * kMegabyte});
  std::vector<std::unique_ptr<Attacker>> clients;
  const auto connect = [&] {
    clients.push_back(
        std::make_unique<Attacker>(scene.pair.server, scene.pair.now, Attacker::Config{.seed = 5000 + clients.size()}));
    return clients.back()->connect();
  };
  constexpr std::size_t kIdle = 350;
  for (std::size_t i = 0; i < kIdle; ++i) BOOST_REQUIRE(connect());
  while (scene.stats().connections_shed == 0 && clients.size() < 780) {
    if (!connect()) break;  // its own handshake made the others give way
    clients.back()->ask(stream_frame(StreamId::make(Role::client, StreamType::unidirectional, 0), 4095, text("x")));
  }
  // The idle ones are the oldest, and would be asked first: then all of them would go for nothing.
  BOOST_TEST(scene.stats().connections_shed > 0u);
  BOOST_TEST(scene.stats().connections_shed < kIdle);
}

// Two hundred connections, each of which fills the windows that it has by default: 808 MB.
BOOST_AUTO_TEST_CASE(t56_one_key_cannot_fill_the_memory) {
  Scene scene;
  Attacker hog(scene.pair.server, scene.pair.now);
  std::uint64_t most = 0;
  for (int i = 0; i < 200 && hog.connect(); ++i) {
    fill_windows(hog);
    most = std::max(most, scene.memory());
  }
  BOOST_TEST(most > EndpointLimits().memory_per_key / 2);
  BOOST_TEST(most <= EndpointLimits().memory_per_key);
  // Its connections that went beyond were closed, or it got no further one.
  BOOST_TEST(scene.stats().connections_shed + scene.stats().handshakes_refused_for_room > 0u);
  scene.honest_client_is_served();
}

BOOST_AUTO_TEST_CASE(t56_what_goes_beyond_the_memory_of_a_key_is_told_why) {
  Scene scene({.memory_per_key = 6 * kMegabyte});
  Attacker first(scene.pair.server, scene.pair.now);
  BOOST_REQUIRE(first.connect());
  fill_windows(first);
  BOOST_TEST(!first.seen_close().has_value());
  Attacker other(scene.pair.server, scene.pair.now, {.seed = 67});  // a key of its own: this one may
  BOOST_REQUIRE(other.connect());
  fill_windows(other);
  BOOST_TEST(!other.seen_close().has_value());

  BOOST_REQUIRE(first.connect());
  fill_windows(first);
  const auto close = first.seen_close();
  BOOST_REQUIRE(close.has_value());
  BOOST_TEST(!close->application);
  BOOST_TEST((close->transport_code() == TransportErrorCode::internal_error));
  BOOST_TEST(close->reason == "this key's connections hold too much memory");
  BOOST_TEST(scene.stats().connections_shed == 1u);
  // What it held is free again: the first connection's windows, the other key's, and three empty connections are left.
  BOOST_TEST(scene.memory() < 9 * kMegabyte);
}

// As many keys as a stranger likes, where everyone may connect.
BOOST_AUTO_TEST_CASE(t56_many_keys_cannot_fill_the_memory) {
  const EndpointLimits limits{.memory = 64 * kMegabyte};
  Scene scene(limits);
  std::vector<std::unique_ptr<Attacker>> hogs;
  std::size_t refused = 0;
  for (std::uint64_t i = 0; i < 60; ++i) {
    hogs.push_back(std::make_unique<Attacker>(
        scene.pair.server, scene.pair.now,
        Attacker::Config{.seed = 5000 + i,
                         .address = SocketAddress::ipv4(172, 16, 0, static_cast<std::uint8_t>(i), 5000)}));
    if (hogs.back()->connect()) fill_windows(*hogs.back());
    else ++refused;
    BOOST_REQUIRE(scene.memory() <= limits.memory);
    if (i % 10 == 9) scene.honest_client_is_served();
  }
  BOOST_TEST(scene.stats().connections_shed >= 60 - refused - 16);
  // Who holds next to nothing is never closed: these honest clients are still there.
  for (const CloseInfo& info : scene.pair.client.app.closed) BOOST_ERROR("closed: " << info.reason);
}

// Four keys, each of them below every limit, with connections that hold no more than those of the honest clients.
BOOST_AUTO_TEST_CASE(t56_a_key_with_many_connections_gives_way_before_honest_clients_with_one) {
  Scene scene({.memory = 64 * kMegabyte, .memory_per_key = 24 * kMegabyte});
  std::vector<std::unique_ptr<Attacker>> honest, hogs;
  for (std::uint64_t i = 0; i < 3; ++i) {
    honest.push_back(std::make_unique<Attacker>(scene.pair.server, scene.pair.now, Attacker::Config{.seed = 5000 + i}));
    BOOST_REQUIRE(honest.back()->connect());
    fill_windows(*honest.back());
  }
  for (std::uint64_t i = 0; i < 4; ++i)
    hogs.push_back(std::make_unique<Attacker>(scene.pair.server, scene.pair.now, Attacker::Config{.seed = 6000 + i}));
  for (int round = 0; round < 4; ++round) {
    for (auto& hog : hogs) {
      BOOST_REQUIRE(hog->connect());
      fill_windows(*hog);
      BOOST_REQUIRE(scene.memory() <= 64 * kMegabyte);
    }
  }
  BOOST_TEST(scene.stats().connections_shed > 0u);
  for (const auto& client : honest) BOOST_TEST((client->connection().state() == ConnectionState::established));
}

BOOST_AUTO_TEST_CASE(t56_a_full_server_says_that_it_is_its_memory) {
  const EndpointLimits limits{.memory = kMegabyte};
  Scene scene(limits);
  std::vector<std::unique_ptr<Attacker>> clients;
  std::size_t taken = 0;
  for (std::uint64_t i = 0; i < 200; ++i) {
    clients.push_back(
        std::make_unique<Attacker>(scene.pair.server, scene.pair.now, Attacker::Config{.seed = 5000 + i}));
    if (!clients.back()->connect()) break;
    ++taken;
  }
  BOOST_TEST(taken == 7 * kMegabyte / 8 / kConnectionBytes);
  BOOST_REQUIRE(clients.back()->handshake_close.has_value());
  BOOST_TEST(clients.back()->handshake_close->reason == "the server has no memory for more connections");
  BOOST_TEST(scene.stats().connections_shed == 0u);
}

// What is announced stays, but grows no further while memory is short: another connection of the same key holds much.
BOOST_AUTO_TEST_CASE(t56_windows_do_not_grow_while_memory_is_short) {
  for (const bool is_short : {false, true}) {
    Scene scene(is_short ? EndpointLimits{.memory_per_key = 4 * kMegabyte} : EndpointLimits{});
    DirectPair& pair = scene.pair;
    pair.lose = [&](Role, ByteView) {
      pair.now += 1ms;  // so that there is a round trip to measure
      return false;
    };
    pair.server.app.take = [](Connection&, StreamId, ByteView) { return 0; };
    Connection* holding = pair.establish();
    for (int i = 0; i < 3; ++i)
      pair.client.app.send(*holding, *holding->open_stream(StreamType::unidirectional), Bytes(1'000'000));
    pair.advance(10s);
    BOOST_TEST(ConnectionAccess::parts(*pair.server_connection()).streams.usage().receive_buffered == 3'000'000u);
    pair.establish();
    Connection* other = pair.server_connection();
    BOOST_TEST(other->write(*other->open_stream(StreamType::unidirectional), Bytes(10'000)).has_value());
    pair.advance(1s);
    const Parts& parts = ConnectionAccess::parts(*other);
    BOOST_REQUIRE((parts.path->control.rtt().measured() > Duration::zero()));
    BOOST_TEST(parts.memory_is_short == is_short);
    BOOST_TEST((parts.round_trip_of_windows() == Duration::zero()) == is_short);
    BOOST_TEST(scene.stats().connections_shed == 0u);
  }
}

// The peer says only once that a long message waits, and nothing else happens on its connection when others give back
// what they held.
BOOST_AUTO_TEST_CASE(t56_a_long_message_gets_its_room_once_there_is_some) {
  Scene scene({.memory_per_key = 8 * kMegabyte});
  DirectPair& pair = scene.pair;
  pair.server.app.take = [](Connection&, StreamId, ByteView) { return 0; };
  Connection* holding = pair.establish();
  for (int i = 0; i < 4; ++i)
    pair.client.app.send(*holding, *holding->open_stream(StreamType::unidirectional), Bytes(1'000'000));
  pair.advance(10s);
  Connection* sending = pair.establish();
  Connection* at_server = pair.server_connection();
  const Bytes payload(2'500'000);
  BOOST_TEST(sending->send_message({.type = MessageType::event, .id = 1, .payload = payload}).has_value());
  pair.advance(10s);
  BOOST_TEST(ConnectionAccess::parts(*at_server).memory_is_short);
  BOOST_TEST(at_server->stats().messages_received == 0u);
  holding->close(0, "done");
  pair.advance(2s);
  BOOST_TEST(at_server->stats().messages_received == 1u);
  BOOST_TEST(scene.stats().connections_shed == 0u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace memory_test
