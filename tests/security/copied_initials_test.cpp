// An observer who sends copies of a client's message 1 from other addresses (threats t17 and t21): before the original,
// after it, many of them. The client gets in all the same, the connection goes to whoever holds its keys, and no
// address gets more than three times the bytes that came from it.
#include <boost/test/unit_test.hpp>

#include "core/packet_header.h"
#include "support/attacker.h"
#include "support/host.h"
#include "support/sim_pair.h"

using namespace mxp;
using namespace mxp::test;

namespace {

constexpr std::size_t kMaxAnswers = 64;  // docs/protocol.md §2.1
constexpr std::size_t kMaxAnswersForSource = 16;

SocketAddress elsewhere(std::size_t i) {
  return SocketAddress::ipv4(10, 66, 0, 1, static_cast<std::uint16_t>(1000 + i));
}

bool is_initial(ByteView datagram) { return datagram[0] == packet_bits::kInitial; }

// A server that is looked at from many addresses: what came from each, what went to each.
struct ManyAddresses {
  DirectPair pair;
  std::map<SocketAddress, std::uint64_t> in, out;
  std::map<SocketAddress, std::vector<Bytes>> answers;

  // Begins a connection; its message 1 is not delivered yet.
  Bytes begin() {
    pair.connect();
    return take_from_client();
  }
  void send(ByteView datagram, const SocketAddress& from) {
    in[from] += datagram.size();
    pair.server.receive(pair.now, datagram, from);
  }
  // Takes what the server wants to send now.
  void collect() {
    pair.server.poll(pair.now, [&](const SocketAddress& to, ByteView datagram) {
      out[to] += datagram.size();
      answers[to].push_back(copy_of(datagram));
    });
    if (pair.server.app.connected.empty())
      for (const auto& [address, bytes] : out) BOOST_TEST(bytes <= 3 * in[address]);
  }
  // What the client wants to send now; nothing is delivered.
  Bytes take_from_client() {
    Bytes last;
    pair.client.poll(pair.now, [&](const SocketAddress&, ByteView datagram) { last = copy_of(datagram); });
    return last;
  }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(copied_initials)

BOOST_AUTO_TEST_CASE(t21_a_copy_that_arrives_first_does_not_lock_the_client_out) {
  for (const std::size_t copies : {std::size_t{1}, std::size_t{4}, std::size_t{5}, std::size_t{40}}) {
    SimPair sim({.up = "delay 20ms", .down = "="});
    sim.tap = [&](Role sender, ByteView datagram) {
      if (sender != Role::client || !is_initial(datagram)) return;
      for (std::size_t i = 0; i < copies; ++i) sim.inject(Role::server, copy_of(datagram), elsewhere(i));
    };
    sim.client.connected_hook = [&](Connection& connection) {
      sim.client.open_and_send(connection, StreamType::bidirectional, 100'000);
    };
    sim.server.reply_bytes = 100'000;
    sim.connect();
    BOOST_TEST(sim.run_until(
        [&] { return sim.server.bytes_received == 100'000 && sim.client.bytes_received == 100'000; }, 5s));
    BOOST_TEST(sim.client.connected_count == 1u);
    BOOST_TEST(sim.server.connected_count == 1u);
    BOOST_REQUIRE(!sim.server.connected.empty());
    BOOST_TEST(((*sim.server.connected.begin())->remote_address() == sim.client_address));
    // Each copy had one answer, and nothing of the connection went there.
    for (std::size_t i = 0; i < copies; ++i) BOOST_TEST(sim.strays(elsewhere(i)) == 1u);
    BOOST_TEST(sim.server_endpoint->stats().handshakes_started == 1u);
    BOOST_TEST(sim.violations().empty());
  }
}

BOOST_AUTO_TEST_CASE(t21_a_copy_that_arrives_later_moves_nothing) {
  SimPair sim({.up = "delay 20ms", .down = "="});
  Bytes message_1;
  sim.tap = [&](Role sender, ByteView datagram) {
    if (sender == Role::client && is_initial(datagram)) message_1 = copy_of(datagram);
    // When message 2 leaves, and again in the midst of the transfer.
    if (sender == Role::server) sim.inject(Role::server, message_1, elsewhere(0));
  };
  sim.client.connected_hook = [&](Connection& connection) {
    sim.client.open_and_send(connection, StreamType::unidirectional, 100'000);
  };
  sim.connect();
  BOOST_TEST(sim.run_until([&] { return sim.server.bytes_received == 100'000; }, 5s));
  BOOST_TEST(((*sim.server.connected.begin())->remote_address() == sim.client_address));
  BOOST_TEST(sim.server_endpoint->connection_count() == 1u);
  BOOST_TEST(sim.violations().empty());
}

// The client's own message 1 arrives last, after copies from so many addresses that none of the places is left.
BOOST_AUTO_TEST_CASE(t21_the_real_client_may_be_the_fifth_source_or_a_later_one) {
  for (const std::size_t copies : {std::size_t{3}, std::size_t{4}, std::size_t{5}, std::size_t{20}}) {
    ManyAddresses all;
    const Bytes message_1 = all.begin();
    for (std::size_t i = 0; i < copies; ++i) all.send(message_1, elsewhere(i));
    all.send(message_1, kClientAddress);
    all.collect();
    BOOST_REQUIRE(all.answers[kClientAddress].size() == 1u);
    all.pair.client.receive(all.pair.now, all.answers[kClientAddress].at(0), kServerAddress);
    all.send(all.take_from_client(), kClientAddress);
    BOOST_REQUIRE(all.pair.server.app.connected.size() == 1u);
    BOOST_TEST((all.pair.server.app.connected[0]->remote_address() == kClientAddress));
    BOOST_TEST(all.pair.server.endpoint.stats().handshakes_started == 1u);
  }
}

BOOST_AUTO_TEST_CASE(t21_copies_get_the_same_bytes_and_their_number_is_bounded) {
  ManyAddresses all;
  const Bytes message_1 = all.begin();
  const std::size_t sources = kMaxAnswers - kMaxAnswersForSource + 1;
  for (std::size_t i = 0; i < sources; ++i) all.send(message_1, elsewhere(i));
  all.collect();
  BOOST_TEST(all.answers.size() == sources);
  const Bytes& answer = all.answers.begin()->second.at(0);
  for (const auto& [address, given] : all.answers) {
    BOOST_TEST(given.size() == 1u);
    BOOST_TEST(given[0] == answer);
  }
  BOOST_TEST(all.pair.server.dropped(DropReason::wrong_path) == 0u);
  BOOST_TEST(all.pair.server.endpoint.connection_count() == 1u);
  BOOST_TEST(all.pair.server.endpoint.stats().handshakes_started == 1u);
  // Who had the answer may have it again, as the first one may have been lost, but not without end.
  const SocketAddress last = elsewhere(sources - 1);
  for (int i = 0; i < 100; ++i) all.send(message_1, last);
  all.collect();
  BOOST_TEST(all.answers[last].size() == kMaxAnswersForSource);
  // And that was all: the answer has been given as often as it may be.
  all.send(message_1, elsewhere(1000));
  all.collect();
  BOOST_TEST(all.answers.count(elsewhere(1000)) == 0u);
  BOOST_TEST(all.pair.server.dropped(DropReason::wrong_path) == 100 - (kMaxAnswersForSource - 1) + 1);
}

BOOST_AUTO_TEST_CASE(t21_after_confirmation_copies_from_other_sources_are_nothing) {
  ManyAddresses all;
  const Bytes message_1 = all.begin();
  all.send(message_1, elsewhere(0));
  all.send(message_1, kClientAddress);
  all.collect();
  all.pair.client.receive(all.pair.now, all.answers[kClientAddress].at(0), kServerAddress);
  const Bytes first = all.take_from_client();
  // Packets that do not open decide nothing, wherever they come from.
  Bytes forged = first;
  forged.back() ^= 1;
  all.send(forged, elsewhere(0));
  all.send(forged, elsewhere(1));
  BOOST_TEST(all.pair.server.app.connected.empty());
  all.send(first, kClientAddress);
  BOOST_REQUIRE(all.pair.server.app.connected.size() == 1u);
  const Connection& connection = *all.pair.server.app.connected[0];
  BOOST_TEST((connection.remote_address() == kClientAddress));
  BOOST_TEST(dropped(connection, DropReason::authentication_failed) == 2u);
  // The first source is nobody from here on: neither heard nor spoken to.
  all.collect();
  const std::uint64_t to_first = all.out[elsewhere(0)];
  (void)all.pair.client.app.connected[0]->open_stream(StreamType::unidirectional);
  all.send(first, elsewhere(0));
  all.send(first, elsewhere(7));
  all.collect();
  BOOST_TEST(dropped(connection, DropReason::duplicate_packet) == 2u);
  BOOST_TEST((connection.remote_address() == kClientAddress));
  BOOST_TEST(all.out[elsewhere(0)] == to_first);
}

BOOST_AUTO_TEST_CASE(t21_the_close_of_a_half_open_connection_reaches_the_client) {
  ManyAddresses all;
  const Bytes message_1 = all.begin();
  all.send(message_1, elsewhere(0));
  all.send(message_1, kClientAddress);
  all.collect();
  all.pair.server.endpoint.close_all(7, "the server stops");
  all.collect();
  all.pair.client.receive(all.pair.now, all.answers[kClientAddress].at(0), kServerAddress);
  all.send(all.take_from_client(), kClientAddress);
  all.collect();
  BOOST_REQUIRE(all.answers[kClientAddress].size() == 2u);
  all.pair.client.receive(all.pair.now, all.answers[kClientAddress].at(1), kServerAddress);
  all.take_from_client();
  BOOST_REQUIRE(all.pair.client.app.closed.size() == 1u);
  BOOST_TEST(all.pair.client.app.closed[0].code == 7u);
}

BOOST_AUTO_TEST_CASE(t17_amplification_is_held_for_each_source) {
  // One connection and many addresses that send copies, forged packets and nothing, while the server repeats, times
  // out and closes: collect() compares the bytes of every address after each step.
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    SeededRandom random(seed);
    ManyAddresses all;
    Attacker victim(all.pair.server, all.pair.now, {.seed = seed});
    const Bytes message_1 = victim.message_1();
    all.send(message_1, elsewhere(random.below(6)));
    all.collect();
    BOOST_REQUIRE(all.answers.size() == 1u);
    BOOST_REQUIRE(victim.read_message_2(all.answers.begin()->second.at(0)));
    for (int step = 0; step < 200; ++step) {
      const SocketAddress from = elsewhere(random.below(6));
      switch (random.below(8)) {
        case 0:
        case 1:
        case 2: all.send(message_1, from); break;
        case 3:
        case 4: {
          // Large, from one source, so that its allowance is large; and worth nothing for the others.
          Bytes forged = victim.session->seal(Bytes(1 + random.below(1100), 0));
          forged.back() ^= 1;
          all.send(forged, from);
          break;
        }
        case 5: all.send(Bytes(1200, 0xc0), from); break;
        case 6: all.pair.now += std::chrono::milliseconds(random.below(50)); break;
        case 7:
          if (step > 150) all.pair.server.endpoint.close_all(1, std::string(256, 'x'));
          break;
      }
      if (all.pair.server.endpoint.next_timeout() <= all.pair.now) all.pair.server.endpoint.on_timeout(all.pair.now);
      all.collect();
    }
    std::size_t answers = 0;
    for (const auto& [address, given] : all.answers)
      answers += static_cast<std::size_t>(
          std::ranges::count_if(given, [](const Bytes& datagram) { return datagram.size() == kMinInitialSize; }));
    BOOST_TEST(answers <= kMaxAnswers);
    BOOST_TEST(all.pair.server.app.connected.empty());
  }
}

// Who holds the keys and can forge sources gets the answer at its own address and names a victim's as the one that it
// is at. It reads nothing of what goes there, but it knows how a sender goes on, and acknowledges by guessing.
BOOST_AUTO_TEST_CASE(t17_keys_alone_prove_no_address) {
  const SocketAddress own = elsewhere(0), victim = elsewhere(1);
  enum class Sources { one, victim_first, own_first };
  for (const Sources sources : {Sources::one, Sources::victim_first, Sources::own_first}) {
    for (const int guess : {0, 1, 2}) {
      BOOST_TEST_CONTEXT("sources " << static_cast<int>(sources) << ", guess " << guess) {
        ManyAddresses all;
        all.pair.server.app.hook = [&](std::string_view event, Connection& connection, StreamId id) {
          if (event == "data") all.pair.server.app.send(connection, id, Bytes(8 << 20));
        };
        Attacker forger(all.pair.server, all.pair.now, {.address = own});
        const Bytes message_1 = forger.message_1();
        if (sources == Sources::victim_first) all.send(message_1, victim);
        all.send(message_1, own);
        if (sources == Sources::own_first) all.send(message_1, victim);
        all.collect();
        BOOST_REQUIRE(forger.read_message_2(all.answers[own].at(0)));
        const StreamId id = StreamId::make(Role::client, StreamType::bidirectional, 0);
        all.send(forger.session->seal(stream_frame(id, 0, text("GET"), true)), victim);
        all.collect();
        BOOST_REQUIRE(all.pair.server.app.connected.size() == 1u);
        const Connection& connection = *all.pair.server.app.connected[0];
        BOOST_TEST((connection.remote_address() == victim));
        BOOST_TEST(all.out[victim] > (sources == Sources::one ? 0 : kMinInitialSize));  // the real client could answer
        const Timestamp end = all.pair.now + 60s;
        std::uint64_t acknowledged = 7;
        while (all.pair.now < end && all.pair.server.app.closed.empty()) {
          BOOST_TEST_REQUIRE(all.out[victim] <= 3 * all.in[victim]);
          all.pair.now += 30ms;
          if (all.pair.server.endpoint.next_timeout() <= all.pair.now)
            all.pair.server.endpoint.on_timeout(all.pair.now);
          all.collect();
          acknowledged += guess == 1 ? 7 : 10'000;
          if (guess == 1) all.send(forger.session->seal(raw_ack(acknowledged, acknowledged)), victim);
          if (guess == 2) all.send(forger.session->seal(raw_ack(acknowledged, 0)), victim);
        }
        BOOST_TEST(all.out[victim] <= 3 * all.in[victim]);
        BOOST_REQUIRE(all.pair.server.app.closed.size() == 1u);
        const auto expected = guess == 0 ? CloseInfo::By::timeout : CloseInfo::By::local;
        BOOST_TEST((all.pair.server.app.closed[0].by == expected));
      }
    }
  }
}

// And the one that is there, and whose message 1 was copied, is served in full over a path that loses packets.
BOOST_AUTO_TEST_CASE(t17_the_limit_falls_for_who_hears_us) {
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    BOOST_TEST_CONTEXT("seed " << seed) {
      SimPair sim({.up = "delay 20ms loss 10%", .down = "=", .seed = seed});
      sim.tap = [&](Role sender, ByteView datagram) {
        if (sender == Role::client && is_initial(datagram)) sim.inject(Role::server, copy_of(datagram), elsewhere(0));
      };
      sim.client.connected_hook = [&](Connection& connection) {
        sim.client.open_and_send(connection, StreamType::bidirectional, 100);
      };
      sim.server.reply_bytes = 100'000;
      sim.connect();
      BOOST_TEST(sim.run_until([&] { return sim.client.bytes_received == 100'000; }, 20s));
      BOOST_TEST(sim.violations().empty());
    }
  }
}

// The bytes themselves: one answer of 1200 for each message 1, and one CLOSE to the address that came first, paid for
// by what that address sent.
BOOST_AUTO_TEST_CASE(t17_what_one_source_sends_buys_nothing_for_another) {
  ManyAddresses all;
  Attacker victim(all.pair.server, all.pair.now);
  const Bytes message_1 = victim.message_1();
  all.send(message_1, elsewhere(0));
  all.send(message_1, elsewhere(1));
  all.collect();
  BOOST_TEST(all.out[elsewhere(0)] == kMinInitialSize);
  BOOST_TEST(all.out[elsewhere(1)] == kMinInitialSize);
  BOOST_REQUIRE(victim.read_message_2(all.answers[elsewhere(0)].at(0)));
  const std::uint64_t first_source = all.in[elsewhere(0)];
  all.pair.server.endpoint.close_all(1, "ends");
  all.collect();
  const std::uint64_t close_bytes = all.out[elsewhere(0)] - kMinInitialSize;
  BOOST_TEST(close_bytes > 0u);
  BOOST_TEST(close_bytes < 100u);
  Bytes forged = victim.session->seal(Bytes(1000, 0));
  forged.back() ^= 1;
  for (int i = 0; i < 100; ++i) all.send(forged, elsewhere(1));
  all.collect();
  BOOST_TEST(all.in[elsewhere(0)] == first_source);
  BOOST_TEST(all.out[elsewhere(0)] == kMinInitialSize + close_bytes);
  BOOST_TEST(all.out[elsewhere(1)] == kMinInitialSize);
}

BOOST_AUTO_TEST_SUITE_END()
