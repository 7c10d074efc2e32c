// Threats against packets that carry keys: t12, t20, t23, t24, t26, t27, t42, t46, t47, t51 and t55.
#include <boost/test/unit_test.hpp>

#include "connection/access.h"
#include "core/packet_header.h"
#include "support/allocation_counter.h"
#include "support/attacker.h"

using namespace mxp;
using namespace mxp::test;

BOOST_AUTO_TEST_SUITE(packets)

namespace {

StreamId uni(std::uint64_t index) { return StreamId::make(Role::client, StreamType::unidirectional, index); }
StreamId bidi(std::uint64_t index) { return StreamId::make(Role::client, StreamType::bidirectional, index); }
StreamId server_uni(std::uint64_t index) { return StreamId::make(Role::server, StreamType::unidirectional, index); }
StreamId server_bidi(std::uint64_t index) { return StreamId::make(Role::server, StreamType::bidirectional, index); }

struct Scene {
  explicit Scene(std::uint64_t seed = 1, DirectPair::Config config = {})
      : pair(std::move(config)), attacker(pair.server, pair.now, {.seed = seed}) {
    BOOST_REQUIRE(attacker.connect());
  }
  DirectPair pair;
  Attacker attacker;
};

// One frame of each type that the document defines, harmless in an established connection.
struct Sample {
  const char* name;
  Bytes bytes;
  bool is_close = false;
};
std::vector<Sample> samples() {
  return {
      {"PADDING", Bytes(3)},
      {"PING", frames(PingFrame{})},
      {"RESET_STREAM", frames(ResetStreamFrame{uni(0), 1, 0})},
      {"STOP_SENDING", frames(StopSendingFrame{bidi(0), 1})},
      {"STREAM", stream_frame(uni(1), 0, text("x"))},
      {"MAX_DATA", frames(MaxDataFrame{1 << 20})},
      {"MAX_STREAM_DATA", frames(MaxStreamDataFrame{bidi(1), 1 << 20})},
      {"MAX_STREAMS two-way", frames(MaxStreamsFrame{StreamType::bidirectional, 2000})},
      {"MAX_STREAMS one-way", frames(MaxStreamsFrame{StreamType::unidirectional, 2000})},
      {"DATA_BLOCKED", frames(DataBlockedFrame{5})},
      {"STREAM_DATA_BLOCKED", frames(StreamDataBlockedFrame{uni(2), 5})},
      {"STREAMS_BLOCKED two-way", frames(StreamsBlockedFrame{StreamType::bidirectional, 5})},
      {"STREAMS_BLOCKED one-way", frames(StreamsBlockedFrame{StreamType::unidirectional, 5})},
      {"ACK_FREQUENCY", frames(AckFrequencyFrame{0, 9, std::chrono::milliseconds(5), 1})},
      {"IMMEDIATE_ACK", frames(ImmediateAckFrame{})},
      {"DRAIN", frames(DrainFrame{DrainFrame::State::begins, std::chrono::seconds(30)})},
      {"CLOSE by the transport", frames(CloseFrame{false, 3, 8, text("x")}), true},
      {"CLOSE by the application", frames(CloseFrame{true, 3, 0, text("x")}), true},
  };
}

// Every type of one and two bytes that the document does not define or that needs an announcement, and some longer
// ones.
std::vector<Bytes> unknown_types() {
  std::vector<Bytes> types;
  for (std::uint64_t type = 0; type < 200; ++type) {
    const bool of_messages_and_drain = (type >= 0x32 && type <= 0x34) || (type >= 0x36 && type <= 0x3b);
    const bool known = type <= 0x03 || (type >= 0x05 && type <= 0x17) ||
                       (type >= 0x1c && type <= 0x1f && type != 0x1e) || of_messages_and_drain;
    if (!known) types.push_back(varint(type));
  }
  for (const std::uint64_t type : {std::uint64_t{16383}, std::uint64_t{16384}, std::uint64_t{1} << 30, kMaxVarint})
    types.push_back(varint(type));
  return types;
}

}  // namespace

