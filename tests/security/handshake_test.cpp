// Threats against the handshake and who is let in: t09 to t11, t13, t14, t17, t18, t28, t29, t54, t56 and t57.
#include <boost/test/unit_test.hpp>

#include "core/packet_header.h"
#include "crypto/mac1.h"
#include "crypto/symmetric_state.h"
#include "support/allocation_counter.h"
#include "support/attacker.h"
#include "support/hex.h"
#include "support/sim_pair.h"

using namespace mxp;
using namespace mxp::test;

BOOST_AUTO_TEST_SUITE(handshakes)

namespace {

SocketAddress address_of(std::uint64_t i) {
  return SocketAddress::ipv4(172, 16, static_cast<std::uint8_t>(i >> 8), static_cast<std::uint8_t>(i), 5000);
}

Attacker::Config client_number(std::uint64_t i) { return {.seed = 5000 + i, .address = address_of(i)}; }

// A new mac1 over what the datagram says now: everyone who knows the server's public key can make one.
void sign(Bytes& message_1, const PublicKey& server) {
  const MutableBytes all(message_1);
  const auto mac = Mac1Key(server).compute(all.first(all.size() - kMac1Size));
  std::ranges::copy(mac, all.last(kMac1Size).begin());
}

// The points of order 1, 2, 4 and 8 on the curve and its twist, and their other encodings: with each of them the shared
// secret is zero whatever our key is.
std::vector<PublicKey> low_order_points() {
  const char* const points[] = {
      "0000000000000000000000000000000000000000000000000000000000000000",
      "0100000000000000000000000000000000000000000000000000000000000000",
      "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
      "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
      "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
      "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
      "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  };
  std::vector<PublicKey> keys;
  for (const char* point : points) {
    PublicKey::Bytes bytes{};
    std::ranges::copy(hex(point), bytes.begin());
    keys.emplace_back(bytes);
    bytes[31] |= 0x80;  // RFC 7748 §5 ignores the top bit
    keys.emplace_back(bytes);
  }
  return keys;
}

// Message 1 as the Noise specification has it, with any static key: the library's initiator would refuse to lie.
Bytes message_1_with_static_key(const PublicKey& server, const PublicKey& claimed, SeededRandom& random) {
  constexpr Suite kSuite = Suite::aes_256_gcm;
  const PrivateKey e = PrivateKey::generate(random);
  Bytes datagram(kMinInitialSize);
  Writer writer(datagram);
  write_initial_header(writer, kSuite, ConnectionId(), {}, {});
  SymmetricState state(kSuite);
  state.mix_hash(writer.so_far());
  state.mix_hash(server.bytes());
  writer.bytes(e.public_key().bytes());
  state.mix_hash(e.public_key().bytes());
  state.mix_key(x25519(e, server)->view());
  writer.commit(state.encrypt_and_hash(claimed.bytes(), writer.free_space()));
  state.mix_key(Bytes(32));  // ss, as the server would compute it if it did not look
  const Bytes payload(writer.space() - kMac1Size - kAeadTagSize);
  writer.commit(state.encrypt_and_hash(payload, writer.free_space()));
  writer.commit(kMac1Size);
  sign(datagram, server);
  return datagram;
}

}  // namespace

BOOST_AUTO_TEST_CASE(t09_junk_behind_a_packet_leaves_nothing) {
  DirectPair pair;
  Attacker attacker(pair.server, pair.now);
  BOOST_REQUIRE(attacker.connect());
  const std::int64_t live = live_bytes();
  SeededRandom random(1);
  Bytes junk(1000);
  for (std::uint64_t i = 0; i < 5000; ++i) {
    random.fill(junk);
    // A datagram is one packet: what is behind it makes it another, which does not verify.
    Bytes packet = attacker.session->seal(frames(PingFrame{}));
    const std::size_t extra = 1 + random.below(junk.size());
    packet.insert(packet.end(), junk.begin(), junk.begin() + static_cast<std::ptrdiff_t>(extra));
    attacker.send_raw(packet);
    BOOST_REQUIRE(attacker.collect() == 0u);
  }
  BOOST_TEST(live_bytes() - live < 1024);
  BOOST_TEST(dropped(attacker.connection(), DropReason::authentication_failed) == 5000u);
  BOOST_TEST(attacker.ask(frames(PingFrame{}, PingFrame{})) + attacker.ask(frames(PingFrame{})) >= 1u);
  // The same behind a message 1.
  Attacker other(pair.server, pair.now, client_number(1));
  other.send_raw(other.message_1() + Bytes(100, 0xaa));
  BOOST_TEST(other.collect() == 0u);
  BOOST_TEST(pair.server.dropped(DropReason::bad_mac1) == 1u);
}

BOOST_AUTO_TEST_CASE(t10_replayed_message_1_leaks_nothing) {
  DirectPair pair;
  Attacker attacker(pair.server, pair.now);
  const Bytes message_1 = attacker.message_1();
  const auto replay = [&](int times) {
    for (int i = 0; i < times; ++i) {
      attacker.send_raw(message_1);
      attacker.collect();
      attacker.unopened.clear();
    }
  };
  replay(10);
  const std::int64_t live = live_bytes();
  replay(2000);
  BOOST_TEST(live_bytes() == live);
  BOOST_TEST(pair.server.endpoint.stats().handshakes_started == 1u);
  BOOST_TEST(pair.server.endpoint.connection_count() == 1u);
  // A carrier that is stuck: answers pile up to a bound, no further.
  for (std::uint64_t client = 0; client < 30; ++client) {
    Attacker other(pair.server, pair.now, {.seed = 6000 + client});
    const Bytes another = other.message_1();
    for (int i = 0; i < 16; ++i) attacker.send_raw(another);
  }
  BOOST_TEST(attacker.collect() == 256u);
}

BOOST_AUTO_TEST_CASE(t11_parameters_cut_at_every_byte) {
  DirectPair pair;
  Bytes block(512);
  Writer writer(block);
  SeededRandom random(3);
  const EndpointConfig client = default_client();
  BOOST_REQUIRE(
      write_transport_parameters(writer, local_parameters(client.transport, client.suites, std::nullopt), &random));
  block.resize(writer.written());
  std::uint64_t accepted = 0;
  for (std::size_t size = 0; size <= block.size(); ++size) {
    Attacker attacker(pair.server, pair.now, client_number(size));
    const bool in =
        attacker.handshake(varint(size) + Bytes(block.begin(), block.begin() + static_cast<std::ptrdiff_t>(size)));
    if (in) {
      ++accepted;
    } else {
      BOOST_REQUIRE(attacker.handshake_close.has_value());
      BOOST_TEST((attacker.handshake_close->transport_code() == TransportErrorCode::transport_parameter_error));
    }
  }
  // Whole, and without the greased entry at its end.
  BOOST_TEST(accepted == 2u);
  BOOST_TEST(pair.server.endpoint.connection_count() == accepted);
}

BOOST_AUTO_TEST_CASE(t11_malformed_parameters) {
  const Bytes lists = Bytes{0x11, 4, 0x4d, 0x58, 0x50, 0x31, 0x12, 2, 2, 1};
  const auto number = [](std::uint64_t id, std::uint64_t value) {
    return varint(id) + varint(varint_size(value)) + varint(value);
  };
  const std::vector<Bytes> bad = {
      Bytes{},        // no lists
      lists + lists,  // twice
      lists + number(0x04, 1) + number(0x04, 1),
      lists + Bytes{27, 0} + Bytes{27, 0},  // an unknown one twice
      lists + Bytes{0x04, 2, 5, 5},         // a varint that does not fill its length
      lists + Bytes{0x04, 0},
      lists + Bytes{0x04, 1, 0x40},                        // and one that is longer
      lists + number(0x01, (std::uint64_t{1} << 32) + 1),  // idle timeout
      lists + number(0x03, 1199),                          // datagram size
      lists + number(0x03, 65508),
      lists + number(0x08, (std::uint64_t{1} << 60) + 1),  // streams
      lists + number(0x0b, 1 << 14),                       // ack delay
      lists + Bytes{0x10, 8, 1, 2, 3, 4, 5, 6, 7, 8},      // a client gives no id
      Bytes{0x11, 0, 0x12, 1, 2},                          // empty lists
      Bytes{0x11, 4, 0x4d, 0x58, 0x50, 0x31, 0x12, 0},
      Bytes{0x11, 5, 0x4d, 0x58, 0x50, 0x31, 0x00, 0x12, 1, 2},
      Bytes{0x11, 4, 0x4d, 0x58, 0x50, 0x31, 0x12, 17} + Bytes(17, 2),
      lists + varint(27) + varint(kMaxVarint),  // a length beyond everything
  };
  for (std::size_t i = 0; i < bad.size(); ++i) {
    BOOST_TEST_CONTEXT("case " << i) {
      DirectPair pair;
      Attacker attacker(pair.server, pair.now);
      BOOST_TEST(!attacker.handshake(varint(bad[i].size()) + bad[i]));
      BOOST_REQUIRE(attacker.handshake_close.has_value());
      BOOST_TEST((attacker.handshake_close->transport_code() == TransportErrorCode::transport_parameter_error));
      BOOST_TEST(pair.server.endpoint.connection_count() == 0u);
      BOOST_TEST(pair.server.app.events == 0u);
    }
  }
  // A block that is longer than its payload.
  DirectPair pair;
  Attacker attacker(pair.server, pair.now);
  BOOST_TEST(!attacker.handshake(varint(kMaxVarint)));
  BOOST_TEST((attacker.handshake_close->transport_code() == TransportErrorCode::transport_parameter_error));
  // And what is allowed at the bounds.
  Attacker good(pair.server, pair.now, client_number(2));
  const Bytes limits = lists + number(0x01, std::uint64_t{1} << 32) + number(0x03, 65507) + number(0x04, kMaxVarint) +
                       number(0x08, std::uint64_t{1} << 60) + number(0x0b, (1 << 14) - 1) +
                       varint(31 * 1'000'000 + 27) + varint(3) + Bytes(3);
  BOOST_TEST(good.handshake(varint(limits.size()) + limits));
}

BOOST_AUTO_TEST_CASE(t13_connection_ids_of_the_peer_choose_no_place_in_our_tables) {
  // All clients ask for the same id; each gets its own from us, by chance, and packets are found by that.
  DirectPair pair;
  std::vector<std::unique_ptr<Attacker>> clients;
  std::set<ConnectionId> ids;
  for (std::uint64_t i = 0; i < 100; ++i) {
    Attacker::Config config = client_number(i);
    config.client_id = ConnectionId();
    clients.push_back(std::make_unique<Attacker>(pair.server, pair.now, config));
    BOOST_REQUIRE(clients.back()->connect());
    ids.insert(clients.back()->session->remote_id);
  }
  BOOST_TEST(ids.size() == clients.size());
  for (auto& client : clients) {
    const std::uint64_t before = client->connection().stats().packets_received;
    client->ask(frames(PingFrame{}));
    BOOST_TEST(client->connection().stats().packets_received == before + 1);
  }
}

BOOST_AUTO_TEST_CASE(t14_connection_id_collision) {
  // Chance that says everything twice must not give one id to two connections.
  struct Stutter final : Random {
    SeededRandom real{4};
    std::array<std::uint8_t, 8> last{};
    bool again = false;
    void fill(MutableBytes out) override {
      if (out.size() != 8) return real.fill(out);
      if (!again) real.fill(last);
      again = !again;
      std::ranges::copy(last, out.begin());
    }
  } random;
  const Timestamp now{1h};
  Host server(default_server(), kServerAddress, random);
  std::set<ConnectionId> ids;
  std::vector<std::unique_ptr<Attacker>> clients;
  for (std::uint64_t i = 0; i < 20; ++i) {
    clients.push_back(std::make_unique<Attacker>(server, now, client_number(i)));
    BOOST_REQUIRE(clients.back()->connect());
    ids.insert(clients.back()->session->remote_id);
  }
  BOOST_TEST(ids.size() == 20u);
  BOOST_TEST(server.endpoint.connection_count() == 20u);
  // A packet with the id of one and the keys of another opens nowhere.
  clients[0]->session->remote_id = clients[1]->session->remote_id;
  BOOST_TEST(clients[0]->ask(frames(PingFrame{})) == 0u);
  BOOST_TEST(dropped(clients[1]->connection(), DropReason::wrong_path) == 1u);
  server.receive(now, clients[0]->session->seal(frames(PingFrame{})), clients[1]->config.address);
  BOOST_TEST(dropped(clients[1]->connection(), DropReason::authentication_failed) == 1u);
}

BOOST_AUTO_TEST_CASE(t17_amplification) {
  // An address that never shows that it hears us: message 1 once and again, packets that do not verify, time, and a
  // server that ends.
  for (std::uint64_t variant = 0; variant < 8; ++variant) {
    DirectPair pair;
    std::uint64_t in = 0, out = 0;
    Attacker victim(pair.server, pair.now, client_number(variant));
    const auto deliver = [&](const Bytes& datagram) {
      in += datagram.size();
      victim.send_raw(datagram);
    };
    const auto check = [&] {
      victim.collect();
      out = victim.bytes_received;
      BOOST_TEST(out <= 3 * in);
    };
    const Bytes message_1 = victim.message_1();
    deliver(message_1);
    check();
    BOOST_REQUIRE(!victim.unopened.empty());
    BOOST_REQUIRE(victim.read_message_2(victim.unopened[0]));
    if ((variant & 1) != 0)
      for (int i = 0; i < 5; ++i) deliver(message_1), check();
    if ((variant & 2) != 0)
      for (int i = 0; i < 50; ++i) {
        Bytes forged = victim.session->seal(frames(PingFrame{}));
        forged.back() ^= 1;
        deliver(forged);
        check();
      }
    if ((variant & 4) != 0) pair.server.endpoint.close_all(1, std::string(256, 'x'));
    check();
    for (int i = 0; i < 60; ++i) {
      pair.now += 1s;
      BOOST_TEST(victim.run_due());
      check();
    }
    BOOST_TEST(pair.server.endpoint.connection_count() == 0u);
  }
}

BOOST_AUTO_TEST_CASE(t17_small_initials_are_not_answered) {
  DirectPair pair;
  Attacker attacker(pair.server, pair.now);
  const Bytes whole = attacker.message_1();
  for (const std::size_t size : {std::size_t{1}, std::size_t{34}, std::size_t{150}, kMinInitialSize - 1}) {
    Bytes small(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
    if (size > 100) sign(small, pair.server.endpoint.public_key());
    attacker.send_raw(small);
    BOOST_TEST(attacker.collect() == 0u);
  }
  // The shortest and the longest that are.
  attacker.send_raw(whole);
  BOOST_TEST(attacker.collect() == 1u);
  for (const std::size_t size : {kMaxInitialSize, kMaxInitialSize + 1}) {
    Attacker other(pair.server, pair.now, client_number(size));
    Bytes payload = other.honest_payload();
    payload.resize(payload.size() + size - kMinInitialSize);
    other.send_raw(other.message_1(payload));
    BOOST_TEST(other.collect() == (size == kMaxInitialSize ? 1u : 0u));
  }
  BOOST_TEST(pair.server.endpoint.stats().handshakes_started == 2u);
}

BOOST_AUTO_TEST_CASE(t18_initial_flood_without_the_servers_key) {
  DirectPair pair;
  Attacker source(pair.server, pair.now);
  Bytes forged = source.message_1();
  SeededRandom random(1);
  const std::int64_t live = live_bytes();
  const std::uint64_t allocated = allocations();
  constexpr std::uint64_t kFlood = 20'000;
  for (std::uint64_t i = 0; i < kFlood; ++i) {
    random.fill(MutableBytes(forged).subspan(6, 100));
    SocketAddress from = address_of(i % 60'000);
    pair.server.receive(pair.now, forged, from);
  }
  BOOST_TEST(allocations() == allocated);
  BOOST_TEST(live_bytes() == live);
  const EndpointStats stats = pair.server.endpoint.stats();
  BOOST_TEST(stats.public_key_operations == 0u);
  BOOST_TEST(stats.handshakes_started == 0u);
  BOOST_TEST(pair.server.dropped(DropReason::bad_mac1) + pair.server.dropped(DropReason::malformed_header) == kFlood);
  BOOST_TEST((pair.server.endpoint.next_timeout() == kNever));
  BOOST_TEST(pair.server.poll(pair.now, [](const SocketAddress&, ByteView) {}) == 0u);
  // A good client gets in as ever.
  pair.establish();
  BOOST_TEST(pair.server.app.connected.size() == 1u);
}

BOOST_AUTO_TEST_CASE(t18_initials_that_verify_outside_but_not_inside_keep_nothing) {
  DirectPair pair;
  Attacker source(pair.server, pair.now);
  Bytes forged = source.message_1();
  SeededRandom random(1);
  std::int64_t live = 0;
  for (std::uint64_t i = 0; i < 300; ++i) {
    random.fill(MutableBytes(forged).subspan(50, 100));
    sign(forged, pair.server.endpoint.public_key());
    pair.server.receive(pair.now, forged, address_of(i));
    if (i == 100) live = live_bytes();
  }
  BOOST_TEST(live_bytes() == live);
  BOOST_TEST(pair.server.dropped(DropReason::handshake_failed) == 300u);
  BOOST_TEST(pair.server.endpoint.stats().public_key_operations == 300 * kX25519PerIkMessage);
  BOOST_TEST(pair.server.endpoint.connection_count() == 0u);
  BOOST_TEST((pair.server.endpoint.next_timeout() == kNever));
}

BOOST_AUTO_TEST_CASE(t18_genuine_initials_hold_no_more_than_the_half_open_limit) {
  DirectPair::Config config;
  config.server.limits.max_half_open = 16;
  DirectPair pair(config);
  std::uint64_t operations_at_limit = 0;
  std::int64_t live = 0;
  for (std::uint64_t i = 0; i < 200; ++i) {
    Attacker client(pair.server, pair.now, client_number(i));
    client.send_raw(client.message_1());
    client.collect();
    if (i == 15) operations_at_limit = pair.server.endpoint.stats().public_key_operations;
    if (i == 15) live = live_bytes();
  }
  BOOST_TEST(pair.server.endpoint.connection_count() == 16u);
  BOOST_TEST(pair.server.endpoint.stats().public_key_operations == operations_at_limit);
  BOOST_TEST(pair.server.dropped(DropReason::half_open_limit) == 184u);
  BOOST_TEST(live_bytes() - live < 1024);
  pair.advance(11s);
  BOOST_TEST(pair.server.endpoint.connection_count() == 0u);
  pair.establish();
  BOOST_TEST(pair.server.app.connected.size() == 1u);
}

// A client that is refused costs public-key operations and gets an authenticated answer. However many there are, their
// number is bounded by a rate, and a client that is let in is still served.
BOOST_AUTO_TEST_CASE(t18_refusals_cost_no_more_than_a_rate) {
  DirectPair::Config config;
  const PublicKey friendly = config.client.identity.public_key();
  config.server.authorize = [friendly](const PublicKey& client) { return client == friendly; };
  config.server.limits.max_fruitless_handshakes = 100;
  DirectPair pair(config);
  const std::uint64_t kEach = 2 * kX25519PerIkMessage + kX25519PerKeyPair;
  std::uint64_t sent = 0;
  enum class From : std::uint8_t { many_networks, one_network };
  const auto flood = [&](std::uint64_t count, From from) {
    for (std::uint64_t i = 0; i < count; ++i, ++sent) {
      Attacker::Config stranger_config = client_number(sent);
      if (from == From::one_network)
        stranger_config.address = SocketAddress::ipv4(172, 17, 0, 1, static_cast<std::uint16_t>(sent));
      Attacker stranger(pair.server, pair.now, stranger_config);
      stranger.send_raw(stranger.message_1());
      stranger.collect();
    }
  };
  flood(500, From::many_networks);
  const EndpointStats stats = pair.server.endpoint.stats();
  BOOST_TEST(stats.handshakes_refused == 100u);
  BOOST_TEST(stats.public_key_operations <= 100 * kEach);
  BOOST_TEST(pair.server.dropped(DropReason::handshake_rate) == 500 - stats.handshakes_refused);
  // Then it comes from one network, and clients of another one connect in the middle of it.
  pair.advance(2s);
  for (int i = 0; i < 100; ++i) {
    flood(10, From::one_network);
    if (i % 10 == 9) pair.connect();
    pair.advance(10ms);
  }
  BOOST_TEST(pair.client.app.connected.size() == 10u);
  BOOST_TEST(pair.server.endpoint.stats().handshakes_refused <= 100u + 200u);
}

// Clients that get in are not held to that rate: each confirmation gives back what its message 1 took.
BOOST_AUTO_TEST_CASE(t18_clients_that_get_in_are_as_many_as_come) {
  DirectPair::Config config;
  config.server.limits.max_fruitless_handshakes = 3;
  DirectPair pair(config);
  for (int i = 0; i < 50; ++i) pair.establish();
  BOOST_TEST(pair.server.app.connected.size() == 50u);
  BOOST_TEST(pair.server.dropped(DropReason::handshake_rate) == 0u);
}

BOOST_AUTO_TEST_CASE(t18_refusals_push_out_no_answer_of_a_handshake_under_way) {
  DirectPair::Config config;
  const PublicKey friendly = config.client.identity.public_key();
  config.server.authorize = [friendly](const PublicKey& client) { return client == friendly; };
  config.server.limits.max_half_open = 8;
  DirectPair pair(config);
  // The first answer to the client is lost.
  pair.connect();
  Bytes message_1;
  pair.client.poll(pair.now, [&](const SocketAddress&, ByteView datagram) { message_1 = copy_of(datagram); });
  pair.server.receive(pair.now, message_1, kClientAddress);
  pair.server.poll(pair.now, [](const SocketAddress&, ByteView) {});
  for (std::uint64_t i = 0; i < 100; ++i) {
    Attacker stranger(pair.server, pair.now, client_number(i));
    stranger.send_raw(stranger.message_1());
    stranger.collect();
  }
  BOOST_TEST(pair.server.endpoint.stats().handshakes_refused == 100u);
  pair.advance(2s);  // the client sends again
  BOOST_TEST(pair.client.app.connected.size() == 1u);
  BOOST_TEST(pair.server.app.connected.size() == 1u);
  BOOST_TEST(pair.server.endpoint.stats().handshakes_started == 101u);  // no second one for the client
}

BOOST_AUTO_TEST_CASE(t28_low_order_points) {
  const PublicKey server_key = default_server().identity.public_key();
  SeededRandom random(28);
  for (const PublicKey& point : low_order_points()) {
    BOOST_TEST_CONTEXT(point.to_string()) {
      // As a server's static key: es is zero.
      DirectPair pair;
      const auto made = pair.client.endpoint.connect(pair.now, kServerAddress, point);
      BOOST_REQUIRE(!made.has_value());
      BOOST_TEST((made.error() == ConnectError::invalid_server_key));

      // As a client's ephemeral key: es is zero.
      Attacker attacker(pair.server, pair.now);
      Bytes message_1 = attacker.message_1();
      std::ranges::copy(point.bytes(), message_1.begin() + 18);
      sign(message_1, server_key);
      attacker.send_raw(message_1);
      BOOST_TEST(attacker.collect() == 0u);
      BOOST_TEST(pair.server.dropped(DropReason::bad_low_order_key) == 1u);

      // As a client's static key: ss is zero, although everything else is as it should be.
      attacker.send_raw(message_1_with_static_key(server_key, point, random));
      BOOST_TEST(attacker.collect() == 0u);
      BOOST_TEST(pair.server.dropped(DropReason::bad_low_order_key) == 2u);
      BOOST_TEST(pair.server.endpoint.connection_count() == 0u);

      // As a server's ephemeral key: ee is zero, and the genuine answer is still taken.
      Bytes message_2;
      pair.lose = [&](Role sender, ByteView datagram) {
        if (sender == Role::server) message_2 = copy_of(datagram);
        return sender == Role::server;
      };
      pair.connect();
      pair.exchange();
      pair.lose = nullptr;
      Bytes forged = message_2;
      std::ranges::copy(point.bytes(), forged.begin() + kHandshakeHeaderSize);
      pair.client.receive(pair.now, forged, kServerAddress);
      BOOST_TEST(pair.client.app.events == 0u);
      pair.client.receive(pair.now, message_2, kServerAddress);
      BOOST_TEST(pair.client.app.connected.size() == 1u);
    }
  }
}

BOOST_AUTO_TEST_CASE(t29_downgrade_in_the_clear_header) {
  // Whoever changes the version or the suite on the way, and makes mac1 fit, has changed the prologue.
  DirectPair pair;
  Attacker client(pair.server, pair.now);
  const Bytes honest = client.message_1();
  for (const std::size_t at : {std::size_t{1}, std::size_t{4}, std::size_t{5}, std::size_t{6}, std::size_t{13},
                               std::size_t{14}, std::size_t{16}}) {
    Bytes changed = honest;
    changed[at] ^= at == 5 ? 3 : 1;  // suite 2 becomes 1
    sign(changed, pair.server.endpoint.public_key());
    client.send_raw(changed);
    BOOST_TEST(client.collect() == 0u);
  }
  BOOST_TEST(pair.server.endpoint.connection_count() == 0u);
  client.send_raw(honest);
  BOOST_TEST(client.collect() == 1u);
}

BOOST_AUTO_TEST_CASE(t29_downgrade_by_cut_lists) {
  struct Case {
    Suite used;
    std::vector<Suite> offered;
    bool accepted;
  };
  const Suite aes = Suite::aes_256_gcm, chacha = Suite::chacha20_poly1305;
  const Case cases[] = {
      {aes, {aes, chacha}, true},     {chacha, {chacha, aes}, true}, {chacha, {chacha}, true},
      {chacha, {aes, chacha}, false},  // its own list says that it would rather have the other
      {aes, {chacha}, false},          // and this one never offered what is in use
      {aes, {chacha, aes}, false},
  };
  for (const Case& each : cases) {
    DirectPair pair;
    Attacker attacker(pair.server, pair.now, {.suite = each.used, .suites = each.offered});
    BOOST_TEST(attacker.handshake() == each.accepted);
    if (each.accepted) continue;
    BOOST_REQUIRE(attacker.handshake_close.has_value());
    BOOST_TEST((attacker.handshake_close->transport_code() == TransportErrorCode::downgrade));
    BOOST_TEST(pair.server.endpoint.connection_count() == 0u);
  }
  // A suite that the server does not have costs no public-key operation.
  DirectPair::Config config;
  config.server.suites = {aes};
  DirectPair pair(config);
  Attacker attacker(pair.server, pair.now, {.suite = chacha, .suites = {chacha}});
  BOOST_TEST(!attacker.handshake());
  BOOST_TEST(pair.server.endpoint.stats().public_key_operations == 0u);
}

BOOST_AUTO_TEST_CASE(t54_handshake_through_corruption) {
  // A third of all datagrams arrives with a flipped bit: dropped, repeated, and in the end connected.
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    SimConfig config;
    config.up = "delay 10ms corrupt 30%";
    config.down = "=";
    config.seed = seed;
    config.client.transport.handshake_timeout = config.server.transport.handshake_timeout = 60s;
    SimPair sim(std::move(config));
    sim.client.connected_hook = [&](Connection& connection) {
      sim.client.open_and_send(connection, StreamType::unidirectional, 20'000);
    };
    sim.connect();
    const bool done = sim.run_until(
        [&] {
          return sim.server.bytes_received == 20'000 && sim.client.all_sent_acknowledged() &&
                 sim.client.connected_count == 1;
        },
        120s);
    BOOST_TEST(done, "seed " << seed);
    BOOST_TEST(sim.violations().empty());
    BOOST_TEST(sim.server.closed.empty());
  }
}

BOOST_AUTO_TEST_CASE(t56_connection_limit_is_hard) {
  DirectPair::Config config;
  config.server.limits.max_connections = 64;
  DirectPair pair(config);
  std::vector<std::unique_ptr<Attacker>> hog;
  for (std::uint64_t i = 0; i < 64; ++i) {
    hog.push_back(std::make_unique<Attacker>(pair.server, pair.now, client_number(i)));
    BOOST_REQUIRE(hog.back()->connect());
  }
  for (std::uint64_t i = 64; i < 80; ++i) {
    Attacker more(pair.server, pair.now, client_number(i));
    BOOST_TEST(!more.connect());
    BOOST_REQUIRE(more.handshake_close.has_value());
    BOOST_TEST((more.handshake_close->transport_code() == TransportErrorCode::connection_refused));
  }
  BOOST_TEST(pair.server.endpoint.connection_count() == 64u);
  // Those who are in are served; when one leaves there is room for one.
  hog[0]->ask(frames(PingFrame{}));
  BOOST_TEST(hog[0]->connection().stats().packets_received == 2u);
  CloseFrame close;
  close.application = true;
  hog[0]->ask(frames(close));
  pair.now += 5s;
  BOOST_TEST(hog[0]->run_due());
  Attacker next(pair.server, pair.now, client_number(100));
  BOOST_TEST(next.connect());
}

BOOST_AUTO_TEST_CASE(t57_unknown_key_share) {
  // The client means M. M passes its messages on to S, so that S would take the client for M's, or the client S for M.
  SeededRandom random(57);
  const PrivateKey m = PrivateKey::generate(random);
  DirectPair pair;
  BOOST_REQUIRE(pair.client.endpoint.connect(pair.now, kServerAddress, m.public_key()).has_value());
  Bytes message_1;
  pair.client.poll(pair.now, [&](const SocketAddress&, ByteView datagram) { message_1 = copy_of(datagram); });
  pair.server.receive(pair.now, message_1, kClientAddress);
  BOOST_TEST(pair.server.dropped(DropReason::bad_mac1) == 1u);
  sign(message_1, pair.server.endpoint.public_key());
  pair.server.receive(pair.now, message_1, kClientAddress);
  BOOST_TEST(pair.server.dropped(DropReason::handshake_failed) == 1u);
  BOOST_TEST(pair.server.endpoint.connection_count() == 0u);
}

BOOST_AUTO_TEST_CASE(t57_each_connection_has_its_own_handshake_hash) {
  // What an application binds to the channel differs between two connections of the same two keys.
  DirectPair pair;
  const Connection* first = pair.establish();
  const Connection* first_server = pair.server_connection();
  const Connection* second = pair.establish();
  BOOST_TEST(std::ranges::equal(first->handshake_hash(), first_server->handshake_hash()));
  BOOST_TEST(!std::ranges::equal(first->handshake_hash(), second->handshake_hash()));
}

BOOST_AUTO_TEST_SUITE_END()
