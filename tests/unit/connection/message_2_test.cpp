// Each rule of docs/protocol.md §2 for a client that reads a message 2: what is dropped, what ends the attempt, what
// does neither.
#include <boost/test/unit_test.hpp>

#include "core/packet_header.h"
#include "support/attacker.h"
#include "support/host.h"

using namespace mxp;
using namespace mxp::test;

namespace {

const ConnectionId kServerId({1, 2, 3, 4, 5, 6, 7, 8});

// A client that has sent its message 1 and hears nothing but what the test gives it.
struct WaitingClient {
  DirectPair pair;
  SeededRandom random{9};
  Bytes message_1;
  std::uint64_t sent_after_message_1 = 0;

  WaitingClient() {
    pair.connect();
    pair.client.poll(pair.now, [&](const SocketAddress&, ByteView datagram) { message_1 = copy_of(datagram); });
  }
  Bytes answer(const Bytes& payload = server_payload(kServerId), std::size_t size = kMinInitialSize) {
    const auto response = rogue_message_2(message_1, default_server().identity, payload, random, size);
    BOOST_REQUIRE(response.has_value());
    return response->datagram;
  }
  void hear(ByteView datagram) {
    pair.client.receive(pair.now, datagram, kServerAddress);
    sent_after_message_1 += pair.client.poll(pair.now, [](const SocketAddress&, ByteView) {});
  }
  bool heard_nothing() const { return pair.client.app.events == 0 && sent_after_message_1 == 0; }
  std::size_t connected() const { return pair.client.app.connected.size(); }
  const std::vector<CloseInfo>& closed() const { return pair.client.app.closed; }
};

// A server with a connection whose client keeps no rules.
struct ConnectedAttacker {
  DirectPair pair;
  Attacker attacker{pair.server, pair.now};

