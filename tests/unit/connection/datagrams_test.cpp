// Datagrams between two endpoints (docs/protocol.md §5.1).
#include <algorithm>
#include <boost/test/unit_test.hpp>

#include "connection/access.h"
#include "connection/flows.h"
#include "support/host.h"

using namespace mxp;
using namespace mxp::test;

namespace datagrams_test {
namespace {

using Kind = DatagramError::Kind;
using Outcomes = std::vector<std::pair<std::uint64_t, DatagramOutcome>>;

DirectPair::Config taking(std::size_t payload = 65507) {
  DirectPair::Config config;
  config.client.transport.datagrams.max_payload = config.server.transport.datagrams.max_payload = payload;
  return config;
}

struct Pair : DirectPair {
  explicit Pair(Config config = taking()) : DirectPair(std::move(config)), connection(establish()) {
    BOOST_REQUIRE(connection != nullptr);
  }
  Connection* connection;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(datagrams_of_a_connection)

BOOST_AUTO_TEST_CASE(datagrams_arrive_both_ways_and_are_acknowledged) {
  Pair pair;
  BOOST_TEST(pair.connection->send_datagram(text("hello"), {.cookie = 1}).has_value());
  BOOST_TEST(pair.connection->send_datagram({}).has_value());
  BOOST_TEST(pair.server_connection()->send_datagram(text("welcome"), {.cookie = 2}).has_value());
  BOOST_TEST(pair.connection->stats().datagrams.queued == 2u);
  pair.exchange();
  pair.advance(100ms);
  BOOST_TEST((pair.server.app.datagrams == std::vector<Bytes>{copy_of(text("hello")), Bytes()}));
  BOOST_TEST((pair.client.app.datagrams == std::vector<Bytes>{copy_of(text("welcome"))}));
  BOOST_TEST((pair.client.app.outcomes == Outcomes{{1, DatagramOutcome::delivered}}));
  BOOST_TEST((pair.server.app.outcomes == Outcomes{{2, DatagramOutcome::delivered}}));
  const DatagramStats stats = pair.connection->stats().datagrams;
  BOOST_TEST(stats.queued == 0u);
  BOOST_TEST(stats.sent == 2u);
  BOOST_TEST(stats.delivered == 2u);
  BOOST_TEST(stats.received == 1u);
}

BOOST_AUTO_TEST_CASE(a_peer_that_takes_none_is_sent_none) {
  Pair pair{DirectPair::Config{}};
  BOOST_TEST(pair.connection->max_datagram_size() == 0u);
  BOOST_TEST((pair.connection->send_datagram(text("x")).error() == DatagramError{Kind::not_taken_by_peer}));
  // One side may take what the other does not.
  DirectPair::Config config;
  config.client.transport.datagrams.max_payload = 100;
  Pair one_way(std::move(config));
  BOOST_TEST(one_way.connection->max_datagram_size() == 0u);
  BOOST_TEST(one_way.server_connection()->max_datagram_size() == 100u);
  BOOST_TEST((one_way.server_connection()->send_datagram(Bytes(101)).error() == DatagramError{Kind::too_large, 100}));
  BOOST_TEST(one_way.server_connection()->send_datagram(Bytes(100)).has_value());
  one_way.exchange();
  BOOST_TEST(one_way.client.app.datagrams.size() == 1u);
}

// The largest one goes, whatever the packet carries besides, on every path: as large as is known to pass.
BOOST_AUTO_TEST_CASE(the_largest_datagram_is_what_a_packet_holds) {
  for (const std::size_t payload : {std::size_t{1200}, std::size_t{1452}, kMaxUdpPayload}) {
    DirectPair::Config config = taking();
    config.client.transport.max_udp_payload = payload;
    config.client.transport.datagrams.queue_bytes = 1u << 20;
    Pair pair(std::move(config));
    BOOST_TEST(pair.connection->max_datagram_size() == 1170u);
    // The search for the size goes on beside traffic.
    const StreamId id = *pair.connection->open_stream(StreamType::unidirectional);
    for (int i = 0; i < 100 && pair.connection->max_datagram_size() < payload - 30; ++i) {
      (void)pair.connection->write(id, Bytes(100'000));
      pair.advance(50ms);
    }
    const std::size_t largest = pair.connection->max_datagram_size();
    BOOST_TEST(largest == pair.connection->stats().datagram_size - 30);
    BOOST_TEST(largest >= std::min<std::size_t>(payload - 30, 8000));
    BOOST_TEST((pair.connection->send_datagram(Bytes(largest + 1)).error() == DatagramError{Kind::too_large, largest}));
    for (std::uint8_t i = 0; i < 5; ++i) {
      BOOST_TEST(pair.server_connection()->send_datagram(Bytes(1)).has_value());  // so that there is an ACK, too
      BOOST_TEST(pair.connection->send_datagram(Bytes(largest, i)).has_value());
      pair.exchange();
      BOOST_REQUIRE(pair.server.app.datagrams.size() == i + 1u);
      BOOST_TEST((pair.server.app.datagrams.back() == Bytes(largest, i)));
    }
    BOOST_TEST(pair.connection->stats().datagrams.too_large == 0u);
  }
}

BOOST_AUTO_TEST_CASE(what_is_lost_is_told_and_not_sent_again) {
  Pair pair;
  int lost = 0;
  pair.lose = [&](Role sender, ByteView) { return sender == Role::client && lost++ == 0; };
  BOOST_TEST(pair.connection->send_datagram(text("gone"), {.cookie = 1}).has_value());
  pair.exchange();
  for (std::uint64_t i = 2; i <= 6; ++i) {
    BOOST_TEST(pair.connection->send_datagram(text("here"), {.cookie = i}).has_value());
    pair.advance(5ms);
  }
  pair.advance(2s);
  BOOST_TEST(pair.server.app.datagrams.size() == 5u);
  BOOST_TEST(
      std::ranges::none_of(pair.server.app.datagrams, [](const Bytes& data) { return data == copy_of(text("gone")); }));
  Outcomes told = pair.client.app.outcomes;
  std::ranges::sort(told);
  BOOST_TEST((told == Outcomes{{1, DatagramOutcome::lost},
                               {2, DatagramOutcome::delivered},
                               {3, DatagramOutcome::delivered},
                               {4, DatagramOutcome::delivered},
                               {5, DatagramOutcome::delivered},
                               {6, DatagramOutcome::delivered}}));
  BOOST_TEST(pair.connection->stats().datagrams.lost == 1u);
}

// Everything is lost: the probes carry no datagram again, and the connection finds out what it can.
BOOST_AUTO_TEST_CASE(a_silent_peer_is_probed_without_datagrams) {
  Pair pair;
  bool silent = true;
  pair.lose = [&](Role sender, ByteView) { return silent && sender == Role::client; };
  BOOST_TEST(pair.connection->send_datagram(Bytes(1170), {.cookie = 1}).has_value());
  pair.advance(3s);
  BOOST_TEST(pair.connection->stats().probes_sent >= 2u);
  silent = false;
  pair.advance(10s);
  BOOST_TEST(pair.server.app.datagrams.empty());
  BOOST_TEST((pair.client.app.outcomes == Outcomes{{1, DatagramOutcome::lost}}));
  BOOST_TEST(pair.connection->send_datagram(Bytes(1170), {.cookie = 2}).has_value());
  pair.advance(1s);
  BOOST_TEST(pair.server.app.datagrams.size() == 1u);
}

BOOST_AUTO_TEST_CASE(what_the_rate_holds_back_goes_at_its_time_or_expires) {
  DirectPair::Config config = taking();
  config.client.transport.datagrams.rate = ByteRate::bytes_per_second(100'000);
  config.client.transport.datagrams.burst_bytes = 1000;
  Pair pair(std::move(config));
  const Timestamp start = pair.now;
  for (std::uint64_t i = 0; i < 10; ++i) {
    const Timestamp expires_at = i == 5 ? start + 42ms : kNever;
    BOOST_TEST(pair.connection->send_datagram(Bytes(1000), {.expires_at = expires_at, .cookie = i}).has_value());
  }
  pair.exchange();
  BOOST_TEST(pair.server.app.datagrams.size() == 1u);
  pair.advance(39ms);
  BOOST_TEST(pair.server.app.datagrams.size() == 4u);
  pair.advance(1ms);
  BOOST_TEST(pair.server.app.datagrams.size() == 5u);
  pair.advance(3ms);
  BOOST_TEST(pair.connection->stats().datagrams.expired == 1u);
  BOOST_TEST(std::ranges::count(pair.client.app.outcomes, std::pair{std::uint64_t{5}, DatagramOutcome::expired}) == 1);
  pair.advance(45ms);
  BOOST_TEST(pair.server.app.datagrams.size() == 9u);
  BOOST_TEST(pair.connection->stats().datagrams.queued == 0u);
}

BOOST_AUTO_TEST_CASE(a_full_queue_says_when_it_has_room) {
  DirectPair::Config config = taking();
  config.client.transport.datagrams.queue_datagrams = 3;
  Pair pair(std::move(config));
  int sent = 0;
  const auto send_all = [&](Connection& connection) {
    while (sent < 20 && connection.send_datagram(Bytes(1000, static_cast<std::uint8_t>(sent)))) ++sent;
  };
  pair.client.app.hook = [&](std::string_view event, Connection& connection, StreamId) {
    if (event == "datagrams writable") send_all(connection);
  };
  send_all(*pair.connection);
  BOOST_TEST(sent == 3);
  pair.advance(1s);
  BOOST_TEST(sent == 20);
  BOOST_REQUIRE(pair.server.app.datagrams.size() == 20u);
  for (std::size_t i = 0; i < 20; ++i) BOOST_TEST(pair.server.app.datagrams[i][0] == i);
}

// An application that fills the queue whenever there is room, with a time that has passed, does not hold up its driver.
BOOST_AUTO_TEST_CASE(an_application_that_is_late_does_not_spin) {
  Pair pair;
  const Timestamp expires_at = pair.now + 1ms;
  const auto fill = [&](Connection& connection) {
    while (connection.send_datagram(Bytes(1000), {.expires_at = expires_at})) {
    }
  };
  pair.client.app.hook = [&](std::string_view event, Connection& connection, StreamId) {
    if (event == "datagrams writable") fill(connection);
  };
  bool lost = true;
  pair.lose = [&](Role, ByteView) { return lost; };  // so that the window is full when the time comes
  fill(*pair.connection);
  pair.advance(5ms);
  BOOST_TEST(pair.connection->stats().datagrams.queued == 0u);
  BOOST_TEST((pair.connection->send_datagram({}, {.expires_at = expires_at}).error() == DatagramError{Kind::expired}));
  lost = false;
  pair.advance(5s);
  BOOST_TEST(pair.connection->send_datagram({}).has_value());
}

BOOST_AUTO_TEST_CASE(the_end_of_a_connection_tells_no_outcome) {
  for (const bool sent : {false, true}) {
    Pair pair;
    pair.lose = [](Role sender, ByteView) { return sender == Role::server; };
    BOOST_TEST(pair.connection->send_datagram(text("x"), {.cookie = 1}).has_value());
    if (sent) pair.exchange();
    pair.connection->close(0, "");
    BOOST_TEST((pair.connection->send_datagram(text("x")).error() == DatagramError{Kind::connection_closed}));
    BOOST_TEST(pair.connection->max_datagram_size() == 0u);
    pair.exchange();
    BOOST_TEST(pair.client.app.closed.size() == 1u);
    BOOST_TEST(pair.client.app.outcomes.empty());
    BOOST_TEST(pair.server.app.datagrams.size() == (sent ? 1u : 0u));
  }
}

BOOST_AUTO_TEST_CASE(an_application_that_closed_gets_no_more_datagrams) {
  Pair pair;
  pair.server.app.hook = [](std::string_view event, Connection& connection, StreamId) {
    if (event == "datagram") connection.close(0, "");
  };
  for (int i = 0; i < 3; ++i) BOOST_TEST(pair.connection->send_datagram(text("x")).has_value());
  pair.exchange();
  BOOST_TEST(pair.server.app.datagrams.size() == 1u);
}

BOOST_AUTO_TEST_CASE(what_waits_counts_as_memory) {
  Pair pair;
  const Parts& parts = ConnectionAccess::parts(*pair.connection);
  const std::size_t before = memory_in_use(parts);
  for (int i = 0; i < 500; ++i) BOOST_TEST(pair.connection->send_datagram(Bytes(1000)).has_value());
  BOOST_TEST(memory_in_use(parts) >= before + 500'000);
  pair.advance(20s);  // it rests
  BOOST_TEST(memory_in_use(parts) < before + 30'000);
}

// Between two datagrams the queue is empty, and yet it is not the application that limits the flow.
BOOST_AUTO_TEST_CASE(an_application_that_fills_a_short_queue_again_at_once_does_not_limit_the_flow) {
  DirectPair::Config config = taking();
  config.client.transport.datagrams.queue_datagrams = 1;
  Pair pair(std::move(config));
  pair.exchange();
  const DatagramOptions waits{.policy = DatagramPolicy::block};
  bool refilled = false;
  pair.client.app.hook = [&](std::string_view what, Connection& connection, StreamId) {
    if (what == "datagrams writable" && !std::exchange(refilled, true))
      (void)connection.send_datagram(text("next"), waits);
  };
  BOOST_TEST(pair.connection->send_datagram(text("first"), waits).has_value());
  BOOST_TEST(!pair.connection->send_datagram(text("next"), waits).has_value());
  Bytes buffer(kMaxUdpPayload);
  BOOST_TEST(pair.client.endpoint.poll_transmit(pair.now, buffer, {}).has_value());
  BOOST_TEST(refilled);
  const Parts& parts = ConnectionAccess::parts(*pair.connection);
  BOOST_TEST(!parts.recovery.application_limit_is_noted());
  BOOST_TEST(pair.client.endpoint.poll_transmit(pair.now, buffer, {}).has_value());
  BOOST_TEST(parts.recovery.application_limit_is_noted());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace datagrams_test
