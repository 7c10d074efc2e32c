// Threats against connections that move: t04, t05, t06, t20, t21 and t22. The attacker holds the keys of a connection
// to which both sides have agreed that it may move, or copies what others send.
#include <boost/test/unit_test.hpp>

#include "connection/local_ids.h"
#include "connection/path_responses.h"
#include "connection/peer_ids.h"
#include "support/allocation_counter.h"
#include "support/attacker.h"

using namespace mxp;
using namespace mxp::test;

BOOST_AUTO_TEST_SUITE(moving)

namespace {

StreamId uni(std::uint64_t index) { return StreamId::make(Role::client, StreamType::unidirectional, index); }
ConnectionId id_number(std::uint64_t n) {
  ConnectionId::Bytes bytes{0xaa};
  for (std::size_t i = 0; i < 4; ++i) bytes[7 - i] = static_cast<std::uint8_t>(n >> (8 * i));
  return ConnectionId(bytes);
}
SocketAddress elsewhere(std::size_t i) {
  return SocketAddress::ipv4(10, 66, static_cast<std::uint8_t>(i >> 16), static_cast<std::uint8_t>(i >> 8),
                             static_cast<std::uint16_t>(1000 + (i & 255)));
}
PathData data_number(std::uint64_t n) {
  PathData data{};
  for (std::size_t i = 0; i < 8; ++i) data[i] = static_cast<std::uint8_t>(n >> (8 * i));
  return data;
}

// A client that may be anywhere: what it sent from each address and what came to each.
struct Scene {
  explicit Scene(Duration max_ack_delay = 25ms, DirectPair::Config config = {})
      : pair(std::move(config)), attacker(pair.server, pair.now, config_of(max_ack_delay)) {
    BOOST_REQUIRE(attacker.connect());
    home = attacker.config.address;
    attacker.acknowledge();
    for (const Answer& answer : attacker.answers)
      for (const Frame& frame : answer.frames)
        if (const auto* given = std::get_if<NewConnectionIdFrame>(&frame)) ids.push_back(*given);
    attacker.answers.clear();
    // Ids for every path that the server might want.
    give_ids(3);
  }
  static Attacker::Config config_of(Duration max_ack_delay) {
    Attacker::Config config{.transport = {.max_receive_udp_payload = kMinInitialSize}};
    config.transport.recovery.max_ack_delay = max_ack_delay;
    return config;
  }
  Connection& victim() { return attacker.connection(); }
  bool alive() { return victim().state() == ConnectionState::established; }

  void give_ids(std::uint64_t count) {
    for (; count > 0; --count, ++next_id) send(frames(NewConnectionIdFrame{next_id, 0, id_number(next_id)}), home);
  }
  void send(ByteView plaintext, const SocketAddress& from) { send_raw(attacker.session->seal(plaintext), from); }
  void send_raw(ByteView datagram, const SocketAddress& from) {
    in[from] += datagram.size();
    pair.server.receive(pair.now, datagram, from);
  }
  // Whatever the server wants to send now. What goes to an address where nobody answered is within the limit.
  void drain() {
    pair.server.poll(pair.now, [&](const SocketAddress& to, ByteView datagram) {
      out[to] += datagram.size();
      if (to != home && !proven.contains(to))
        BOOST_TEST(out[to] <= 3 * in[to], "address " << to.port << ": " << out[to] << " for " << in[to]);
      const auto opened = attacker.session->open(datagram);
      if (!opened) return;
      for (const Frame& frame : opened->frames) {
        if (const auto* asked = std::get_if<PathChallengeFrame>(&frame)) challenges[to].push_back(asked->data);
        if (const auto* answer = std::get_if<PathResponseFrame>(&frame)) responses[to].push_back(answer->data);
        if (const auto* close = std::get_if<CloseFrame>(&frame)) {
          closed = static_cast<TransportErrorCode>(close->code);
          closed_at.insert(to);
        }
        if (const auto* given = std::get_if<NewConnectionIdFrame>(&frame)) ids.push_back(*given);
        if (const auto* retired = std::get_if<RetireConnectionIdFrame>(&frame)) retirements.push_back(*retired);
      }
      attacker.answers.push_back(std::move(*opened));
    });
  }
  void acknowledge(const SocketAddress& from) {
    const SocketAddress before = std::exchange(attacker.config.address, from);
    attacker.acknowledge();
    attacker.config.address = before;
    attacker.answers.clear();
  }
  void let_time_pass(Duration span) {
    const Timestamp end = pair.now + span;
    for (int i = 0; i < 10'000 && pair.server.endpoint.next_timeout() <= end; ++i) {
      pair.now = std::max(pair.now, pair.server.endpoint.next_timeout());
      pair.server.endpoint.on_timeout(pair.now);
      drain();
    }
    pair.now = end;
  }
  // A server that has much to say.
  void fill() {
    const StreamId id = *victim().open_stream(StreamType::unidirectional);
    const Bytes data(256 * 1024, 'x');
    (void)victim().write(id, data);
  }