BOOST_AUTO_TEST_CASE(t12_frames_inside_message_1) {
  DirectPair pair;
  std::uint64_t number = 0;
  const auto refusal = [&](const Bytes& frame) {
    Attacker attacker(pair.server, pair.now,
                      {.seed = 900 + number,
                       .address = SocketAddress::ipv4(172, 16, 1, 1, static_cast<std::uint16_t>(1000 + number))});
    ++number;
    Bytes payload = attacker.honest_payload();
    std::ranges::copy(frame, payload.end() - static_cast<std::ptrdiff_t>(frame.size()));
    const bool in = attacker.handshake(payload);
    BOOST_TEST(in == !attacker.handshake_close.has_value());
    return attacker.handshake_close;
  };
  std::uint64_t accepted = 0;
  for (const Sample& sample : samples()) {
    const auto close = refusal(sample.bytes);
    if (std::string_view(sample.name) == "PADDING") {
      BOOST_TEST(!close.has_value());
      ++accepted;
    } else {
      BOOST_REQUIRE(close.has_value());
      BOOST_TEST((close->transport_code() == TransportErrorCode::protocol_violation), sample.name);
    }
  }
  BOOST_TEST((refusal(raw_ack(0, 0))->transport_code() == TransportErrorCode::protocol_violation));
  for (const Bytes& type : {varint(0x04), varint(0x1e), varint(0x35), varint(0x3fff)})
    BOOST_TEST((refusal(type)->transport_code() == TransportErrorCode::unknown_frame));
  // Those that need an announcement stand in the table as well, and are not allowed here for that reason.
  for (const Bytes& bytes :
       {frames(AckFrequencyFrame{}), frames(ImmediateAckFrame{}), frames(NewConnectionIdFrame{}),
        frames(RetireConnectionIdFrame{}), frames(PathChallengeFrame{}), frames(PathResponseFrame{}),
        frames(DatagramFrame{}), frames(MessageFrame{}), frames(ExpiredFrame{}), frames(MaxMessagesFrame{}),
        frames(MessagesBlockedFrame{}), frames(MessagePartFrame{MessageFrame::Form::full, 0, 2000, 0, Bytes(1)}),
        frames(DrainFrame{}), frames(MessageFrame{MessageFrame::Form::full, 0, {}, OrderLink{}})})
    BOOST_TEST((refusal(bytes)->transport_code() == TransportErrorCode::protocol_violation));
  BOOST_TEST(pair.server.endpoint.connection_count() == accepted);
  BOOST_TEST(pair.server.app.events == 0u);
}

BOOST_AUTO_TEST_CASE(t12_frames_in_the_first_packet_and_later) {
  for (const bool confirmed : {false, true}) {
    for (const Sample& sample : samples()) {
      BOOST_TEST_CONTEXT(sample.name << (confirmed ? ", established" : ", first packet")) {
        DirectPair pair;
        Attacker attacker(pair.server, pair.now);
        BOOST_REQUIRE(confirmed ? attacker.connect() : attacker.handshake());
        attacker.ask(sample.bytes);
        BOOST_TEST(attacker.seen_close().has_value() == sample.is_close);  // and that answer blames nobody
        if (sample.is_close) BOOST_TEST((attacker.seen_close()->transport_code() == TransportErrorCode::no_error));
        BOOST_REQUIRE(pair.server.app.connected.size() == 1u);  // whatever it carries, it confirms the keys
        const ConnectionState expected = sample.is_close ? ConnectionState::draining : ConnectionState::established;
        BOOST_TEST((pair.server.app.connected[0]->state() == expected));
        BOOST_TEST(pair.server.app.closed.size() == (sample.is_close ? 1u : 0u));
      }
    }
    // An ACK before anything was sent names what does not exist.
    DirectPair pair;
    Attacker attacker(pair.server, pair.now);
    BOOST_REQUIRE(attacker.handshake());
    attacker.ask(raw_ack(0, 0));
    BOOST_REQUIRE(attacker.seen_close().has_value());
    BOOST_TEST((attacker.seen_close()->transport_code() == TransportErrorCode::protocol_violation));
  }
}

BOOST_AUTO_TEST_CASE(t12_unknown_frames_in_every_state) {
  for (const Bytes& type : unknown_types()) {
    for (const bool confirmed : {false, true}) {
      DirectPair pair;
      Attacker attacker(pair.server, pair.now);
      BOOST_REQUIRE(confirmed ? attacker.connect() : attacker.handshake());
      attacker.ask(type + Bytes(20));
      const auto close = attacker.seen_close();
      BOOST_REQUIRE(close.has_value());
      BOOST_TEST((close->transport_code() == TransportErrorCode::unknown_frame));
      BOOST_TEST(varint(close->frame_type) == type);
      // In closing it changes nothing any more, and neither does it in draining.
      const std::uint64_t events = pair.server.app.events;
      attacker.ask(type);
      attacker.ask(frames(CloseFrame{}));
      attacker.ask(type);
      BOOST_TEST(pair.server.app.events == events);
    }
  }
}

