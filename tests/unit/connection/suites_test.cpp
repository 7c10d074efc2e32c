// Clients and servers whose suites differ (docs/protocol.md §2.2): who hears nothing tries the next suite of its list,
// once for each, and never one that it did not list.
#include <boost/test/unit_test.hpp>
#include <set>

#include "core/packet_header.h"
#include "support/attacker.h"
#include "support/host.h"
#include "support/sim_pair.h"

using namespace mxp;
using namespace mxp::test;

namespace suites_test {
namespace {

constexpr Suite kAes = Suite::aes_256_gcm, kChacha = Suite::chacha20_poly1305;

bool is_initial(ByteView datagram) { return datagram[0] == packet_bits::kInitial; }
bool is_response(ByteView datagram) { return datagram[0] == packet_bits::kResponse; }
Suite suite_of(ByteView handshake_message) { return static_cast<Suite>(handshake_message[5]); }
// Text: sets of vectors set off a false warning in g++ 12.
std::string key_of(ByteView bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

DirectPair::Config with_suites(std::vector<Suite> client, std::vector<Suite> server) {
  DirectPair::Config config;
  config.client.suites = std::move(client);
  config.server.suites = std::move(server);
  return config;
}

// The list that the client shows the server in this message 1, and the suite it is in.
std::vector<std::uint8_t> suites_listed_in(ByteView message_1) {
  const auto header = parse_packet_header(message_1);
  const auto& initial = std::get<InitialHeader>(*header);
  IkResponder noise(suite_of(message_1), default_server().identity, initial.prologue);
  Bytes payload(kMaxInitialSize);
  const auto read = noise.read_message_1(initial.noise_message, payload);
  BOOST_REQUIRE(read.has_value());
  return parse_handshake_payload(ByteView(payload).first(read->payload_size), Role::client)->parameters.suites;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(suites_that_differ)

BOOST_AUTO_TEST_CASE(a_server_with_the_clients_second_suite_is_reached_900_ms_later) {
  for (const auto& [client, server] :
       {std::pair{std::vector{kAes, kChacha}, kChacha}, std::pair{std::vector{kChacha, kAes}, kAes}}) {
    DirectPair pair(with_suites(client, {server}));
    const Timestamp start = pair.now;
    Connection* connection = pair.establish();
    pair.advance(899ms);
    BOOST_TEST(pair.client.app.connected.empty());
    pair.advance(1ms);
    BOOST_REQUIRE(pair.client.app.connected.size() == 1u);
    BOOST_TEST(pair.client.app.connected[0] == connection);
    BOOST_TEST((pair.now - start == 900ms));
    Connection* accepted = pair.server_connection();
    BOOST_REQUIRE(accepted != nullptr);
    BOOST_TEST((connection->suite() == server && accepted->suite() == server));
    BOOST_TEST((connection->local_id() == accepted->remote_id() && connection->remote_id() == accepted->local_id()));
    BOOST_TEST(std::ranges::equal(connection->handshake_hash(), accepted->handshake_hash()));
    // The suite that the server lacks cost it no public-key operation.
    BOOST_TEST(pair.server.endpoint.stats().handshakes_started == 1u);
    BOOST_TEST(pair.server.dropped(DropReason::unknown_version) >= 2u);
    // A key log of both sides is of the same connection.
    BOOST_REQUIRE(pair.client_trace.secrets.size() == 1u);
    BOOST_TEST((pair.client_trace.secrets[0].client_id == connection->local_id()));
    BOOST_TEST((pair.client_trace.secrets[0].client_to_server == pair.server_trace.secrets[0].client_to_server));
    // It is a connection like any other.
    const StreamId id = *connection->open_stream(StreamType::unidirectional);
    (void)connection->write(id, text("hello"));
    (void)connection->finish(id);
    pair.exchange();
    BOOST_TEST(std::ranges::equal(pair.server.app.data[id], text("hello")));
    pair.client.endpoint.close_all(0, "done");
    pair.advance(10s);
    BOOST_TEST(pair.client.endpoint.connection_count() == 0u);
    BOOST_TEST(pair.server.endpoint.connection_count() == 0u);
  }
}

BOOST_AUTO_TEST_CASE(each_suite_gets_one_attempt_of_its_own) {
  DirectPair pair;
  struct Sent {
    std::uint64_t times = 0;
    Duration first{};
  };
  std::map<std::string, Sent> sent;
  const Timestamp start = pair.now;
  pair.lose = [&](Role, ByteView datagram) {
    Sent& one = sent[key_of(datagram)];
    if (one.times++ == 0) one.first = pair.now - start;
    return true;
  };
  pair.connect();
  pair.advance(30s);
  BOOST_REQUIRE(sent.size() == 2u);  // repetitions are byte-identical
  std::set<std::string> ids, ephemerals;
  for (const auto& [key, one] : sent) {
    const ByteView datagram = text(key);
    const bool preferred = suite_of(datagram) == kAes;
    BOOST_TEST((one.first == (preferred ? 0ms : 900ms)));
    BOOST_TEST(one.times == (preferred ? 6u : 5u));
    ids.insert(key_of(datagram.subspan(6, 8)));
    ephemerals.insert(key_of(datagram.subspan(18, 32)));
    // The list begins with the suite in use, else a server that has both would have to refuse.
    const std::vector<std::uint8_t> expected =
        preferred ? std::vector<std::uint8_t>{2, 1} : std::vector<std::uint8_t>{1, 2};
    BOOST_TEST(suites_listed_in(datagram) == expected);
  }
  BOOST_TEST(ids.size() == 2u);
  BOOST_TEST(ephemerals.size() == 2u);
  BOOST_REQUIRE(pair.client.app.closed.size() == 1u);
  BOOST_TEST((pair.client.app.closed[0].transport_code() == TransportErrorCode::handshake_timeout));
  BOOST_TEST(pair.client.endpoint.connection_count() == 0u);
}

BOOST_AUTO_TEST_CASE(a_suite_that_the_client_did_not_list_is_never_tried) {
  for (const Suite only : {kAes, kChacha}) {
    DirectPair pair(with_suites({only}, {only == kAes ? kChacha : kAes}));
    std::set<std::string> sent;
    pair.lose = [&](Role, ByteView datagram) {
      sent.insert(key_of(datagram));
      BOOST_TEST((suite_of(datagram) == only));
      return false;
    };
    pair.connect();
    pair.advance(30s);
    BOOST_TEST(sent.size() == 1u);
    BOOST_TEST(pair.server.endpoint.stats().public_key_operations == 0u);
    BOOST_TEST(pair.client.app.closed.size() == 1u);
  }
}

BOOST_AUTO_TEST_CASE(an_answer_within_900_ms_leaves_it_at_one_attempt) {
  SimPair sim({.up = "delay 449ms", .down = "="});
  std::set<std::string> initials;
  sim.tap = [&](Role, ByteView datagram) {
    if (is_initial(datagram)) initials.insert(key_of(datagram));
  };
  sim.connect();
  BOOST_TEST(sim.run_until([&] { return sim.server.connected_count == 1; }, 3s));
  sim.run_for(20s);
  BOOST_TEST(initials.size() == 1u);
  BOOST_TEST(sim.server_endpoint->connection_count() == 1u);
  BOOST_TEST(sim.violations().empty());
}

BOOST_AUTO_TEST_CASE(an_attacker_who_drops_one_suite_gets_the_other_and_no_downgrade) {
  // Documented in docs/security.md: among the suites that both sides take, who drops datagrams may choose.
  DirectPair pair(with_suites({kAes, kChacha}, {kAes, kChacha}));
  pair.lose = [](Role, ByteView datagram) { return is_initial(datagram) && suite_of(datagram) == kAes; };
  Connection* connection = pair.establish();
  pair.advance(1s);
  BOOST_REQUIRE(pair.client.app.connected.size() == 1u);
  BOOST_TEST((connection->suite() == kChacha));
  BOOST_TEST(pair.server.app.connected.size() == 1u);
}

BOOST_AUTO_TEST_CASE(the_first_answer_that_verifies_wins_and_the_other_is_dropped) {
  for (const Suite winner : {kAes, kChacha}) {
    DirectPair pair;
    std::map<Suite, Bytes> answers;
    pair.lose = [&](Role sender, ByteView datagram) {
      if (sender == Role::server && is_response(datagram)) answers[suite_of(datagram)] = copy_of(datagram);
      return sender == Role::server;
    };
    Connection* connection = pair.connect();
    pair.advance(1s);
    BOOST_REQUIRE(answers.size() == 2u);
    BOOST_TEST(pair.server.endpoint.connection_count() == 2u);
    pair.lose = nullptr;
    const Suite loser = winner == kAes ? kChacha : kAes;
    pair.client.receive(pair.now, answers[winner], kServerAddress);
    pair.client.receive(pair.now, answers[loser], kServerAddress);
    BOOST_TEST(pair.client.dropped(DropReason::unknown_connection) == 1u);
    pair.exchange();
    BOOST_REQUIRE(pair.client.app.connected.size() == 1u);
    BOOST_TEST((connection->suite() == winner));
    BOOST_REQUIRE(pair.server.app.connected.size() == 1u);
    BOOST_TEST((pair.server_connection()->suite() == winner));
    // The server forgets the other by its own time limit, without a word to its application.
    pair.advance(11s);
    BOOST_TEST(pair.server.endpoint.connection_count() == 1u);
    BOOST_TEST(pair.server.app.closed.empty());
    BOOST_TEST((connection->state() == ConnectionState::established));
  }
}

BOOST_AUTO_TEST_CASE(with_loss_in_both_directions_they_meet_all_the_same) {
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    SimConfig config{.up = "delay 30ms loss 30%", .down = "=", .seed = seed};
    // The server has one suite and the client prefers the other; or it has both, and first attempts get lost.
    if (seed % 3 == 0) config.server.suites = {kChacha};
    if (seed % 3 == 1) config.server.suites = {kAes}, config.client.suites = {kChacha, kAes};
    config.client.transport.handshake_timeout = config.server.transport.handshake_timeout = 60s;
    SimPair sim(std::move(config));
    sim.client.connected_hook = [&](Connection& connection) {
      sim.client.open_and_send(connection, StreamType::unidirectional, 20'000);
    };
    sim.connect();
    BOOST_TEST(sim.run_until([&] { return sim.server.bytes_received == 20'000; }, 100s), "seed " << seed);
    BOOST_TEST(sim.client.connected_count == 1u);
    BOOST_TEST(sim.server.connected_count == 1u);
    BOOST_TEST(sim.violations().empty());
  }
}

BOOST_AUTO_TEST_CASE(a_refusal_of_any_attempt_is_told_at_once) {
  DirectPair::Config config = with_suites({kAes, kChacha}, {kChacha});
  config.server.authorize = [](const PublicKey&) { return false; };
  DirectPair pair(config);
  pair.connect();
  pair.advance(900ms);
  BOOST_REQUIRE(pair.client.app.closed.size() == 1u);
  BOOST_TEST((pair.client.app.closed[0].transport_code() == TransportErrorCode::not_authorized));
}

BOOST_AUTO_TEST_CASE(the_place_that_our_own_first_attempt_took_does_not_end_the_handshake) {
  // The server has one place. The answer to the first attempt gets lost, so the second one finds the server full.
  DirectPair::Config config;
  config.server.limits.max_connections = 1;
  DirectPair pair(config);
  std::uint64_t refusals = 0;
  pair.lose = [&](Role sender, ByteView datagram) {
    if (sender != Role::server) return false;
    if (suite_of(datagram) == kChacha) ++refusals;
    return suite_of(datagram) == kAes && refusals == 0;
  };
  Connection* connection = pair.connect();
  pair.advance(3s);
  BOOST_TEST(refusals == 1u);
  BOOST_TEST(pair.client.app.closed.empty());
  BOOST_REQUIRE(pair.client.app.connected.size() == 1u);
  BOOST_TEST((connection->suite() == kAes));
}

BOOST_AUTO_TEST_CASE(a_server_that_stays_full_is_told_when_the_time_is_over) {
  DirectPair::Config config = with_suites({kAes, kChacha}, {kChacha});
  config.server.limits.max_connections = 1;
  DirectPair pair(config);
  Attacker other(pair.server, pair.now, {.suite = kChacha, .suites = {kChacha}});
  BOOST_REQUIRE(other.connect());
  pair.connect();
  pair.advance(9999ms);
  BOOST_TEST(pair.client.app.closed.empty());
  pair.advance(1ms);
  BOOST_REQUIRE(pair.client.app.closed.size() == 1u);
  BOOST_TEST((pair.client.app.closed[0].by == CloseInfo::By::peer));
  BOOST_TEST((pair.client.app.closed[0].transport_code() == TransportErrorCode::connection_refused));
  BOOST_TEST(pair.client.app.closed[0].reason == "the server takes no more connections");
  pair.advance(10s);
  BOOST_TEST(pair.client.endpoint.connection_count() == 0u);
}

BOOST_AUTO_TEST_CASE(a_late_answer_to_either_attempt_is_answered_with_one_close) {
  for (const Suite late : {kAes, kChacha}) {
    DirectPair pair;
    Bytes answer;
    pair.lose = [&](Role sender, ByteView datagram) {
      if (sender == Role::server && suite_of(datagram) == late) answer = copy_of(datagram);
      return sender == Role::server;
    };
    pair.connect();
    pair.advance(1s);
    pair.lose = nullptr;
    pair.client.endpoint.close_all(42, "changed my mind");
    pair.exchange();
    const std::uint64_t before = pair.datagrams[0];
    pair.client.receive(pair.now, answer, kServerAddress);
    pair.client.receive(pair.now, answer, kServerAddress);
    pair.exchange();
    BOOST_TEST(pair.datagrams[0] == before + 1);
    BOOST_REQUIRE(pair.server.app.closed.size() == 1u);
    BOOST_TEST(pair.server.app.closed[0].code == 42u);
    BOOST_TEST(pair.client.app.connected.empty());
    pair.advance(30s);
    BOOST_TEST(pair.client.endpoint.connection_count() == 0u);
    BOOST_TEST(pair.server.endpoint.connection_count() == 0u);
  }
}

BOOST_AUTO_TEST_CASE(unreachable_ends_all_attempts) {
  DirectPair pair;
  pair.lose = [](Role, ByteView) { return true; };
  pair.connect();
  pair.advance(1s);
  pair.client.endpoint.on_unreachable(pair.now, kServerAddress);
  BOOST_REQUIRE(pair.client.app.closed.size() == 1u);
  BOOST_TEST((pair.client.app.closed[0].by == CloseInfo::By::network));
  const std::uint64_t sent = pair.datagrams[0];
  pair.advance(30s);
  BOOST_TEST(pair.datagrams[0] == sent);
  BOOST_TEST(pair.client.endpoint.connection_count() == 0u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace suites_test