  DirectPair pair;
  Attacker attacker;
  SocketAddress home;
  std::uint64_t next_id = 1;
  std::map<SocketAddress, std::uint64_t> in, out;
  std::set<SocketAddress> proven;
  std::map<SocketAddress, std::vector<PathData>> challenges, responses;
  std::vector<NewConnectionIdFrame> ids;
  std::vector<RetireConnectionIdFrame> retirements;
  std::optional<TransportErrorCode> closed;
  std::set<SocketAddress> closed_at;
};

}  // namespace

// ---- t20

BOOST_AUTO_TEST_CASE(t20_packets_that_do_not_open_move_nothing) {
  Scene scene;
  const Bytes authentic = scene.attacker.session->seal(stream_frame(uni(0), 0, text("x")));
  for (std::size_t bit = 0; bit < 8 * authentic.size(); bit += 7) {
    Bytes forged = authentic;
    forged[bit / 8] ^= static_cast<std::uint8_t>(1 << (bit % 8));
    scene.send_raw(forged, elsewhere(1));
  }
  scene.send_raw(Bytes(1200, 0x40), elsewhere(2));
  scene.drain();
  BOOST_TEST((scene.victim().remote_address() == scene.home));
  BOOST_TEST(scene.victim().stats().path_changes == 0u);
  BOOST_TEST(scene.out[elsewhere(1)] + scene.out[elsewhere(2)] == 0u);
  scene.send_raw(authentic, scene.home);
  BOOST_TEST(scene.pair.server.app.bytes == 1u);
}

BOOST_AUTO_TEST_CASE(t20_only_the_newest_packet_moves_the_peer) {
  Scene scene;
  const Bytes late = scene.attacker.session->seal(frames(PingFrame{}));
  const Bytes newest = scene.attacker.session->seal(frames(PingFrame{}));
  scene.send_raw(newest, scene.home);
  scene.send_raw(newest, elsewhere(1));  // a copy
  BOOST_TEST(dropped(scene.victim(), DropReason::duplicate_packet) == 1u);
  scene.send_raw(late, elsewhere(1));  // opens, and is older
  BOOST_TEST((scene.victim().remote_address() == scene.home));
  scene.drain();
  BOOST_TEST(scene.out[elsewhere(1)] == 0u);
  scene.send(frames(PingFrame{}), elsewhere(1));
  BOOST_TEST((scene.victim().remote_address() == elsewhere(1)));
}

BOOST_AUTO_TEST_CASE(t20_probes_are_answered_where_they_came_from_and_move_nothing) {
  Scene scene;
  for (const Bytes& probe :
       {frames(PathChallengeFrame{data_number(1)}) + Bytes(1000),
        frames(PathChallengeFrame{data_number(2)}, PathResponseFrame{data_number(3)}) + Bytes(1000),
        frames(NewConnectionIdFrame{4, 1, id_number(4)}, PathResponseFrame{data_number(5)})})
    scene.send(probe, elsewhere(1));
  BOOST_TEST((scene.victim().remote_address() == scene.home));
  scene.drain();
  BOOST_TEST((scene.victim().remote_address() == scene.home));
  BOOST_TEST(scene.responses[elsewhere(1)].size() == 2u);
  BOOST_TEST(scene.responses[scene.home].empty());
  BOOST_TEST(scene.challenges[elsewhere(1)].empty());
  BOOST_TEST(scene.alive());
}

