// Threats against datagrams: t40 (a queue that a peer fills or keeps full), and frames that were not announced.
#include <boost/test/unit_test.hpp>

#include "connection/access.h"
#include "connection/flows.h"
#include "support/allocation_counter.h"
#include "support/attacker.h"

using namespace mxp;
using namespace mxp::test;

namespace datagrams_test {

BOOST_AUTO_TEST_SUITE(hostile_datagrams)

namespace {

struct Scene {
  explicit Scene(std::size_t takes)
      : pair([&] {
          DirectPair::Config config;
          config.server.transport.datagrams.max_payload = takes;
          return config;
        }()),
        attacker(pair.server, pair.now) {
    BOOST_REQUIRE(attacker.connect());
  }
  DirectPair pair;
  Attacker attacker;
};

Bytes without_length(std::size_t size) { return varint(frame_type::kDatagram) + Bytes(size); }

}  // namespace

BOOST_AUTO_TEST_CASE(a_datagram_that_is_longer_than_announced) {
  for (const bool with_length : {false, true}) {
    Scene scene(100);
    const auto frame = [&](std::size_t size) {
      const Bytes data(size);
      return with_length ? frames(DatagramFrame{data}) : without_length(size);
    };
    scene.attacker.ask(frame(100));
    scene.attacker.ask(frame(0));
    BOOST_TEST(scene.pair.server.app.datagrams.size() == 2u);
    BOOST_REQUIRE(!scene.attacker.seen_close().has_value());
    scene.attacker.ask(frame(101));
    BOOST_REQUIRE(scene.attacker.seen_close().has_value());
    BOOST_TEST((scene.attacker.seen_close()->transport_code() == TransportErrorCode::protocol_violation));
    BOOST_TEST(scene.attacker.seen_close()->frame_type == (with_length ? 0x31u : 0x30u));
    BOOST_TEST(scene.pair.server.app.datagrams.size() == 2u);
  }
}

BOOST_AUTO_TEST_CASE(a_datagram_that_was_not_announced) {
  for (const Bytes& frame : {without_length(5), frames(DatagramFrame{text("hello")})}) {
    Scene scene(0);
    scene.attacker.ask(frame);
    BOOST_REQUIRE(scene.attacker.seen_close().has_value());
    BOOST_TEST((scene.attacker.seen_close()->transport_code() == TransportErrorCode::unknown_frame));
    BOOST_TEST(varint(scene.attacker.seen_close()->frame_type) == Bytes(frame.begin(), frame.begin() + 1));
    BOOST_TEST(scene.pair.server.app.datagrams.empty());
  }
}

// Received datagrams are handed over and never kept, and a packet that comes twice is one.
BOOST_AUTO_TEST_CASE(t40_a_flood_leaves_nothing_behind) {
  Scene scene(1000);
  scene.pair.server.app.keep_data = false;
  const Bytes datagram = frames(DatagramFrame{Bytes(10)}, DatagramFrame{}, DatagramFrame{Bytes(500)});
  const auto flood = [&] {
    for (int i = 0; i < 1000; ++i) {
      const Bytes packet = scene.attacker.session->seal(datagram);
      scene.attacker.send_raw(packet);
      scene.attacker.send_raw(packet);
      scene.attacker.collect();
      scene.attacker.answers.clear();
      scene.pair.server_trace.sent.clear();
    }
  };
  flood();
  const std::int64_t before = live_bytes();
  flood();
  BOOST_TEST(live_bytes() <= before + 4096);
  BOOST_TEST(scene.attacker.connection().stats().datagrams.received == 6000u);
  BOOST_TEST(dropped(scene.attacker.connection(), DropReason::duplicate_packet) == 2000u);
}

// A peer that acknowledges nothing: what its victim sends it waits within the bounds of the queue, and goes when it is
// late.
BOOST_AUTO_TEST_CASE(t40_a_peer_that_acknowledges_nothing) {
  DirectPair::Config config;
  config.server.transport.datagrams.queue_bytes = 50'000;
  config.server.transport.datagrams.queue_datagrams = 70;
  DirectPair pair(std::move(config));
  Attacker::Config taking;
  taking.transport.datagrams.max_payload = 65507;
  Attacker attacker(pair.server, pair.now, taking);
  BOOST_REQUIRE(attacker.connect());
  Connection& victim = attacker.connection();
  const std::size_t idle = memory_in_use(ConnectionAccess::parts(victim));
  std::uint64_t taken = 0;
  for (int i = 0; i < 2000; ++i) {
    const DatagramOptions options{.policy = DatagramPolicy::drop_oldest, .expires_at = pair.now + 100ms, .cookie = 1};
    taken += victim.send_datagram(Bytes(i % 2 == 0 ? 1000 : 10), options) ? 1 : 0;
    pair.now += 100us;
    attacker.wake();
    attacker.collect();
    BOOST_REQUIRE(memory_in_use(ConnectionAccess::parts(victim)) < idle + 200'000);
  }
  const DatagramStats stats = victim.stats().datagrams;
  BOOST_TEST(stats.queued <= 70u);
  BOOST_TEST(stats.sent + stats.queued + stats.dropped + stats.expired == taken);
  BOOST_TEST(stats.dropped > 1000u);
  BOOST_TEST(taken == 2000u);
  pair.now += 200ms;
  attacker.wake();
  BOOST_TEST(victim.stats().datagrams.queued == 0u);
}

// An application that sends another datagram whenever it hears of one that was dropped: its endpoint still comes back
// to its driver, and other connections are served.
BOOST_AUTO_TEST_CASE(t40_an_application_that_sends_for_each_one_dropped) {
  DirectPair::Config config;
  config.client.transport.datagrams.queue_datagrams = 1;
  config.server.transport.datagrams.max_payload = 1000;
  DirectPair pair(std::move(config));
  Connection& endless = *pair.establish();
  Connection& other = *pair.establish();
  const DatagramOptions options{.policy = DatagramPolicy::drop_oldest, .cookie = 1};
  std::uint64_t sends = 0;
  pair.client.app.hook = [&](std::string_view event, Connection& connection, StreamId) {
    if (event != "outcome" || &connection != &endless || ++sends > 10'000) return;
    // The second one drops the first.
    std::ignore = connection.send_datagram(Bytes(10), options);
    std::ignore = connection.send_datagram(Bytes(10), options);
  };
  // Nothing is acknowledged, so the window fills, and what is sent afterwards waits.
  const auto lost = [](const SocketAddress&, ByteView) {};
  for (int i = 0; i < 100; ++i) {
    std::ignore = endless.write(*endless.open_stream(StreamType::unidirectional), Bytes(1000));
    pair.client.poll(pair.now, lost);
  }
  std::ignore = endless.send_datagram(Bytes(10), options);
  std::ignore = endless.send_datagram(Bytes(10), options);
  std::ignore = other.write(*other.open_stream(StreamType::unidirectional), Bytes(10));
  pair.client.poll(pair.now, lost);
  BOOST_TEST(sends > 0u);
  BOOST_TEST(sends < 100u);
  BOOST_TEST(other.stats().stream_bytes_sent == 10u);
  // There is more to do, and the driver is told so.
  BOOST_CHECK(pair.client.endpoint.next_timeout() <= pair.now);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace datagrams_test
