// Probe timeouts of a whole connection (RFC 9002 §6.2): what goes out when nothing comes back.
#include <boost/test/unit_test.hpp>

#include "connection/access.h"
#include "support/host.h"

using namespace mxp;
using namespace mxp::test;

namespace {

// A client that has sent what its window holds, into the void.
struct Void {
  Void() {
    connection = pair.establish();
    const StreamId id = *connection->open_stream(StreamType::unidirectional);
    pair.lose = [](Role, ByteView) { return true; };
    pair.client.app.send(*connection, id, Bytes(1 << 20));
    BOOST_REQUIRE(pair.exchange());
    // The pacer lets the rest of the window go in its own time; that is not what is looked at here.
    while (ConnectionAccess::parts(*connection).held_until != kNever) step();
  }
  // To the next deadline of the client.
  void step() {
    pair.now = std::max(pair.now, pair.client.endpoint.next_timeout());
    pair.client.endpoint.on_timeout(pair.now);
    BOOST_REQUIRE(pair.exchange());
  }
  ConnectionStats stats() const { return connection->stats(); }
  Recovery& recovery() const { return ConnectionAccess::parts(*connection).recovery; }

  DirectPair pair;
  Connection* connection = nullptr;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(probes)

BOOST_AUTO_TEST_CASE(each_timeout_sends_exactly_two_datagrams_at_doubling_distances) {
  Void scene;
  std::optional<Duration> last_distance;
  Timestamp last = scene.recovery().deadline();
  for (unsigned timeout = 1; timeout <= 5; ++timeout) {
    const std::uint64_t before = scene.pair.datagrams[0];
    scene.step();
    BOOST_REQUIRE(scene.recovery().pto_count() == timeout);
    BOOST_TEST(scene.pair.datagrams[0] - before == 2u);
    BOOST_TEST((scene.pair.now == last));
    const Duration distance = scene.recovery().deadline() - scene.pair.now;
    if (last_distance) BOOST_TEST((distance == 2 * *last_distance));
    last_distance = distance;
    last = scene.recovery().deadline();
  }
  BOOST_TEST(scene.connection->stats().probes_sent == 10u);
}

// The window is full and more data waits. The first probe exceeds the window with data that was never sent, the second
// repeats the oldest; if neither is answered, both of the next timeout repeat what was sent before.
BOOST_AUTO_TEST_CASE(the_first_probe_of_a_silence_carries_new_data) {
  Void scene;
  struct Sent {
    std::uint64_t fresh, repeated;
  };
  const auto sent = [&] { return Sent{scene.stats().stream_bytes_sent, scene.stats().stream_bytes_retransmitted}; };
  const Sent before = sent();
  BOOST_TEST(scene.stats().bytes_in_flight + kMinInitialSize > scene.stats().congestion_window);
  scene.step();
  const Sent first = sent();
  BOOST_TEST(first.fresh - before.fresh > 1100u);
  BOOST_TEST(first.fresh - before.fresh <= 1200u);
  BOOST_TEST(first.repeated - before.repeated > 1100u);
  BOOST_TEST(first.repeated - before.repeated <= 1200u);
  scene.step();
  BOOST_REQUIRE(scene.recovery().pto_count() == 2u);
  BOOST_TEST(sent().fresh == first.fresh);
  BOOST_TEST(sent().repeated - first.repeated > 2200u);
}

// Which of them it is shows when it is the only one that arrives.
BOOST_AUTO_TEST_CASE(new_data_travels_in_the_first_probe_and_the_oldest_in_the_second) {
  for (const unsigned arrives : {0u, 1u}) {
    Void scene;
    unsigned sent = 0;
    const auto& data = scene.pair.server.app.data;
    scene.pair.lose = [&](Role sender, ByteView) {
      if (sender != Role::client) return false;
      // What lies behind a gap is not delivered.
      if (sent == 2) BOOST_TEST((data.empty() || data.begin()->second.empty()) == (arrives == 0));
      return sent++ != arrives && sent <= 2;
    };
    scene.step();
    // The answer to either tells of all that was lost before: no further timeout is needed.
    scene.pair.advance(5s);
    BOOST_TEST(sent > 2u);
    BOOST_TEST(data.begin()->second.size() == (1u << 20));
    BOOST_TEST(scene.stats().probes_sent == 2u);
  }
}

// They may exceed the window, and the second carries the oldest data: it is enough to go on.
BOOST_AUTO_TEST_CASE(one_probe_that_arrives_brings_the_oldest_data) {
  Void scene;
  BOOST_REQUIRE(scene.connection->stats().bytes_in_flight >= scene.connection->stats().congestion_window - 1200);
  unsigned sent = 0;
  scene.pair.lose = [&](Role sender, ByteView) { return sender == Role::client && sent++ == 0; };
  scene.step();
  scene.pair.lose = nullptr;
  BOOST_REQUIRE(scene.pair.exchange());
  BOOST_REQUIRE(scene.pair.server.app.data.size() == 1u);
  BOOST_TEST(!scene.pair.server.app.data.begin()->second.empty());
  scene.pair.advance(5s);
  BOOST_TEST(scene.pair.server.app.data.begin()->second.size() == (1u << 20));
}

// RFC 9002 §6.2.4: each of them, of the second timeout and of later ones too, while anything is outstanding.
BOOST_AUTO_TEST_CASE(each_probe_of_every_timeout_carries_the_oldest_data) {
  for (unsigned arrives = 1; arrives <= 8; ++arrives) {
    BOOST_TEST_CONTEXT("probe " << arrives) {
      DirectPair pair;
      Connection* client = pair.establish();
      const StreamId id = *client->open_stream(StreamType::unidirectional);
      unsigned sent = 0;
      bool probing = false;
      pair.lose = [&](Role sender, ByteView) { return sender == Role::client && !(probing && ++sent == arrives); };
      (void)client->write(id, text("only once written"));
      (void)client->finish(id);
      BOOST_REQUIRE(pair.exchange());
      probing = true;
      while (sent < arrives) {
        pair.now = std::max(pair.now, pair.client.endpoint.next_timeout());
        pair.client.endpoint.on_timeout(pair.now);
        BOOST_REQUIRE(pair.exchange());
      }
      BOOST_TEST(client->stats().probes_sent == (arrives + 1) / 2 * 2);
      BOOST_TEST(pair.server.app.data[id] == copy_of(text("only once written")));
      BOOST_TEST(pair.server.app.ended.size() == 1u);
    }
  }
}

// Two packets are probed for with one each. When the copy of the second alone arrives, it shows the first packet to be
// lost; but a copy of that is under way already, and is not sent once more.
BOOST_AUTO_TEST_CASE(what_a_probe_carries_is_not_sent_again_when_the_original_is_lost) {
  DirectPair pair;
  Connection* client = pair.establish();
  const StreamId id = *client->open_stream(StreamType::unidirectional);
  unsigned probe = 0;
  pair.lose = [&](Role sender, ByteView) { return sender == Role::client && ++probe != 4; };
  for (const std::uint8_t byte : {1, 2}) {
    (void)client->write(id, Bytes(1100, byte));
    BOOST_REQUIRE(pair.exchange());
  }
  BOOST_REQUIRE(probe == 2u);
  pair.now = std::max(pair.now, pair.client.endpoint.next_timeout());
  pair.client.endpoint.on_timeout(pair.now);
  BOOST_REQUIRE(pair.exchange());  // the acknowledgement as well: it comes at once
  BOOST_TEST(client->stats().packets_lost >= 1u);
  BOOST_TEST(client->stats().stream_bytes_retransmitted == 2200u);
  // Lost as well, the copy is repeated.
  pair.lose = nullptr;
  pair.advance(2s);
  BOOST_TEST(pair.server.app.data[id].size() == 2200u);
}

BOOST_AUTO_TEST_SUITE_END()