BOOST_AUTO_TEST_CASE(t20_a_client_follows_nobody) {
  DirectPair pair;
  Connection* connection = pair.establish();
  Connection* server = pair.server_connection();
  (void)server->write(*server->open_stream(StreamType::unidirectional), text("x"));
  pair.server.poll(pair.now, [&](const SocketAddress&, ByteView datagram) {
    pair.client.receive(pair.now, datagram, kStrangerAddress);
  });
  BOOST_TEST(pair.client.app.bytes == 0u);
  BOOST_TEST(dropped(*connection, DropReason::wrong_path) == 1u);
  BOOST_TEST((connection->remote_address() == kServerAddress));
}

// ---- t21

BOOST_AUTO_TEST_CASE(t21_a_copy_that_arrives_first_from_elsewhere_reflects_three_times_its_bytes_at_most) {
  Scene scene;
  scene.fill();
  scene.drain();
  const SocketAddress bystander = elsewhere(5);
  // The attacker overtakes one packet with a copy that bears a bystander's address.
  const Bytes packet = scene.attacker.session->seal(stream_frame(uni(0), 0, text("x")));
  scene.send_raw(packet, bystander);
  scene.send_raw(packet, scene.home);
  BOOST_TEST((scene.victim().remote_address() == bystander));
  scene.drain();
  BOOST_TEST(scene.out[bystander] > 0u);
  // The old path is asked too, since the client may still be there.
  BOOST_TEST(scene.challenges[scene.home].size() == 1u);
  // Its next packet brings the connection home, and nothing more goes to the bystander.
  scene.send(frames(PathResponseFrame{scene.challenges[scene.home].front()}), scene.home);
  scene.send(frames(PingFrame{}), scene.home);
  BOOST_TEST((scene.victim().remote_address() == scene.home));
  scene.drain();
  const std::uint64_t to_bystander = scene.out[bystander];
  const std::uint64_t to_home = scene.out[scene.home];
  for (int i = 0; i < 20; ++i) {
    scene.acknowledge(scene.home);
    scene.let_time_pass(500ms);
  }
  BOOST_TEST(scene.out[bystander] == to_bystander);
  BOOST_TEST(scene.out[scene.home] > to_home + 100'000);
  BOOST_TEST(scene.alive());
}

BOOST_AUTO_TEST_CASE(t21_without_an_answer_the_connection_returns_to_the_path_that_was_proven) {
  Scene scene;
  scene.fill();
  scene.drain();
  scene.send(frames(PingFrame{}), elsewhere(5));
  BOOST_TEST((scene.victim().remote_address() == elsewhere(5)));
  // The old path answers, the new one never does.
  scene.drain();
  scene.send(frames(PathResponseFrame{scene.challenges[scene.home].front()}), scene.home);
  BOOST_TEST((scene.victim().remote_address() == elsewhere(5)));  // an answer is a probe
  scene.let_time_pass(10s);
  BOOST_TEST((scene.victim().remote_address() == scene.home));
  BOOST_TEST(scene.challenges[elsewhere(5)].size() >= 1u);
  BOOST_TEST(scene.out[elsewhere(5)] <= 3 * scene.in[elsewhere(5)]);
  BOOST_TEST(scene.alive());
}

BOOST_AUTO_TEST_CASE(t21_the_limit_holds_until_the_challenge_is_answered) {
  for (const bool right : {false, true}) {
    Scene scene;
    scene.fill();
    scene.drain();
    const SocketAddress target = elsewhere(5);
    scene.send(frames(PingFrame{}), target);
    scene.let_time_pass(100ms);
    BOOST_TEST(scene.out[target] <= 3 * scene.in[target]);
    BOOST_REQUIRE(!scene.challenges[target].empty());
    PathData answer = scene.challenges[target].back();
    if (!right) answer[3] ^= 1;
    const std::uint64_t before = scene.out[target];
    if (right) scene.proven.insert(target);
    scene.send(frames(PathResponseFrame{answer}), target);
    scene.drain();
    scene.let_time_pass(100ms);
    BOOST_TEST((scene.out[target] > before + 2000) == right);
  }
}

// What came from one address pays for nothing at another one.
BOOST_AUTO_TEST_CASE(t21_allowances_are_of_one_address_each) {
  Scene scene;
  scene.fill();
  scene.drain();
  for (int i = 0; i < 50; ++i) scene.send(frames(PingFrame{}) + Bytes(1000), elsewhere(1));
  scene.send(frames(PingFrame{}), elsewhere(2));
  scene.let_time_pass(5s);  // drain() compares, for each address
  BOOST_TEST(scene.out[elsewhere(2)] <= 3 * scene.in[elsewhere(2)]);
}

// Who shares the client's address, behind the same NAT say, copies its packets and is faster. What is sent to the copy's
// port is lost there, and the client's own path has nothing to do with that.
BOOST_AUTO_TEST_CASE(t21_what_is_lost_at_a_port_that_a_copy_came_from_cuts_no_window_of_the_client) {
  for (const auto algorithm : {CongestionControl::newreno, CongestionControl::cubic, CongestionControl::bbr}) {
    DirectPair::Config config;
    config.server.transport.recovery.congestion_control = algorithm;
    Scene scene(25ms, std::move(config));
    SocketAddress copier = scene.home;
    ++copier.port;
    scene.pair.server.app.send(scene.victim(), *scene.victim().open_stream(StreamType::unidirectional), Bytes(8 << 20));
    const auto round = [&] {
      scene.drain();
      scene.let_time_pass(10ms);
      scene.acknowledge(scene.home);
    };
    for (int i = 0; i < 20; ++i) round();
    const std::uint64_t before = scene.victim().stats().congestion_window;
    BOOST_TEST(before > 60'000u);
    for (int i = 0; i < 10; ++i) {
      Bytes copied = frames(PingFrame{});
      copied.resize(1000);
      scene.send(copied, copier);
      scene.drain();
      BOOST_TEST((scene.victim().remote_address() == copier));
      BOOST_TEST(scene.victim().stats().congestion_window >= before);  // it may be a NAT that forgot
      scene.attacker.answers.clear();
      scene.send(frames(PingFrame{}), scene.home);
      BOOST_TEST((scene.victim().remote_address() == scene.home));
      for (int j = 0; j < 3; ++j) round();
      BOOST_TEST(scene.victim().stats().congestion_window >= before);
    }
    BOOST_TEST(scene.out[copier] > 10'000u);
    BOOST_TEST(scene.victim().stats().packets_lost > 0u);
    BOOST_TEST(scene.alive());
  }
}

BOOST_AUTO_TEST_CASE(t21_a_side_that_forbids_it_is_not_moved) {
  for (const bool at_server : {false, true}) {
    DirectPair::Config config;
    (at_server ? config.server : config.client).transport.migration = false;
    DirectPair pair(std::move(config));
    Connection* connection = pair.establish();
    (void)connection->write(*connection->open_stream(StreamType::unidirectional), text("x"));
    pair.client.poll(pair.now, [&](const SocketAddress&, ByteView datagram) {
      pair.server.receive(pair.now, datagram, kStrangerAddress);
    });
    BOOST_TEST(pair.server.app.bytes == 0u);
    BOOST_TEST(dropped(*pair.server_connection(), DropReason::wrong_path) == 1u);
    BOOST_TEST((pair.server_connection()->remote_address() == kClientAddress));
    BOOST_TEST((connection->migrate(kStrangerAddress).error() == MigrationError::not_allowed));
  }
}

BOOST_AUTO_TEST_CASE(t21_a_challenge_that_was_cut_is_followed_by_a_full_one) {
  Scene scene;
  const SocketAddress target = elsewhere(5);
  scene.send(frames(PingFrame{}), target);
  scene.drain();
  BOOST_REQUIRE(scene.challenges[target].size() == 1u);
  const std::uint64_t small = scene.out[target];
  BOOST_TEST(small < 200u);
  scene.proven.insert(target);
  scene.send(frames(PathResponseFrame{scene.challenges[target].back()}), target);
  scene.drain();
  BOOST_REQUIRE(scene.challenges[target].size() == 2u);
  BOOST_TEST(scene.out[target] >= small + kMinInitialSize);
  // Full datagrams do not pass, and the old path is there to go back to.
  scene.let_time_pass(10s);
  BOOST_TEST((scene.victim().remote_address() == scene.home));
  BOOST_TEST(scene.alive());
}

BOOST_AUTO_TEST_CASE(t21_a_close_goes_to_where_the_client_has_proven_to_be_as_well) {
  Scene scene;
  // The client from behind its NAT, or a copy that came first.
  scene.send(frames(PingFrame{}) + Bytes(1000), elsewhere(5));
  scene.drain();
  scene.victim().close(7, "bye");
  scene.drain();
  BOOST_TEST((scene.closed.has_value() && scene.attacker.answers.back().size < 200));
  BOOST_TEST((scene.closed_at == std::set{scene.home, elsewhere(5)}));
}

// The mapping of an idle client's NAT was forgotten, and the first that it sends through the new one is CLOSE.
BOOST_AUTO_TEST_CASE(t21_the_answer_to_a_close_goes_to_where_it_came_from_as_well) {
  Scene scene;
  scene.send(frames(CloseFrame{}), elsewhere(5));
  scene.drain();
  BOOST_TEST((scene.closed_at == std::set{scene.home, elsewhere(5)}));
}

BOOST_AUTO_TEST_CASE(t21_a_close_that_crosses_the_clients_goes_to_where_that_came_from_as_well) {
  Scene scene;
  scene.victim().close(7, "");
  scene.send(frames(CloseFrame{}), elsewhere(5));
  scene.drain();
  BOOST_TEST((scene.closed_at == std::set{scene.home, elsewhere(5)}));
}

// Each repetition goes on both paths, too, and drain() compares with the limit.
BOOST_AUTO_TEST_CASE(t21_repetitions_of_a_close_go_on_both_paths_within_the_limit) {
  Scene scene;
  scene.send(frames(PingFrame{}), elsewhere(5));
  scene.victim().close(7, "");
  scene.drain();
  std::set<SocketAddress> reached = scene.closed_at;
  BOOST_TEST((reached == std::set{scene.home, elsewhere(5)}));
  scene.closed_at.clear();
  scene.attacker.answers.clear();
  scene.let_time_pass(10s);
  BOOST_TEST(scene.closed_at.contains(scene.home));
  const std::size_t repeated = scene.attacker.count<CloseFrame>();
  BOOST_TEST((repeated >= 3u && repeated <= 6u));  // three times, on two paths at most
  BOOST_TEST(scene.pair.server.endpoint.connection_count() == 0u);
}

// What a short packet from a new address allows is less than a long reason.
BOOST_AUTO_TEST_CASE(t21_a_reason_is_cut_to_what_the_limit_of_an_address_allows) {
  Scene scene;
  scene.victim().close(7, std::string(200, 'r'));
  scene.drain();
  scene.closed_at.clear();
  scene.send(frames(PingFrame{}), elsewhere(5));
  scene.drain();
  BOOST_TEST((scene.closed_at == std::set{scene.home, elsewhere(5)}));
  BOOST_TEST((scene.victim().stats().path_changes == 1));
  for (std::size_t i = 6; i < 60; ++i) scene.send(frames(PingFrame{}), elsewhere(i));
  BOOST_TEST((scene.victim().stats().path_changes == 4));
}

// Whoever leads a closing side about with copies of packets gets no more than from an open one, and the client hears
// each answer where it was.
BOOST_AUTO_TEST_CASE(t21_a_closing_side_answers_within_the_limit_of_each_address) {
  Scene scene;
  scene.victim().close(7, "bye");
  scene.drain();
  BOOST_TEST((scene.closed_at == std::set{scene.home}));
  scene.closed_at.clear();
  std::size_t answered = 0;
  for (std::size_t i = 1; i <= 64; ++i) {
    scene.send(frames(PingFrame{}), elsewhere(i));
    scene.drain();  // compares with the limit
    answered += scene.closed_at.contains(scene.home) ? 1 : 0;
    scene.closed_at.clear();
  }
  // Each of the first four; then the second after the last one, the fourth after that, and so on.
  BOOST_TEST(answered == 8u);
  // A probe from elsewhere leads nowhere, and neither does an old packet.
  const Bytes old = scene.attacker.session->seal(frames(PingFrame{}));
  scene.send(frames(PingFrame{}), scene.home);
  for (int i = 0; i < 300; ++i) scene.send(frames(PathChallengeFrame{data_number(1)}), elsewhere(100));
  scene.send_raw(old, elsewhere(101));
  scene.drain();
  BOOST_TEST(scene.out[elsewhere(100)] + scene.out[elsewhere(101)] == 0u);
}

// ---- t22

BOOST_AUTO_TEST_CASE(t22_rotating_ports_keep_no_state) {
  Scene scene;
  scene.fill();
  scene.drain();
  std::int64_t live = 0;
  for (std::size_t i = 0; i < 10'000; ++i) {
    scene.send(frames(PingFrame{}), elsewhere(i));
    scene.drain();
    if (i % 3 == 0) scene.acknowledge(elsewhere(i));
    scene.attacker.answers.clear();
    scene.challenges.clear();
    scene.in.clear();
    scene.out.clear();
    scene.retirements.clear();
    scene.pair.server_trace.sent.clear();
    scene.pair.now += 100us;
    if (i == 5'000) live = live_bytes();
  }
  BOOST_TEST(live_bytes() - live < 16 * 1024);
  BOOST_TEST(scene.alive());
  BOOST_TEST(scene.victim().stats().path_changes == 10'000u);
  // The client that comes to rest is served.
  scene.send(stream_frame(uni(0), 0, text("hello"), true), elsewhere(1));
  scene.drain();
  BOOST_TEST(scene.pair.server.app.bytes == 5u);
}

// ---- t04

BOOST_AUTO_TEST_CASE(t04_a_flood_of_challenges_is_answered_at_most_four_at_a_time) {
  Scene scene;
  scene.fill();
  scene.drain();  // the window is full, and nothing is acknowledged
  const std::int64_t live = live_bytes();
  for (std::uint64_t i = 0; i < 10'000; ++i) {
    scene.pair.server.receive(scene.pair.now, scene.attacker.session->seal(frames(PathChallengeFrame{data_number(i)})),
                              scene.home);
  }
  BOOST_TEST(live_bytes() - live <= 1024);
  scene.drain();
  BOOST_TEST(scene.responses[scene.home].size() == PathResponses::kMost);
  BOOST_TEST((scene.responses[scene.home].front() == data_number(9'999)));
  BOOST_TEST(scene.alive());
}

// Small questions without end, of which no answer is acknowledged, bring no more than a window and four answers.
BOOST_AUTO_TEST_CASE(t04_answers_that_are_not_acknowledged_end_with_the_window) {
  Scene scene;
  for (std::uint64_t i = 0; i < 10'000; ++i) {
    scene.send(frames(PathChallengeFrame{data_number(i)}), scene.home);
    scene.drain();
    scene.attacker.answers.clear();
    scene.pair.server_trace.sent.clear();
  }
  BOOST_TEST(scene.responses[scene.home].size() >= 10u);
  BOOST_TEST(scene.responses[scene.home].size() <= 10 + PathResponses::kMost + 1);
  BOOST_TEST(scene.alive());
}

// ---- t05, t06

BOOST_AUTO_TEST_CASE(t05_more_ids_than_announced_close_the_connection) {
  Scene scene;  // has given three, with that of the handshake all that the server takes
  scene.drain();
  BOOST_TEST(!scene.closed.has_value());
  scene.give_ids(1);
  scene.drain();
  BOOST_REQUIRE(scene.closed.has_value());
  BOOST_TEST((*scene.closed == TransportErrorCode::connection_id_limit_error));
}

BOOST_AUTO_TEST_CASE(t05_retirements_that_are_never_acknowledged_are_bounded) {
  Scene scene;
  const std::int64_t live = live_bytes();
  std::uint64_t n = scene.next_id;
  for (; n < 1000 && !scene.closed; ++n) {
    scene.send(frames(NewConnectionIdFrame{n, n, id_number(n)}), scene.home);
    scene.drain();
    scene.attacker.answers.clear();
    scene.pair.server_trace.sent.clear();
  }
  BOOST_REQUIRE(scene.closed.has_value());
  BOOST_TEST((*scene.closed == TransportErrorCode::connection_id_limit_error));
  BOOST_TEST(n < 2 * PeerIds::kMaxRetirements);
  BOOST_TEST(live_bytes() - live < 64 * 1024);
}

BOOST_AUTO_TEST_CASE(t06_rotation_without_end_costs_no_memory_and_no_connection) {
  Scene scene;
  std::int64_t live = 0;
  for (std::uint64_t n = scene.next_id; n < 5'000; ++n) {
    scene.send(frames(NewConnectionIdFrame{n, n, id_number(n)}), scene.home);
    scene.drain();
    scene.acknowledge(scene.home);
    scene.pair.now += 1ms;  // for the pacer
    scene.retirements.clear();
    scene.pair.server_trace.sent.clear();
    if (n == 1'000) live = live_bytes();
  }
  BOOST_TEST(scene.alive());
  BOOST_TEST((scene.victim().remote_id() == id_number(4'999)));
  BOOST_TEST(live_bytes() - live < 4096);
}

// Each id that the peer retires gets a successor, and the endpoint forgets it after a while.
BOOST_AUTO_TEST_CASE(t06_ids_that_the_peer_retires_are_replaced_and_forgotten) {
  Scene scene;
  std::map<std::uint64_t, ConnectionId> given;
  const ConnectionId first = scene.attacker.session->remote_id;
  for (std::uint64_t sequence = 0; sequence < 200; ++sequence) {
    // Under another id than the one that goes.
    scene.drain();
    for (const NewConnectionIdFrame& id : scene.ids) {
      // Frames are repeated; another id for the same number never comes.
      BOOST_TEST((given.try_emplace(id.sequence, id.id).first->second == id.id));
      scene.attacker.session->remote_id = given.rbegin()->second;
    }
    scene.ids.clear();
    scene.send(frames(RetireConnectionIdFrame{sequence}), scene.home);
    scene.acknowledge(scene.home);
    scene.let_time_pass(1s);
    BOOST_REQUIRE(scene.alive());
  }
  BOOST_TEST(given.size() >= 200u);
  scene.attacker.session->remote_id = first;
  const std::uint64_t unknown = scene.pair.server.dropped(DropReason::unknown_connection);
  scene.send(frames(PingFrame{}), scene.home);
  BOOST_TEST(scene.pair.server.dropped(DropReason::unknown_connection) == unknown + 1);
}

// As fast as the server issues them, in packets of several frames, by a peer whose probe timeout is long.
BOOST_AUTO_TEST_CASE(t06_many_retirements_keep_few_ids) {
  Scene scene(16'383ms);
  NewConnectionIdFrame newest;
  std::int64_t live = 0;
  std::uint64_t retired = 0;
  for (int round = 0; round < 2'000; ++round) {
    scene.drain();
    for (const NewConnectionIdFrame& id : scene.ids)
      if (id.sequence > newest.sequence) newest = id;
    scene.ids.clear();
    // All but the newest, which carries the packet.
    Bytes packet;
    scene.attacker.session->remote_id = newest.id;
    for (; retired < newest.sequence; ++retired) packet = packet + frames(RetireConnectionIdFrame{retired});
    if (!packet.empty()) scene.send(packet, scene.home);
    scene.acknowledge(scene.home);
    scene.pair.server_trace.sent.clear();
    scene.pair.now += 1ms;
    BOOST_REQUIRE(scene.alive());
    if (round == 200) live = live_bytes();
  }
  BOOST_TEST(retired > 4'000u);
  BOOST_TEST(live_bytes() - live < 4096);
}

BOOST_AUTO_TEST_CASE(t06_retiring_what_it_may_not_closes_the_connection) {
  for (const std::uint64_t sequence : {std::uint64_t{0}, std::uint64_t{LocalIds::kMost}, kMaxVarint}) {
    Scene scene;
    scene.send(frames(RetireConnectionIdFrame{sequence}), scene.home);
    scene.drain();
    BOOST_REQUIRE(scene.closed.has_value());
    BOOST_TEST((*scene.closed == TransportErrorCode::protocol_violation));
  }
}

BOOST_AUTO_TEST_SUITE_END()
