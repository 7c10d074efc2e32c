// The handshake of docs/protocol.md §2, seen from outside: two endpoints, and what may go wrong between them.
#include <boost/test/unit_test.hpp>

#include "core/packet_header.h"
#include "crypto/mac1.h"
#include "support/attacker.h"
#include "support/host.h"
#include "support/sim_pair.h"

using namespace mxp;
using namespace mxp::test;

namespace {

constexpr std::size_t kServer = 1;  // index of DirectPair::datagrams

bool is_initial(ByteView datagram) { return datagram[0] == packet_bits::kInitial; }

PrivateKey some_key(std::uint64_t seed) {
  SeededRandom random(seed);
  return PrivateKey::generate(random);
}

// Connects, and keeps message 2 from the client.
Bytes message_2_of(DirectPair& pair) {
  Bytes message_2;
  pair.lose = [&](Role sender, ByteView datagram) {
    if (sender == Role::server) message_2 = copy_of(datagram);
    return sender == Role::server;
  };
  pair.connect();
  pair.exchange();
  pair.lose = nullptr;
  return message_2;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(handshake)

BOOST_AUTO_TEST_CASE(takes_one_round_trip) {
  SimPair sim({.up = "delay 10ms", .down = "="});
  sim.connect();
  BOOST_TEST(sim.run_until([&] { return sim.client.connected_count == 1; }, 1s));
  BOOST_TEST((sim.elapsed() == 20ms));
  BOOST_TEST(sim.run_until([&] { return sim.server.connected_count == 1; }, 1s));
  BOOST_TEST((sim.elapsed() == 30ms));
  BOOST_TEST(sim.violations().empty());
}

BOOST_AUTO_TEST_CASE(both_sides_hold_the_same_facts) {
  for (const Suite suite : {Suite::aes_256_gcm, Suite::chacha20_poly1305}) {
    DirectPair::Config config;
    config.client.suites = {suite};
    DirectPair pair(config);
    const Connection* client = pair.establish();
    const Connection* server = pair.server_connection();
    BOOST_REQUIRE(server != nullptr);
    BOOST_TEST((client->suite() == suite && server->suite() == suite));
    BOOST_TEST((client->peer_key() == config.server.identity.public_key()));
    BOOST_TEST((server->peer_key() == config.client.identity.public_key()));
    BOOST_TEST((client->local_id() == server->remote_id() && client->remote_id() == server->local_id()));
    BOOST_TEST(std::ranges::equal(client->handshake_hash(), server->handshake_hash()));
    BOOST_TEST((client->role() == Role::client && server->role() == Role::server));
    BOOST_TEST((server->remote_address() == kClientAddress));
    BOOST_TEST(pair.server.endpoint.stats().connections_accepted == 1u);
    BOOST_TEST(pair.server.endpoint.stats().public_key_operations == 2 * kX25519PerIkMessage + kX25519PerKeyPair);
  }
}

BOOST_AUTO_TEST_CASE(message_1_is_repeated_byte_for_byte_from_300_ms_on_doubling) {
  DirectPair::Config config;
  config.client.suites = {Suite::aes_256_gcm};  // with more, other attempts begin (suites_test.cpp)
  DirectPair pair(config);
  std::vector<std::pair<Duration, Bytes>> sent;
  const Timestamp start = pair.now;
  pair.lose = [&](Role sender, ByteView datagram) {
    BOOST_TEST((sender == Role::client));
    sent.emplace_back(pair.now - start, copy_of(datagram));
    return true;
  };
  pair.connect();
  pair.advance(9999ms);
  BOOST_REQUIRE(sent.size() == 6u);
  const Duration expected[] = {0ms, 300ms, 900ms, 2100ms, 4500ms, 9300ms};
  for (std::size_t i = 0; i < sent.size(); ++i) {
    BOOST_TEST((sent[i].first == expected[i]));
    BOOST_TEST(sent[i].second == sent[0].second);
  }
  BOOST_TEST(sent[0].second.size() == kMinInitialSize);
  BOOST_TEST(pair.client.app.closed.empty());

  pair.advance(2ms);
  BOOST_REQUIRE(pair.client.app.closed.size() == 1u);
  BOOST_TEST((pair.client.app.closed[0].by == CloseInfo::By::timeout));
  BOOST_TEST((pair.client.app.closed[0].transport_code() == TransportErrorCode::handshake_timeout));
  BOOST_TEST(pair.client.app.closed[0].before_established);
  pair.advance(10s);
  BOOST_TEST(sent.size() == 6u);
  BOOST_TEST(pair.client.endpoint.connection_count() == 0u);
}

BOOST_AUTO_TEST_CASE(each_attempt_uses_a_fresh_ephemeral_key_and_id) {
  DirectPair pair;
  std::vector<Bytes> sent;
  pair.lose = [&](Role, ByteView datagram) {
    sent.push_back(copy_of(datagram));
    return true;
  };
  pair.connect();
  pair.connect();
  pair.exchange();
  BOOST_REQUIRE(sent.size() == 2u);
  BOOST_TEST(!std::ranges::equal(ByteView(sent[0]).subspan(6, 8), ByteView(sent[1]).subspan(6, 8)));
  BOOST_TEST(!std::ranges::equal(ByteView(sent[0]).subspan(18, 32), ByteView(sent[1]).subspan(18, 32)));
}

BOOST_AUTO_TEST_CASE(a_client_that_the_policy_refuses_hears_not_authorized_and_leaves_nothing) {
  DirectPair::Config config;
  std::vector<PublicKey> asked;
  config.server.authorize = [&](const PublicKey& key) {
    asked.push_back(key);
    return false;
  };
  DirectPair pair(config);
  Bytes message_1;
  pair.lose = [&](Role sender, ByteView datagram) {
    if (sender == Role::client) message_1 = copy_of(datagram);
    return false;
  };
  pair.establish();
  BOOST_REQUIRE(asked.size() == 1u);
  BOOST_TEST((asked[0] == config.client.identity.public_key()));
  BOOST_REQUIRE(pair.client.app.closed.size() == 1u);
  const CloseInfo& info = pair.client.app.closed[0];
  BOOST_TEST((info.by == CloseInfo::By::peer));
  BOOST_TEST(!info.application);
  BOOST_TEST((info.transport_code() == TransportErrorCode::not_authorized));
  BOOST_TEST(info.before_established);
  BOOST_TEST(pair.client.app.connected.empty());
  BOOST_TEST(pair.server.app.events == 0u);
  BOOST_TEST(pair.server.endpoint.connection_count() == 0u);
  BOOST_TEST(pair.server.endpoint.stats().handshakes_refused == 1u);
  BOOST_TEST(pair.server.endpoint.stats().connections_accepted == 0u);

  // Again by the same bytes: the cached answer, and the policy is not asked a second time.
  pair.server.receive(pair.now, message_1, kClientAddress);
  BOOST_TEST(pair.server.poll(pair.now, [](const SocketAddress&, ByteView) {}) == 1u);
  BOOST_TEST(asked.size() == 1u);
  pair.advance(30s);
  BOOST_TEST(pair.client.endpoint.connection_count() == 0u);
  BOOST_TEST((pair.server.endpoint.next_timeout() == kNever));
}

BOOST_AUTO_TEST_CASE(a_full_server_answers_connection_refused) {
  DirectPair::Config config;
  config.server.limits.max_connections = 1;
  DirectPair pair(config);
  pair.establish();
  pair.establish();
  BOOST_TEST(pair.client.app.connected.size() == 1u);
  BOOST_REQUIRE(pair.client.app.closed.size() == 1u);
  BOOST_TEST((pair.client.app.closed[0].transport_code() == TransportErrorCode::connection_refused));
  BOOST_TEST(pair.server.endpoint.connection_count() == 1u);
}

BOOST_AUTO_TEST_CASE(a_full_client_refuses_itself) {
  DirectPair::Config config;
  config.client.limits.max_connections = 1;
  DirectPair pair(config);
  BOOST_TEST(pair.connect() != nullptr);
  const auto second = pair.client.endpoint.connect(pair.now, kServerAddress, config.server.identity.public_key());
  BOOST_REQUIRE(!second.has_value());
  BOOST_TEST((second.error() == ConnectError::too_many_connections));
}

BOOST_AUTO_TEST_CASE(a_client_with_the_wrong_server_key_meets_silence) {
  DirectPair pair;
  BOOST_TEST(pair.client.endpoint.connect(pair.now, kServerAddress, some_key(5).public_key()).has_value());
  pair.advance(30s);
  BOOST_TEST(pair.datagrams[kServer] == 0u);
  BOOST_TEST(pair.server.endpoint.stats().public_key_operations == 0u);
  BOOST_TEST(pair.server.endpoint.stats().handshakes_started == 0u);
  BOOST_TEST(pair.server.dropped(DropReason::bad_mac1) ==
             6u + 5u);  // in the first suite, and from 900 ms in the second
  BOOST_TEST(pair.client.app.closed.size() == 1u);
}

BOOST_AUTO_TEST_CASE(a_pure_client_answers_no_initial) {
  DirectPair::Config config;
  config.server.accept = false;
  DirectPair pair(config);
  pair.advance(0s);
  pair.establish();
  BOOST_TEST(pair.datagrams[kServer] == 0u);
  BOOST_TEST(pair.server.dropped(DropReason::not_accepting) == 1u);
}

BOOST_AUTO_TEST_CASE(a_server_that_stops_accepting_answers_a_client_again_that_it_has_let_in) {
  DirectPair pair;
  pair.lose = [](Role sender, ByteView) { return sender == Role::server; };
  pair.connect();
  pair.exchange();
  BOOST_TEST(pair.server.endpoint.connection_count() == 1u);
  pair.server.endpoint.stop_accepting();
  pair.lose = nullptr;
  pair.advance(2s);
  BOOST_TEST(pair.client.app.connected.size() == 1u);
  BOOST_TEST(pair.server.dropped(DropReason::not_accepting) == 0u);
  pair.connect();
  pair.exchange();
  BOOST_TEST(pair.client.app.connected.size() == 1u);
  BOOST_TEST(pair.server.dropped(DropReason::not_accepting) == 1u);
}

BOOST_AUTO_TEST_CASE(duplicates_of_message_1_get_the_same_bytes_and_make_no_second_connection) {
  DirectPair pair;
  Attacker client(pair.server, pair.now);
  const Bytes message_1 = client.message_1();
  for (int i = 0; i < 5; ++i) client.send_raw(message_1);
  client.collect();
  BOOST_REQUIRE(client.unopened.size() == 5u);
  for (const Bytes& answer : client.unopened) BOOST_TEST(answer == client.unopened[0]);
  BOOST_TEST(pair.server.endpoint.connection_count() == 1u);
  BOOST_TEST(pair.server.endpoint.stats().handshakes_started == 1u);

  // The client that took the first answer is not disturbed by more.
  BOOST_TEST(client.read_message_2(client.unopened[0]));
  client.ask(frames(PingFrame{}));
  BOOST_TEST(pair.server.app.connected.size() == 1u);
  client.send_raw(message_1);
  client.collect();
  BOOST_TEST(pair.server.endpoint.connection_count() == 1u);
  client.ask(frames(PingFrame{}));
  BOOST_TEST(dropped(*pair.server_connection(), DropReason::authentication_failed) == 0u);
}

BOOST_AUTO_TEST_CASE(a_changed_message_2_is_dropped_and_the_genuine_one_still_taken) {
  DirectPair pair;
  const Bytes genuine = message_2_of(pair);
  BOOST_REQUIRE(genuine.size() == kMinInitialSize);
  std::uint64_t tried = 0;
  for (std::size_t at = 0; at < genuine.size(); at += 16) {
    for (const std::uint8_t bit : {0x01, 0x80}) {
      Bytes changed = genuine;
      changed[at] ^= bit;
      pair.client.receive(pair.now, changed, kServerAddress);
      ++tried;
    }
  }
  for (const std::size_t size : {std::size_t{1}, std::size_t{14}, std::size_t{61}, genuine.size() - 1}) {
    pair.client.receive(pair.now, ByteView(genuine).first(size), kServerAddress);
    ++tried;
  }
  BOOST_TEST(tried == 154u);
  BOOST_TEST(pair.client.app.events == 0u);
  BOOST_TEST(pair.client.endpoint.connection_count() == 1u);
  pair.client.receive(pair.now, genuine, kStrangerAddress);  // the right bytes from the wrong place
  BOOST_TEST(pair.client.app.events == 0u);

  pair.client.receive(pair.now, genuine, kServerAddress);
  BOOST_TEST(pair.client.app.connected.size() == 1u);
  pair.exchange();
  BOOST_TEST(pair.server.app.connected.size() == 1u);
}

BOOST_AUTO_TEST_CASE(a_message_2_of_another_server_is_dropped) {
  DirectPair pair;
  Bytes message_1;
  pair.lose = [&](Role, ByteView datagram) {
    message_1 = copy_of(datagram);
    return true;
  };
  pair.connect();
  pair.exchange();
  SeededRandom random(9);
  // Who does not hold the server's key cannot even read message 1; with it, any answer verifies.
  BOOST_TEST(!rogue_message_2(message_1, some_key(77), server_payload(ConnectionId()), random).has_value());
  const auto response = rogue_message_2(message_1, default_server().identity,
                                        server_payload(ConnectionId({1, 2, 3, 4, 5, 6, 7, 8})), random);
  BOOST_REQUIRE(response.has_value());
  pair.client.receive(pair.now, response->datagram, kServerAddress);
  BOOST_TEST(pair.client.app.connected.size() == 1u);
  // A second one that verifies as well comes too late.
  const auto second = rogue_message_2(message_1, default_server().identity,
                                      server_payload(ConnectionId({9, 9, 9, 9, 9, 9, 9, 9})), random);
  pair.client.receive(pair.now, second->datagram, kServerAddress);
  BOOST_TEST((pair.client.app.connected[0]->remote_id() == ConnectionId({1, 2, 3, 4, 5, 6, 7, 8})));
}

BOOST_AUTO_TEST_CASE(a_server_that_breaks_the_rules_inside_message_2_ends_the_attempt) {
  struct Case {
    Bytes payload;
    TransportErrorCode code;
  };
  const ConnectionId id({1, 2, 3, 4, 5, 6, 7, 8});
  const auto cut = [](auto... suites) {
    return [=](TransportParameters& p) { p.suites = {static_cast<std::uint8_t>(suites)...}; };
  };
  Bytes with_ping = server_payload(id);
  with_ping.back() = 0x01;
  const std::vector<Case> cases = {
      {server_payload(id, cut(Suite::chacha20_poly1305)), TransportErrorCode::downgrade},
      {server_payload(id, [](TransportParameters& p) { p.versions = {0x12345678}; }), TransportErrorCode::downgrade},
      {server_payload(std::nullopt), TransportErrorCode::transport_parameter_error},
      {with_ping, TransportErrorCode::protocol_violation},
      {Bytes{0x40}, TransportErrorCode::transport_parameter_error},
  };
  for (const Case& each : cases) {
    DirectPair pair;
    Bytes message_1;
    pair.lose = [&](Role, ByteView datagram) {
      message_1 = copy_of(datagram);
      return true;
    };
    pair.connect();
    pair.exchange();
    SeededRandom random(9);
    const auto response = rogue_message_2(message_1, default_server().identity, each.payload, random);
    BOOST_REQUIRE(response.has_value());
    pair.client.receive(pair.now, response->datagram, kServerAddress);
    pair.advance(20s);
    BOOST_TEST(pair.client.app.connected.empty());
    BOOST_REQUIRE(pair.client.app.closed.size() == 1u);
    BOOST_TEST((pair.client.app.closed[0].by == CloseInfo::By::local));
    BOOST_TEST((pair.client.app.closed[0].transport_code() == each.code));
    BOOST_TEST(pair.client.app.closed[0].before_established);
    BOOST_TEST(pair.client.endpoint.connection_count() == 0u);
  }
}

BOOST_AUTO_TEST_CASE(a_low_order_server_key_is_refused_before_anything_is_sent) {
  DirectPair pair;
  PublicKey::Bytes one{};
  one[0] = 1;
  for (const PublicKey& key : {PublicKey(), PublicKey(one)}) {
    const auto made = pair.client.endpoint.connect(pair.now, kServerAddress, key);
    BOOST_REQUIRE(!made.has_value());
    BOOST_TEST((made.error() == ConnectError::invalid_server_key));
  }
  BOOST_TEST(pair.client.endpoint.connection_count() == 0u);
  pair.exchange();
  BOOST_TEST(pair.datagrams[0] == 0u);
}

BOOST_AUTO_TEST_CASE(a_late_message_2_after_close_is_answered_with_one_close) {
  DirectPair pair;
  const Bytes message_2 = message_2_of(pair);
  Connection* connection = pair.connect();  // a second one, to see that it is left alone
  (void)connection;
  pair.exchange();
  BOOST_TEST(pair.client.app.connected.size() == 1u);
  pair.client.endpoint.close_all(42, "changed my mind");
  pair.exchange();
  BOOST_TEST(pair.client.app.closed.size() == 2u);
  const std::uint64_t before = pair.datagrams[0];
  pair.advance(1ms);
  BOOST_TEST(pair.client.endpoint.draining_count() == 1u);  // the one without keys
  pair.client.receive(pair.now, message_2, kServerAddress);
  pair.client.receive(pair.now, message_2, kServerAddress);
  BOOST_TEST(pair.client.endpoint.draining_count() == 0u);  // it has something to say now
  pair.exchange();
  BOOST_TEST(pair.datagrams[0] == before + 1);
  BOOST_TEST(pair.client.app.connected.size() == 1u);
  BOOST_TEST(pair.client.app.closed.size() == 2u);
  BOOST_REQUIRE(pair.server.app.closed.size() == 2u);
  BOOST_TEST(pair.server.app.closed[1].code == 42u);
  pair.advance(60s);
  BOOST_TEST(pair.client.endpoint.connection_count() == 0u);
  BOOST_TEST(pair.server.endpoint.connection_count() == 0u);
}

BOOST_AUTO_TEST_CASE(a_message_2_after_the_time_limit_is_answered_with_one_close) {
  DirectPair::Config config;
  config.client.transport.handshake_timeout = 250ms;  // before the first retransmission
  DirectPair pair(config);
  const Bytes message_2 = message_2_of(pair);
  pair.advance(300ms);
  BOOST_TEST(pair.client.app.closed.size() == 1u);
  const std::uint64_t before = pair.datagrams[0];
  pair.client.receive(pair.now, message_2, kServerAddress);
  pair.exchange();
  BOOST_TEST(pair.datagrams[0] == before + 1);
  BOOST_TEST(pair.client.app.connected.empty());
  BOOST_TEST(pair.client.app.closed.size() == 1u);
  BOOST_REQUIRE(pair.server.app.closed.size() == 1u);
  BOOST_TEST((pair.server.app.closed[0].transport_code() == TransportErrorCode::no_error));
  pair.advance(30s);
  BOOST_TEST(pair.client.endpoint.connection_count() == 0u);
}

BOOST_AUTO_TEST_CASE(unreachable_ends_only_unanswered_handshakes_to_that_address) {
  DirectPair pair;
  pair.establish();
  pair.lose = [](Role, ByteView) { return true; };
  pair.connect();
  const auto elsewhere =
      pair.client.endpoint.connect(pair.now, kStrangerAddress, default_server().identity.public_key());
  BOOST_TEST(elsewhere.has_value());
  pair.exchange();
  pair.client.endpoint.on_unreachable(pair.now, kServerAddress);
  BOOST_REQUIRE(pair.client.app.closed.size() == 1u);
  BOOST_TEST((pair.client.app.closed[0].by == CloseInfo::By::network));
  BOOST_TEST((pair.client.app.closed[0].transport_code() == TransportErrorCode::unreachable));
  BOOST_TEST((pair.client.app.connected[0]->state() == ConnectionState::established));
  BOOST_TEST(((*elsewhere)->state() == ConnectionState::handshaking));
  pair.client.endpoint.on_unreachable(pair.now, kServerAddress);
  BOOST_TEST(pair.client.app.closed.size() == 1u);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(confirmation)

BOOST_AUTO_TEST_CASE(the_server_tells_its_application_only_after_the_first_packet) {
  DirectPair pair;
  pair.lose = [](Role sender, ByteView datagram) { return sender == Role::client && !is_initial(datagram); };
  pair.establish();
  BOOST_TEST(pair.client.app.connected.size() == 1u);
  BOOST_TEST(pair.server.app.events == 0u);
  BOOST_TEST(pair.server.endpoint.connection_count() == 1u);
  BOOST_TEST(pair.server.endpoint.stats().connections_accepted == 0u);
  // The probe timer repeats it.
  pair.lose = nullptr;
  pair.advance(2s);
  BOOST_TEST(pair.server.app.connected.size() == 1u);
  BOOST_TEST(pair.client_trace.probes >= 1u);
  BOOST_TEST(pair.server.endpoint.stats().connections_accepted == 1u);
}

BOOST_AUTO_TEST_CASE(data_written_at_once_arrive_with_the_confirming_packet) {
  DirectPair pair;
  pair.client.app.hook = [](std::string_view event, Connection& connection, StreamId) {
    if (event != "connected") return;
    const auto id = connection.open_stream(StreamType::unidirectional);
    (void)connection.write(*id, text("first words"));
    (void)connection.finish(*id);
  };
  pair.establish();
  BOOST_TEST(pair.datagrams[0] == 2u);
  BOOST_REQUIRE(pair.server.app.opened.size() == 1u);
  BOOST_TEST(std::ranges::equal(pair.server.app.data[pair.server.app.opened[0]], text("first words")));
}

BOOST_AUTO_TEST_CASE(a_client_that_never_confirms_goes_without_a_word) {
  DirectPair pair;
  Attacker client(pair.server, pair.now);
  BOOST_TEST(client.handshake());
  const std::uint64_t heard = client.datagrams_received;
  pair.advance(9s);
  BOOST_TEST(pair.server.endpoint.connection_count() == 1u);
  pair.advance(2s);
  client.collect();
  BOOST_TEST(pair.server.endpoint.connection_count() == 0u);
  BOOST_TEST(client.datagrams_received == heard);
  BOOST_TEST(pair.server.app.events == 0u);
  // Its keys are gone with it.
  client.ask(frames(PingFrame{}));
  BOOST_TEST(pair.server.dropped(DropReason::unknown_connection) == 1u);
}

BOOST_AUTO_TEST_CASE(a_half_open_handshake_lives_as_long_as_the_answer_that_leads_to_it) {
  // Message 2 gets lost for longer than the idle timeout; the repeated one must not lead to a connection that is gone.
  DirectPair::Config config;
  config.client.transport.handshake_timeout = config.server.transport.handshake_timeout = 60s;
  config.server.transport.idle_timeout = 5s;
  config.client.suites = {Suite::aes_256_gcm};
  DirectPair pair(config);
  pair.lose = [](Role sender, ByteView) { return sender == Role::server; };
  pair.connect();
  pair.advance(20s);
  BOOST_TEST(pair.server.endpoint.connection_count() == 1u);
  pair.lose = nullptr;
  pair.advance(20s);
  BOOST_TEST(pair.client.app.connected.size() == 1u);
  BOOST_TEST(pair.server.app.connected.size() == 1u);
}

BOOST_AUTO_TEST_CASE(half_open_handshakes_are_limited_and_free_their_place) {
  DirectPair::Config config;
  config.server.limits.max_half_open = 2;
  DirectPair pair(config);
  std::vector<std::unique_ptr<Attacker>> clients;
  for (std::uint64_t i = 0; i < 3; ++i) {
    clients.push_back(std::make_unique<Attacker>(
        pair.server, pair.now,
        Attacker::Config{.seed = 100 + i,
                         .address = SocketAddress::ipv4(10, 1, 1, 1, static_cast<std::uint16_t>(1000 + i))}));
  }
  const Bytes third = clients[2]->message_1();
  BOOST_TEST(clients[0]->handshake());
  BOOST_TEST(clients[1]->handshake());
  clients[2]->send_raw(third);
  BOOST_TEST(clients[2]->collect() == 0u);
  BOOST_TEST(pair.server.dropped(DropReason::half_open_limit) == 1u);
  BOOST_TEST(pair.server.endpoint.stats().handshakes_started == 2u);
  // One of them confirms: there is room again.
  clients[0]->ask(frames(PingFrame{}));
  clients[2]->send_raw(third);
  BOOST_TEST(clients[2]->collect() == 1u);
}

BOOST_AUTO_TEST_CASE(a_full_table_still_answers_duplicates_and_judges_mac1_first) {
  DirectPair::Config config;
  config.server.limits.max_half_open = 1;
  DirectPair pair(config);
  Attacker client(pair.server, pair.now);
  const Bytes message_1 = client.message_1();
  client.send_raw(message_1);
  client.send_raw(message_1);  // the answer was lost: the client says it again
  BOOST_TEST(client.collect() == 2u);
  Bytes forged = message_1;
  forged.back() ^= 1;
  client.send_raw(forged);
  BOOST_TEST(client.collect() == 0u);
  BOOST_TEST(pair.server.dropped(DropReason::bad_mac1) == 1u);
  BOOST_TEST(pair.server.dropped(DropReason::half_open_limit) == 0u);
}

BOOST_AUTO_TEST_SUITE_END()