  ConnectedAttacker() { BOOST_REQUIRE(attacker.connect()); }
  const std::vector<CloseInfo>& closed() const { return pair.server.app.closed; }
};

Bytes refusal(TransportErrorCode code, std::string_view reason, std::optional<ConnectionId> id = std::nullopt) {
  CloseFrame close;
  close.code = static_cast<std::uint64_t>(code);
  close.reason = text(reason);
  return server_payload(id, {}, close);
}

// The place of the first PADDING behind the last byte that is not: where more frames may be put.
std::size_t end_of_frames(const Bytes& payload) {
  return static_cast<std::size_t>(
      payload.rend() - std::find_if(payload.rbegin(), payload.rend(), [](std::uint8_t byte) { return byte != 0; }));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(message_2)

// The clear header is not part of the Noise hash: only the client's comparison protects it.
BOOST_AUTO_TEST_CASE(a_header_that_is_not_the_clients_own_is_dropped_and_the_genuine_answer_still_taken) {
  WaitingClient client;
  const Bytes genuine = client.answer();
  for (std::size_t at = 0; at < kHandshakeHeaderSize; ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      Bytes changed = genuine;
      changed[at] ^= static_cast<std::uint8_t>(1 << bit);
      client.hear(changed);
      BOOST_TEST(client.heard_nothing(), "byte " << at << " bit " << bit);
    }
  }
  // The suite, which is the client's other one here.
  Bytes other_suite = genuine;
  other_suite[5] = static_cast<std::uint8_t>(Suite::chacha20_poly1305);
  client.hear(other_suite);
  BOOST_TEST(client.heard_nothing());
  client.hear(genuine);
  BOOST_TEST(client.connected() == 1u);
}

BOOST_AUTO_TEST_CASE(an_answer_outside_1200_to_1500_bytes_is_dropped_although_it_verifies) {
  for (const std::size_t size : {std::size_t{400}, kMinInitialSize - 1, kMaxInitialSize + 1, std::size_t{4000}}) {
    WaitingClient client;
    const Bytes payload = server_payload(kServerId);
    client.hear(client.answer(payload, size));
    BOOST_TEST(client.heard_nothing(), "size " << size);
    BOOST_TEST(client.pair.client.endpoint.connection_count() == 1u);
    client.hear(client.answer());
    BOOST_TEST(client.connected() == 1u);
  }
  for (const std::size_t size : {kMinInitialSize, kMaxInitialSize}) {
    WaitingClient client;
    client.hear(client.answer(server_payload(kServerId), size));
    BOOST_TEST(client.connected() == 1u, "size " << size);
  }
}

BOOST_AUTO_TEST_CASE(after_a_refusal_the_client_sends_nothing_and_hears_nothing_more) {
  WaitingClient client;
  client.hear(client.answer(refusal(TransportErrorCode::not_authorized, "no")));
  BOOST_REQUIRE(client.closed().size() == 1u);
  BOOST_TEST((client.closed()[0].transport_code() == TransportErrorCode::not_authorized));
  BOOST_TEST(client.closed()[0].reason == "no");
  // A second answer to the same message 1 would let it in: too late.
  client.hear(client.answer());
  for (int i = 0; i < 40; ++i) {
    client.pair.now += 500ms;
    if (client.pair.client.endpoint.next_timeout() <= client.pair.now)
      client.pair.client.endpoint.on_timeout(client.pair.now);
    client.hear(client.answer());
  }
  BOOST_TEST(client.sent_after_message_1 == 0u);
  BOOST_TEST(client.connected() == 0u);
  BOOST_TEST(client.closed().size() == 1u);
  BOOST_TEST(client.pair.client.endpoint.connection_count() == 0u);
}

BOOST_AUTO_TEST_CASE(a_close_refuses_whatever_else_the_payload_holds) {
  // With a connection id, which an honest server leaves out; and with frames behind it, which are not looked at.
  const Bytes with_id = refusal(TransportErrorCode::connection_refused, "full", kServerId);
  Bytes with_more = refusal(TransportErrorCode::connection_refused, "full");
  const std::size_t behind = end_of_frames(with_more);
  for (const std::uint8_t type : {0x01, 0x30, 0x06}) {  // PING, a reserved one, a RESET_STREAM that is cut off
    with_more[behind] = type;
    for (const Bytes& payload : {with_id, with_more}) {
      WaitingClient client;
      client.hear(client.answer(payload));
      BOOST_REQUIRE(client.closed().size() == 1u);
      BOOST_TEST((client.closed()[0].by == CloseInfo::By::peer));
      BOOST_TEST((client.closed()[0].transport_code() == TransportErrorCode::connection_refused));
      BOOST_TEST(client.sent_after_message_1 == 0u);
    }
  }
}

BOOST_AUTO_TEST_CASE(frames_that_have_no_place_there_are_named_by_their_fault) {
  struct Case {
    Bytes frame;
    TransportErrorCode code;
  };
  const Case cases[] = {
      {{0x01}, TransportErrorCode::protocol_violation},                            // PING: known, not allowed
      {{0x0a, 0x00, 0x00}, TransportErrorCode::protocol_violation},                // STREAM
      {{0x35}, TransportErrorCode::unknown_frame},                                 // reserved
      {{0x40, 0x01}, TransportErrorCode::frame_encoding_error},                    // PING in two bytes
      {{0x1c, 0x00, 0x00, 0x41, 0x01}, TransportErrorCode::frame_encoding_error},  // CLOSE with a reason of 257 bytes
  };
  for (const Case& each : cases) {
    WaitingClient client;
    Bytes payload = server_payload(kServerId);
    // Behind PADDING, so that its place does not matter.
    std::ranges::copy(each.frame, payload.begin() + static_cast<std::ptrdiff_t>(end_of_frames(payload) + 20));
    client.hear(client.answer(payload));
    BOOST_REQUIRE(client.closed().size() == 1u);
    BOOST_TEST((client.closed()[0].by == CloseInfo::By::local));
    BOOST_TEST((client.closed()[0].transport_code() == each.code));
    BOOST_TEST(client.connected() == 0u);
    BOOST_TEST(client.sent_after_message_1 == 0u);  // there is no id to tell the server so
  }
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(what_follows_a_close)

BOOST_AUTO_TEST_CASE(frames_behind_a_close_in_its_packet_are_not_looked_at) {
  const Bytes behind[] = {stream_frame(StreamId::make(Role::client, StreamType::unidirectional, 0), 0, text("late")),
                          Bytes{0x30}, Bytes{0x06}, frames(PingFrame{})};
  for (const Bytes& frame : behind) {
    ConnectedAttacker peer;
    CloseFrame close;
    close.application = true;
    close.code = 5;
    const std::size_t answers = peer.attacker.ask(frames(close, frame));
    BOOST_TEST(answers == 1u);  // the CLOSE in reply
    BOOST_REQUIRE(peer.closed().size() == 1u);
    BOOST_TEST((peer.closed()[0].by == CloseInfo::By::peer));
    BOOST_TEST(peer.closed()[0].code == 5u);
    BOOST_TEST(peer.pair.server.app.opened.empty());
  }
}

BOOST_AUTO_TEST_CASE(the_same_close_said_again_has_a_new_number) {
  ConnectedAttacker peer;
  peer.attacker.connection().close(9, "over");
  peer.attacker.collect();
  for (int i = 0; i < 10; ++i) peer.attacker.ask(frames(PingFrame{}));
  std::vector<std::uint64_t> numbers;
  for (const Answer& answer : peer.attacker.answers)
    for (const Frame& frame : answer.frames)
      if (const auto* close = std::get_if<CloseFrame>(&frame)) {
        BOOST_TEST(close->code == 9u);
        BOOST_TEST(std::ranges::equal(close->reason, text("over")));
        numbers.push_back(answer.number.value());
      }
  BOOST_TEST(numbers.size() == 4u);  // the first, and after 1, 2 and 4 packets
  for (std::size_t i = 1; i < numbers.size(); ++i) BOOST_TEST(numbers[i] > numbers[i - 1]);
}

BOOST_AUTO_TEST_CASE(a_reason_that_is_not_utf8_is_no_error_and_is_escaped) {
  ConnectedAttacker peer;
  CloseFrame close;
  close.application = true;
  close.code = 5;
  const Bytes reason = {'a', 0xff, 0xc0, 0x80, 'b'};
  close.reason = reason;
  BOOST_TEST(peer.attacker.ask(frames(close)) == 1u);
  BOOST_REQUIRE(peer.closed().size() == 1u);
  BOOST_TEST((peer.closed()[0].by == CloseInfo::By::peer));
  BOOST_TEST(peer.closed()[0].code == 5u);
  BOOST_TEST(peer.closed()[0].reason == "a\\xff\\xc0\\x80b");
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(datagrams_that_are_no_packets)

BOOST_AUTO_TEST_CASE(they_are_dropped_wherever_they_come_from) {
  ConnectedAttacker peer;
  const std::uint64_t before = peer.pair.server.dropped(DropReason::malformed_header);
  const Bytes packet = peer.attacker.session->seal(frames(PingFrame{}));
  constexpr std::size_t kShortest = 29;
  BOOST_REQUIRE(packet.size() >= kShortest);
  std::uint64_t sent = 0;
  const auto send = [&](const Bytes& datagram) {
    ++sent;
    peer.attacker.send_raw(datagram);
    BOOST_TEST(peer.attacker.collect() == 0u);
  };
  send({});
  for (std::size_t size = 1; size < kShortest; ++size)
    send(Bytes(packet.begin(), packet.begin() + static_cast<std::ptrdiff_t>(size)));
  Bytes without_fixed_bit = packet;
  without_fixed_bit[0] &= 0xbf;
  send(without_fixed_bit);
  for (const std::uint8_t first : {0x80, 0xc2, 0xc3, 0xc4, 0xc5, 0xff}) {
    Bytes other(1200, first);
    send(other);
  }
  BOOST_TEST(peer.pair.server.dropped(DropReason::malformed_header) == before + sent);
  BOOST_TEST(peer.attacker.connection().stats().dropped[static_cast<std::size_t>(DropReason::authentication_failed)] ==
             0u);
  // Whole, it is taken.
  const std::uint64_t received = peer.attacker.connection().stats().packets_received;
  peer.attacker.send_raw(packet);
  BOOST_TEST(peer.attacker.connection().stats().packets_received == received + 1);
}

BOOST_AUTO_TEST_SUITE_END()