BOOST_AUTO_TEST_CASE(t12_frames_after_the_end) {
  for (const bool peer_closed : {false, true}) {
    for (const Sample& sample : samples()) {
      BOOST_TEST_CONTEXT(sample.name << (peer_closed ? ", draining" : ", closing")) {
        Scene scene;
        Connection& victim = scene.attacker.connection();
        if (peer_closed) scene.attacker.ask(frames(CloseFrame{}));
        else victim.close(5, ""), scene.attacker.collect();
        const std::uint64_t events = scene.pair.server.app.events;
        const std::size_t answers = scene.attacker.ask(sample.bytes);
        BOOST_TEST(answers == (peer_closed || sample.is_close ? 0u : 1u));
        BOOST_TEST((victim.state() ==
                    (peer_closed || sample.is_close ? ConnectionState::draining : ConnectionState::closing)));
        BOOST_TEST(scene.pair.server.app.events == events);
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(t12_frames_that_the_direction_of_a_stream_forbids) {
  using enum TransportErrorCode;
  const std::pair<Bytes, TransportErrorCode> cases[] = {
      // The victim's one-way streams only it may write.
      {stream_frame(server_uni(0), 0, text("x")), stream_state_error},
      {frames(ResetStreamFrame{server_uni(0), 1, 0}), stream_state_error},
      {frames(StreamDataBlockedFrame{server_uni(0), 1}), stream_state_error},
      // Ours it never writes.
      {frames(StopSendingFrame{uni(0), 1}), stream_state_error},
      {frames(MaxStreamDataFrame{uni(0), 1}), stream_state_error},
      // Streams that the victim has not opened.
      {stream_frame(server_bidi(0), 0, text("x")), stream_state_error},
      {frames(ResetStreamFrame{server_bidi(0), 1, 0}), stream_state_error},
      {frames(StopSendingFrame{server_bidi(0), 1}), stream_state_error},
      {frames(MaxStreamDataFrame{server_bidi(0), 1}), stream_state_error},
      {frames(StreamDataBlockedFrame{server_bidi(0), 1}), stream_state_error},
      {frames(StopSendingFrame{server_uni(0), 1}), stream_state_error},
      {frames(MaxStreamDataFrame{server_uni(0), 1}), stream_state_error},
  };
  for (const auto& [plaintext, code] : cases) {
    Scene scene;
    scene.attacker.ask(plaintext);
    BOOST_REQUIRE(scene.attacker.seen_close().has_value());
    BOOST_TEST((scene.attacker.seen_close()->transport_code() == code));
    BOOST_TEST(scene.pair.server.app.opened.empty());
  }
}

BOOST_AUTO_TEST_CASE(t12_packets_that_break_the_rules_of_packets) {
  {
    Scene scene;
    scene.attacker.ask({});
    // Padded by the sealer's minimum or not: a packet without frames is refused.
    BOOST_REQUIRE(scene.attacker.seen_close().has_value());
    BOOST_TEST((scene.attacker.seen_close()->transport_code() == TransportErrorCode::protocol_violation));
  }
  for (const std::uint8_t bit : {0x08, 0x10, 0x20}) {
    for (const bool confirmed : {false, true}) {
      DirectPair pair;
      Attacker attacker(pair.server, pair.now);
      BOOST_REQUIRE(confirmed ? attacker.connect() : attacker.handshake());
      attacker.send_raw(attacker.session->seal(frames(PingFrame{}), std::nullopt, bit));
      attacker.collect();
      BOOST_REQUIRE(attacker.seen_close().has_value());
      BOOST_TEST((attacker.seen_close()->transport_code() == TransportErrorCode::protocol_violation));
      // Unverified, the same bits are nothing but noise.
    }
    Scene scene;
    Bytes forged = scene.attacker.session->seal(frames(PingFrame{}), std::nullopt, bit);
    forged.back() ^= 1;
    scene.attacker.send_raw(forged);
    BOOST_TEST(scene.attacker.collect() == 0u);
    BOOST_TEST((scene.attacker.connection().state() == ConnectionState::established));
  }
}

BOOST_AUTO_TEST_CASE(t20_packets_from_elsewhere_move_nothing) {
  Scene scene;
  Connection& victim = scene.attacker.connection();
  const SocketAddress home = victim.remote_address();
  const Bytes authentic = scene.attacker.session->seal(stream_frame(uni(0), 0, text("x")));
  scene.attacker.send_raw(authentic, kStrangerAddress);
  SocketAddress other_port = home;
  ++other_port.port;
  scene.attacker.send_raw(authentic, other_port);
  BOOST_TEST(scene.attacker.collect() == 0u);
  BOOST_TEST((victim.remote_address() == home));
  BOOST_TEST(dropped(victim, DropReason::wrong_path) == 2u);
  BOOST_TEST(scene.pair.server.app.bytes == 0u);
  // It was not taken for seen either.
  scene.attacker.send_raw(authentic);
  BOOST_TEST(scene.pair.server.app.bytes == 1u);
}

BOOST_AUTO_TEST_CASE(t23_no_number_is_used_twice) {
  DirectPair pair;
  SeededRandom chance(23);
  pair.client.app.keep_data = pair.server.app.keep_data = false;
  Connection* client = pair.establish();
  Connection* server = pair.server_connection();
  pair.lose = [&](Role, ByteView) { return chance.below(10) == 0; };
  const auto send = [](Recorder& app, Connection& side) {
    app.send(side, *side.open_stream(StreamType::unidirectional), Bytes(1'000'000), Recorder::Then::finishes);
  };
  send(pair.client.app, *client);
  send(pair.server.app, *server);
  for (int i = 0; i < 4000 && (pair.server.app.bytes < 1'000'000 || pair.client.app.bytes < 1'000'000); ++i)
    pair.advance(5ms);
  BOOST_TEST(pair.server.app.bytes == 1'000'000u);
  BOOST_TEST(pair.client.app.bytes == 1'000'000u);
  client->close(1, "");
  server->close(1, "");
  pair.advance(5s);
  for (const TraceRecorder* trace : {&pair.client_trace, &pair.server_trace}) {
    BOOST_TEST(trace->sent.size() > 150u);
    std::optional<PacketNumber> last;
    for (const auto& [connection, number] : trace->sent) {
      if (last) BOOST_REQUIRE((number > *last));
      last = number;
    }
  }
}

BOOST_AUTO_TEST_CASE(t24_garbage_between_packets_changes_nothing) {
  Scene scene;
  SeededRandom random(24);
  Connection& victim = scene.attacker.connection();
  std::uint64_t garbage = 0;
  for (std::uint64_t i = 0; i < 300; ++i) {
    const Bytes packet = scene.attacker.session->seal(stream_frame(uni(0), i, text("x")));
    // Before the genuine one: itself with one bit flipped anywhere behind the id, cut, lengthened, and pure noise with
    // a true header.
    for (int k = 0; k < 4; ++k) {
      Bytes changed = packet;
      switch (k) {
        case 0: changed[9 + random.below(packet.size() - 9)] ^= static_cast<std::uint8_t>(1u << random.below(8)); break;
        case 1: changed.resize(kMinShortPacket); break;
        case 2: changed.push_back(0); break;
        case 3: random.fill(MutableBytes(changed).subspan(9)); break;
      }
      if (changed == packet) continue;
      scene.attacker.send_raw(changed);
      ++garbage;
    }
    scene.attacker.send_raw(packet);
    scene.attacker.collect();
  }
  BOOST_TEST(scene.pair.server.app.bytes == 300u);
  BOOST_TEST(dropped(victim, DropReason::authentication_failed) + dropped(victim, DropReason::malformed_header) ==
             garbage);
  BOOST_TEST(dropped(victim, DropReason::duplicate_packet) == 0u);
  BOOST_TEST((victim.state() == ConnectionState::established));
}

// The victim has sent something, so that an update may be begun.
void be_acknowledged(Scene& scene) {
  scene.pair.now += 30ms;
  BOOST_REQUIRE(scene.attacker.run_due());
  BOOST_REQUIRE(scene.attacker.count<AckFrame>() > 0u);
}

bool closed_by_key_update_error(const Scene& scene) {
  const auto close = scene.attacker.seen_close();
  return close && close->transport_code() == TransportErrorCode::key_update_error;
}

// An update is answered in kind; what is sent under the old keys meanwhile still opens.
BOOST_AUTO_TEST_CASE(t26_a_peers_update_turns_both_directions) {
  Scene scene;
  be_acknowledged(scene);
  RogueSession& session = *scene.attacker.session;
  const Bytes late = session.seal(stream_frame(uni(0), 0, text("a")));
  session.update_keys();
  scene.attacker.ask(stream_frame(uni(0), 1, text("b")));
  scene.attacker.send_raw(late);
  scene.pair.now += 30ms;
  scene.attacker.run_due();
  BOOST_TEST(session.receiving_phase() == 1u);
  BOOST_TEST(scene.pair.server.app.bytes == 2u);
  BOOST_TEST(scene.attacker.connection().stats().key_updates == 1u);
  BOOST_TEST(!scene.attacker.seen_close().has_value());
  // The key log has each phase once.
  const auto& secrets = scene.pair.server_trace.secrets;
  BOOST_REQUIRE(secrets.size() == 2u);
  BOOST_TEST(secrets[0].phase == 0u);
  BOOST_TEST(secrets[1].phase == 1u);
  BOOST_TEST((secrets[0].client_to_server != secrets[1].client_to_server));
}

BOOST_AUTO_TEST_CASE(t26_key_update_storm) {
  // An update as soon as the last one is acknowledged: eight are followed, and no more.
  Scene storm;
  be_acknowledged(storm);
  for (int i = 0; i < 20; ++i) {
    storm.attacker.session->update_keys();
    storm.attacker.ask(frames(PingFrame{}));
    storm.attacker.ask(frames(PingFrame{}));  // the second one is acknowledged at once
    storm.pair.now += 1ms;
    storm.attacker.run_due();
  }
  BOOST_TEST(closed_by_key_update_error(storm));
  BOOST_TEST(storm.attacker.session->receiving_phase() == 8u);
  // Patient enough not to be caught, a peer makes us turn no more often than the distance allows.
  Scene patient;
  be_acknowledged(patient);
  constexpr int kMilliseconds = 1000;
  for (int i = 0; i < kMilliseconds; ++i) {
    if (i % 52 == 0) patient.attacker.session->update_keys();
    patient.attacker.ask(frames(PingFrame{}));
    patient.attacker.acknowledge();
    patient.pair.now += 1ms;
    patient.attacker.run_due();
  }
  BOOST_TEST(!patient.attacker.seen_close().has_value());
  BOOST_TEST(patient.attacker.connection().stats().key_updates == 1000u / 52u + 1u);
}

// Closing, the victim still opens packets and so still turns: by the same rule, and then it listens no more.
BOOST_AUTO_TEST_CASE(t26_key_update_storm_while_closing) {
  Scene scene;
  be_acknowledged(scene);
  Connection& victim = scene.attacker.connection();
  victim.close(1, "");
  scene.attacker.collect();
  BOOST_REQUIRE((victim.state() == ConnectionState::closing));
  const Duration probe_timeout = scene.pair.server.endpoint.next_timeout() - scene.pair.now;  // the first repetition
  for (int i = 0; i < 30; ++i) {
    scene.attacker.session->update_keys();
    scene.attacker.ask(frames(PingFrame{}));
  }
  BOOST_TEST(victim.stats().key_updates <= 8u);
  BOOST_TEST((victim.state() == ConnectionState::draining));
  BOOST_TEST((scene.pair.server.endpoint.next_timeout() == scene.pair.now + 3 * probe_timeout));
  // A rule-abiding peer is followed: its packets, and a CLOSE among them, are opened under its new keys.
  Scene honest;
  be_acknowledged(honest);
  Connection& other = honest.attacker.connection();
  other.close(1, "");
  honest.attacker.collect();
  honest.attacker.session->update_keys();
  honest.attacker.ask(frames(PingFrame{}));
  BOOST_TEST((other.state() == ConnectionState::closing));
  BOOST_TEST(other.stats().key_updates == 1u);
  BOOST_TEST(honest.pair.server_trace.secrets.back().phase == 1u);  // its answers go under them (docs/protocol.md §8)
}

// All of it comes before the victim can send anything: what follows the offence is not even opened.
BOOST_AUTO_TEST_CASE(t26_key_update_storm_in_one_burst) {
  Scene scene;
  be_acknowledged(scene);
  for (int i = 0; i < 30; ++i) {
    scene.attacker.session->update_keys();
    scene.attacker.send(frames(PingFrame{}));
  }
  Connection& victim = scene.attacker.connection();
  BOOST_TEST((victim.state() == ConnectionState::draining));
  BOOST_TEST(dropped(victim, DropReason::unexpected_in_state) >= 20u);
  BOOST_TEST(scene.attacker.collect() == 1u);
  BOOST_TEST(closed_by_key_update_error(scene));
  scene.pair.advance(10s);
  BOOST_TEST(scene.pair.server.endpoint.connection_count() == 0u);
}

BOOST_AUTO_TEST_CASE(t26_an_update_that_cannot_have_been_confirmed) {
  Scene scene;
  be_acknowledged(scene);
  scene.attacker.session->update_keys();
  scene.attacker.send(raw_ack(0, 0));  // turns the victim, and gives it nothing to acknowledge
  scene.pair.now += 1s;
  scene.attacker.session->update_keys();
  scene.attacker.ask(frames(PingFrame{}));
  BOOST_TEST(closed_by_key_update_error(scene));
}

BOOST_AUTO_TEST_CASE(t26_a_peer_that_sees_the_new_keys_and_keeps_the_old_ones) {
  DirectPair::Config config;
  config.server.transport.key_update.packets = 1;
  Scene scene(1, std::move(config));
  scene.attacker.session->follows_updates = false;
  Connection& victim = scene.attacker.connection();
  const StreamId id = *victim.open_stream(StreamType::unidirectional);
  for (int i = 0; i < 100 && victim.stats().key_updates == 0; ++i) {
    (void)victim.write(id, text("x"));
    scene.attacker.run_due();
    scene.attacker.acknowledge();
    scene.pair.now += 20ms;
  }
  BOOST_REQUIRE(victim.stats().key_updates == 1u);
  BOOST_REQUIRE(!scene.attacker.seen_close().has_value());
  scene.attacker.run_due();
  scene.attacker.acknowledge();
  scene.attacker.collect();
  BOOST_TEST(closed_by_key_update_error(scene));
}

BOOST_AUTO_TEST_CASE(t26_numbers_grow_with_the_phases) {
  Scene scene;
  be_acknowledged(scene);
  const std::uint64_t skipped = scene.attacker.session->next_number++;
  scene.attacker.ask(frames(PingFrame{}));
  scene.attacker.session->update_keys();
  scene.attacker.send_raw(scene.attacker.session->seal(frames(PingFrame{}), skipped));
  scene.attacker.collect();
  BOOST_TEST(closed_by_key_update_error(scene));
  // The same when the phase has turned already.
  Scene later;
  be_acknowledged(later);
  const std::uint64_t missing = later.attacker.session->next_number++;
  later.attacker.ask(frames(PingFrame{}));
  later.attacker.session->update_keys();
  later.attacker.ask(frames(PingFrame{}));
  BOOST_REQUIRE(!closed_by_key_update_error(later));
  // Reserved bits are looked at after the phase.
  later.attacker.send_raw(later.attacker.session->seal(frames(PingFrame{}), missing, 0x08));
  later.attacker.collect();
  BOOST_TEST(closed_by_key_update_error(later));
}

// Forged packets of either phase bit cost one opening each and turn nothing.
BOOST_AUTO_TEST_CASE(t26_flipped_phase_bits) {
  Scene scene;
  for (std::uint64_t i = 0; i < 100; ++i) {
    const Bytes packet = scene.attacker.session->seal(stream_frame(uni(0), i, text("x")));
    Bytes flipped = packet;
    flipped[0] ^= packet_bits::kKeyPhase;
    scene.attacker.send_raw(flipped);
    scene.attacker.send_raw(packet);
    scene.attacker.collect();
  }
  Connection& victim = scene.attacker.connection();
  BOOST_TEST(scene.pair.server.app.bytes == 100u);
  BOOST_TEST(dropped(victim, DropReason::authentication_failed) == 100u);
  BOOST_TEST(victim.stats().key_updates == 0u);
}

BOOST_AUTO_TEST_CASE(t27_seal_limit) {
  Scene scene;
  Parts& parts = ConnectionAccess::parts(scene.attacker.connection());
  BOOST_REQUIRE(scene.pair.server_trace.secrets.size() == 1u);
  const auto secret = [](const Bytes& bytes) {
    return TrafficSecret(std::span<const std::uint8_t, 32>(bytes.data(), 32));
  };
  const auto& secrets = scene.pair.server_trace.secrets[0];
  parts.keys.emplace(PacketKeysInUse{
      PacketSealer(parts.suite, secret(secrets.server_to_client), {.max_sealed = 50, .max_failed_opens = 1000}),
      PacketOpener(parts.suite, secret(secrets.client_to_server))});
  const std::size_t before = scene.attacker.answers.size();
  const StreamId id = *scene.attacker.connection().open_stream(StreamType::unidirectional);
  scene.pair.server.app.send(scene.attacker.connection(), id, Bytes(1 << 20));
  for (int i = 0; i < 200; ++i) {
    scene.pair.now += 1ms;
    scene.attacker.wake();
    // One datagram at a time, so that the limit is met by a run that sends nothing.
    if (scene.attacker.collect({.max_segments = 1}) != 0) scene.attacker.acknowledge();
    // The server tells why at once, without being woken by anything more of the client's.
    BOOST_REQUIRE(parts.lifecycle.ending.has_value() == scene.attacker.seen_close().has_value());
    if (parts.lifecycle.ending) break;
  }
  // Data stop sixteen packets short of what the key may protect, so that the peer can be told.
  BOOST_TEST(scene.attacker.answers.size() - before <= 50u);
  BOOST_TEST(scene.attacker.answers.size() - before > 34u);
  BOOST_REQUIRE(scene.attacker.seen_close().has_value());
  BOOST_TEST((scene.attacker.seen_close()->transport_code() == TransportErrorCode::aead_limit_reached));
  BOOST_REQUIRE(scene.pair.server.app.closed.size() == 1u);
  BOOST_TEST((scene.pair.server.app.closed[0].by == CloseInfo::By::local));
  BOOST_TEST((scene.pair.server.app.closed[0].transport_code() == TransportErrorCode::aead_limit_reached));
}

BOOST_AUTO_TEST_CASE(t27_failed_opens_limit) {
  Scene scene;
  Parts& parts = ConnectionAccess::parts(scene.attacker.connection());
  const auto secret = [](const Bytes& bytes) {
    return TrafficSecret(std::span<const std::uint8_t, 32>(bytes.data(), 32));
  };
  const auto& secrets = scene.pair.server_trace.secrets.at(0);
  parts.keys.emplace(PacketKeysInUse{
      PacketSealer(parts.suite, secret(secrets.server_to_client)),
      PacketOpener(parts.suite, secret(secrets.client_to_server), {.max_sealed = 1000, .max_failed_opens = 100})});
  for (int i = 0; i < 100; ++i) {
    BOOST_REQUIRE(!scene.attacker.seen_close().has_value());
    Bytes forged = scene.attacker.session->seal(frames(PingFrame{}));
    forged.back() ^= 1;
    scene.attacker.send_raw(forged);
    scene.attacker.collect();
  }
  BOOST_REQUIRE(scene.attacker.seen_close().has_value());
  BOOST_TEST((scene.attacker.seen_close()->transport_code() == TransportErrorCode::aead_limit_reached));
}

BOOST_AUTO_TEST_CASE(t42_time_that_steps_back_freezes_or_jumps) {
  // The clock of the driver does what it likes; the bytes arrive, nothing spins, and what is measured stays sane.
  DirectPair pair;
  pair.server.app.keep_data = false;
  Connection* client = pair.establish();
  const StreamId id = *client->open_stream(StreamType::unidirectional);
  pair.client.app.send(*client, id, Bytes(2'000'000));
  SeededRandom random(42);
  for (int i = 0; i < 5000 && pair.server.app.bytes < 2'000'000; ++i) {
    switch (random.below(4)) {
      case 0: pair.now -= 1s; break;
      case 1: break;
      case 2: pair.now += 1001ms; break;
      case 3: pair.now += 3ms; break;
    }
    BOOST_REQUIRE(pair.exchange());
  }
  BOOST_TEST(pair.server.app.bytes == 2'000'000u);
  BOOST_TEST((client->state() == ConnectionState::established));
  for (const Connection* side :
       {static_cast<const Connection*>(client), static_cast<const Connection*>(pair.server_connection())}) {
    BOOST_TEST((side->stats().latest_rtt >= 0ns));
    BOOST_TEST((side->stats().smoothed_rtt >= 0ns && side->stats().smoothed_rtt < 10s));
    BOOST_TEST((side->stats().min_rtt >= 0ns));
  }
  // A machine that slept for a day finds the connection timed out, not lost in arithmetic.
  pair.now += 24h;
  BOOST_REQUIRE(pair.exchange());
  BOOST_TEST(pair.client.app.closed.size() == 1u);
  BOOST_TEST((pair.client.app.closed[0].transport_code() == TransportErrorCode::idle_timeout));
  // And a clock that is set back afterwards does not stop the next one.
  pair.now -= 48h;
  Connection* again = pair.establish();
  BOOST_TEST((again->state() == ConnectionState::established));
  BOOST_TEST((pair.server_connection()->state() == ConnectionState::established));
}

BOOST_AUTO_TEST_CASE(t46_own_packets_sent_back) {
  DirectPair pair;
  std::vector<std::pair<Role, Bytes>> wire;
  pair.lose = [&](Role sender, ByteView datagram) {
    wire.emplace_back(sender, copy_of(datagram));
    return false;
  };
  Connection* client = pair.establish();
  const StreamId id = *client->open_stream(StreamType::bidirectional);
  (void)client->write(id, text("question"));
  pair.exchange();
  (void)pair.server_connection()->write(id, text("answer"));
  pair.exchange();
  pair.lose = nullptr;
  const std::uint64_t events[2] = {pair.client.app.events, pair.server.app.events};
  for (const auto& [sender, datagram] : wire) {
    // To its own sender, from the peer's address; once as it is, once with the other direction's id.
    Host& host = sender == Role::client ? pair.client : pair.server;
    const SocketAddress& peer = sender == Role::client ? kServerAddress : kClientAddress;
    host.receive(pair.now, datagram, peer);
    if ((datagram[0] & packet_bits::kForm) != 0) continue;
    Bytes redirected = datagram;
    const Connection& own = sender == Role::client ? *client : *pair.server_connection();
    std::ranges::copy(own.local_id().bytes(), redirected.begin() + 1);
    host.receive(pair.now, redirected, peer);
  }
  BOOST_TEST(wire.size() >= 5u);
  BOOST_TEST(pair.client.app.events == events[0]);
  BOOST_TEST(pair.server.app.events == events[1]);
  BOOST_TEST(dropped(*client, DropReason::authentication_failed) >= 2u);
  BOOST_TEST(dropped(*pair.server_connection(), DropReason::authentication_failed) >= 1u);
  BOOST_TEST((client->state() == ConnectionState::established));
}

BOOST_AUTO_TEST_CASE(t46_packets_of_one_connection_in_another) {
  DirectPair pair;
  Attacker first(pair.server, pair.now, {.seed = 1});
  Attacker second(pair.server, pair.now, {.seed = 2});  // the same address: only the keys tell them apart
  BOOST_REQUIRE(first.connect());
  BOOST_REQUIRE(second.connect());
  const ConnectionId id_of_first = first.session->remote_id;
  Bytes packet = first.session->seal(stream_frame(uni(0), 0, text("x")));
  std::ranges::copy(second.session->remote_id.bytes(), packet.begin() + 1);
  first.send_raw(packet);
  // Sealed for the other id from the start: still the wrong keys.
  first.session->remote_id = second.session->remote_id;
  first.send(stream_frame(uni(0), 0, text("x")));
  BOOST_TEST(dropped(second.connection(), DropReason::authentication_failed) == 2u);
  BOOST_TEST(pair.server.app.bytes == 0u);
  first.session->remote_id = id_of_first;
  first.send(stream_frame(uni(0), 0, text("x")));
  BOOST_TEST(pair.server.app.bytes == 1u);
}

BOOST_AUTO_TEST_CASE(t47_duplicates_and_old_numbers) {
  Scene scene;
  SeededRandom random(47);
  Connection& victim = scene.attacker.connection();
  std::vector<Bytes> packets;
  for (std::uint64_t i = 0; i < 3000; ++i) packets.push_back(scene.attacker.session->seal(frames(PingFrame{}), 1 + i));
  // In disorder within a few hundred, each one to four times; the set is the oracle.
  std::vector<std::pair<std::uint64_t, std::size_t>> order;
  for (std::size_t i = 0; i < packets.size(); ++i)
    for (std::uint64_t copies = 1 + random.below(4); copies > 0; --copies) order.emplace_back(i + random.below(400), i);
  std::ranges::sort(order);
  std::set<std::size_t> seen;
  const std::uint64_t before = victim.stats().packets_received;
  std::uint64_t duplicates = 0;
  for (const auto& [when, index] : order) {
    scene.attacker.send_raw(packets[index]);
    duplicates += seen.insert(index).second ? 0 : 1;
  }
  scene.attacker.collect();
  BOOST_TEST(victim.stats().packets_received - before == seen.size());
  BOOST_TEST(seen.size() == packets.size());
  BOOST_TEST(dropped(victim, DropReason::duplicate_packet) + dropped(victim, DropReason::replay_window_passed) ==
             duplicates);
  // Long after: refused whether it was seen or not.
  scene.attacker.send_raw(scene.attacker.session->seal(frames(PingFrame{}), 200'000));
  const std::uint64_t received = victim.stats().packets_received;
  for (const Bytes& packet : packets) scene.attacker.send_raw(packet);
  BOOST_TEST(victim.stats().packets_received == received);
}

BOOST_AUTO_TEST_CASE(t51_all_bytes_in_a_reason) {
  Bytes all(256);
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = static_cast<std::uint8_t>(i);
  const auto harmless = [](const std::string& shown) {
    return shown.size() <= 256 && std::ranges::all_of(shown, [](char c) { return c >= 0x20 && c < 0x7f; });
  };
  // One byte at a time, so that the cut does not hide the later ones, and all together.
  std::vector<Bytes> reasons = {all, Bytes(all.rbegin(), all.rend())};
  for (const std::uint8_t byte : all) reasons.push_back({'<', byte, '>'});
  for (const Bytes& reason : reasons) {
    for (const bool application : {false, true}) {
      Scene scene;
      scene.attacker.ask(frames(CloseFrame{application, 1, 0, reason}));
      BOOST_REQUIRE(scene.pair.server.app.closed.size() == 1u);
      BOOST_TEST(harmless(scene.pair.server.app.closed[0].reason));
      if (reason.size() == 3) BOOST_TEST(scene.pair.server.app.closed[0].reason.ends_with(">"));
    }
  }
  // From a server that refuses, inside message 2.
  DirectPair pair;
  Bytes message_1;
  pair.connect();
  pair.client.poll(pair.now, [&](const SocketAddress&, ByteView datagram) { message_1 = copy_of(datagram); });
  SeededRandom random(51);
  const auto response = rogue_message_2(message_1, default_server().identity,
                                        server_payload(std::nullopt, {}, CloseFrame{false, 2, 0, all}), random);
  BOOST_REQUIRE(response.has_value());
  pair.client.receive(pair.now, response->datagram, kServerAddress);
  pair.exchange();
  BOOST_REQUIRE(pair.client.app.closed.size() == 1u);
  BOOST_TEST(harmless(pair.client.app.closed[0].reason));
  BOOST_TEST(pair.client.app.closed[0].reason.starts_with("\\x00\\x01"));
}

BOOST_AUTO_TEST_CASE(t55_close_storm) {
  Scene scene;
  scene.attacker.connection().close(1, "enough");
  scene.attacker.collect();
  const std::uint64_t closes = scene.attacker.datagrams_received;
  const std::uint64_t bytes = scene.attacker.bytes_received;
  const std::int64_t live = live_bytes();
  std::uint64_t sent_bytes = 0;
  const Bytes ping = frames(PingFrame{});
  for (int i = 0; i < 100'000; ++i) {
    const Bytes packet = scene.attacker.session->seal(ping);
    sent_bytes += packet.size();
    scene.attacker.send_raw(packet);
    if (scene.attacker.collect() != 0) scene.attacker.answers.clear();
  }
  BOOST_TEST(scene.attacker.datagrams_received - closes <= 20u);
  BOOST_TEST(scene.attacker.datagrams_received - closes >= 10u);  // a lost CLOSE is said again
  BOOST_TEST(scene.attacker.bytes_received - bytes < sent_bytes);
  BOOST_TEST(live_bytes() - live < 16 * 1024);
  BOOST_TEST(scene.pair.server.app.closed.size() == 1u);
}

BOOST_AUTO_TEST_CASE(t55_close_against_close_dies_out) {
  // Two sides that both closed and each hear nothing but the other's CLOSE.
  DirectPair pair;
  Connection* client = pair.establish();
  client->close(1, "");
  pair.server_connection()->close(2, "");
  const std::uint64_t before = pair.datagrams[0] + pair.datagrams[1];
  pair.advance(60s);
  BOOST_TEST(pair.datagrams[0] + pair.datagrams[1] - before <= 4u);
  BOOST_TEST(pair.client.endpoint.connection_count() + pair.server.endpoint.connection_count() == 0u);
}

BOOST_AUTO_TEST_SUITE_END()
