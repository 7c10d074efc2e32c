// Messages that are too long for one frame: they travel in parts, and behave like short ones.
#include <boost/test/unit_test.hpp>

#include "core/frame_writer.h"
#include "scheduler/incoming_message.h"
#include "unit/scheduler/messages_fixture.h"

namespace mxp::test::long_messages_test {
namespace {

using namespace std::chrono_literals;

std::vector<std::uint8_t> pattern(std::size_t size, std::uint64_t seed = 1) {
  std::vector<std::uint8_t> bytes(size);
  for (std::size_t i = 0; i != size; ++i) bytes[i] = static_cast<std::uint8_t>((i + seed) * 2654435761u >> 13);
  return bytes;
}

std::string text(const std::vector<std::uint8_t>& bytes) { return {bytes.begin(), bytes.end()}; }

MessageTicket send(MessageSide& side, const Message& message, const MessageOptions& options = {}) {
  const auto ticket = side.messages.send(message, options);
  BOOST_TEST_REQUIRE(ticket.has_value());
  return *ticket;
}

// The body of a message in full, for parts that are made by hand.
std::vector<std::uint8_t> body_of(const Message& message) {
  std::vector<std::uint8_t> body(encoded_size(message));
  BOOST_TEST_REQUIRE(encode_message(message, body).has_value());
  return body;
}

std::expected<void, TransportError> give(MessageSide& side, ByteView body, std::uint64_t offset, std::size_t length,
                                         std::uint64_t sequence = 0,
                                         MessageFrame::Form form = MessageFrame::Form::full) {
  return side.messages.on_frame(MessagePartFrame{form, sequence, body.size(), offset, body.subspan(offset, length)});
}

TransportErrorCode code_of(const std::expected<void, TransportError>& result) {
  return result ? TransportErrorCode::no_error : result.error().code;
}

std::vector<SentFrame::Kind> kinds(const MessagePacket& packet) {
  std::vector<SentFrame::Kind> kinds;
  for (const SentFrame& frame : packet.frames) kinds.push_back(frame.kind);
  return kinds;
}

BOOST_AUTO_TEST_SUITE(long_messages)

BOOST_AUTO_TEST_CASE(every_size_and_form_arrives_as_it_was_sent) {
  for (const bool compaction : {false, true}) {
    MessageConfig config;
    config.compaction = compaction;
    MessagePair pair(config, config);
    std::uint64_t id = 0;
    for (const std::size_t size : {std::size_t{1100}, std::size_t{1101}, std::size_t{1200}, std::size_t{16'343},
                                   std::size_t{16'344}, std::size_t{16'345}, std::size_t{100'000}}) {
      const auto payload = pattern(size);
      send(pair.client,
           {.type = MessageType::response, .flags = 8, .id = ++id, .trace_id = ~std::uint64_t{0}, .payload = payload});
      pair.exchange();
      BOOST_TEST_REQUIRE(pair.server.app.received.size() == id);
      BOOST_TEST((pair.server.app.payloads[id] == text(payload)));
    }
  }
}

BOOST_AUTO_TEST_CASE(largest_message_needs_no_configuration) {
  for (const auto traffic_class : {MessageClass::critical, MessageClass::background}) {
    MessagePair pair;
    const auto payload = pattern(kMaxMessagePayload);
    send(pair.client, {.id = 1, .payload = payload}, {.traffic_class = traffic_class, .report_outcome = true});
    pair.exchange();
    BOOST_TEST_REQUIRE(pair.server.app.received.size() == 1u);
    BOOST_TEST((pair.server.app.payloads[1] == text(payload)));
    BOOST_TEST((pair.client.app.outcomes.begin()->second == MessageOutcome::delivered));
    pair.client.messages.shrink();
    pair.server.messages.shrink();
    BOOST_TEST(pair.client.messages.memory() < 20'000u);
    BOOST_TEST(pair.server.messages.memory() < 20'000u);
  }
}

BOOST_AUTO_TEST_CASE(what_the_peer_does_not_take_is_too_large) {
  MessageConfig small;
  small.max_message = 5000;
  MessagePair pair({}, small);
  BOOST_TEST((pair.client.send(1, 5001).error() == SendMessageError::too_large));
  BOOST_TEST(pair.client.send(2, 5000).has_value());
  BOOST_TEST((pair.server.send(1, kMaxMessagePayload + 1).error() == SendMessageError::too_large));

  // What the window could never hold is not announced either.
  MessageConfig narrow;
  narrow.receive_window = narrow.max_receive_window = 8000;
  MessagePair other({}, narrow);
  const std::size_t most = 8000 - 1000 - 80;
  BOOST_TEST((other.client.send(1, most + 1).error() == SendMessageError::too_large));
  BOOST_TEST(other.client.send(2, most).has_value());
  other.exchange();
  BOOST_TEST(other.server.app.received.size() == 1u);
}

BOOST_FIXTURE_TEST_CASE(lost_parts_are_cut_anew_for_smaller_packets, MessagePair) {
  const auto payload = pattern(10'000);
  send(client, {.id = 1, .payload = payload}, {.report_outcome = true});
  std::vector<MessagePacket> first;
  while (client.has_pending()) first.push_back(client.packet(1400));
  BOOST_TEST(first.size() == 8u);
  for (std::size_t i = 0; i != first.size(); ++i) {
    if (i % 2 == 0) {
      BOOST_TEST(server.receive(first[i]).has_value());
      client.acknowledge(first[i]);
    } else {
      client.lose(first[i]);
    }
  }
  BOOST_TEST(server.app.received.empty());
  BOOST_TEST(client.app.outcomes.empty());
  std::size_t sent_again = 0;
  while (client.has_pending()) {
    const MessagePacket packet = client.packet(500);
    for (const SentFrame& frame : packet.frames) sent_again += frame.length;
    BOOST_TEST(server.receive(packet).has_value());
    client.acknowledge(packet);
  }
  BOOST_TEST(sent_again < 6000u);  // and nothing of what had arrived
  BOOST_TEST((server.app.payloads[1] == text(payload)));
  BOOST_TEST(client.app.outcomes.size() == 1u);
  BOOST_TEST(client.messages.sent().sent == 1u);
  BOOST_TEST(client.messages.sent().repeated >= 4u);
}

BOOST_FIXTURE_TEST_CASE(loss_that_was_none_is_taken_back, MessagePair) {
  send(client, {.id = 1, .payload = pattern(5000)});
  std::vector<MessagePacket> packets;
  while (client.has_pending()) packets.push_back(client.packet());
  for (const MessagePacket& packet : packets) client.lose(packet);
  BOOST_TEST(client.has_pending());
  for (const MessagePacket& packet : packets) client.acknowledge(packet);
  BOOST_TEST(!client.has_pending());
  BOOST_TEST(client.messages.sent().acknowledged == 1u);
}

BOOST_FIXTURE_TEST_CASE(short_messages_of_other_classes_pass_a_long_one, MessagePair) {
  send(client, {.id = 1, .payload = pattern(100'000)});
  BOOST_TEST(server.receive(client.packet()).has_value());
  send(client, {.type = MessageType::call, .id = 2, .payload = pattern(10)});
  send(client, {.id = 3, .payload = pattern(10)});
  BOOST_TEST(server.receive(client.packet()).has_value());
  BOOST_TEST((server.app.received == std::vector<std::uint64_t>{2}));
  exchange();
  BOOST_TEST(
      (server.app.received == std::vector<std::uint64_t>{2, 1, 3}));  // within a class it is whole before the next
}

BOOST_FIXTURE_TEST_CASE(a_turn_bounds_what_a_part_takes, MessagePair) {
  send(client, {.id = 1, .payload = pattern(100'000)});
  std::vector<std::uint8_t> memory(9000);
  Writer out(memory);
  client.messages.write(MessageClass::background, out, [](const SentFrame&) {}, 1200);
  BOOST_TEST(out.written() >= 1200u);
  BOOST_TEST(out.written() < 1300u);
  // What is left of a packet may be too little for a part.
  std::vector<std::uint8_t> rest(70);
  Writer little(rest);
  client.messages.write(MessageClass::background, little, [](const SentFrame&) {}, 1200);
  BOOST_TEST(little.written() == 0u);
}

BOOST_FIXTURE_TEST_CASE(what_was_not_sent_of_a_long_message_is_known, MessagePair) {
  // Who waits for more messages, to fill a packet, must not wait while one is being sent.
  const auto unsent = [&] { return client.messages.new_bytes(MessageClass::background); };
  const auto first = send(client, {.id = 1, .payload = pattern(5000)});
  BOOST_TEST(unsent() >= 5000u);
  const MessagePacket packet = client.packet();
  BOOST_TEST(unsent() >= 3800u);
  BOOST_TEST(unsent() < 4000u);
  client.lose(packet);
  client.packet();
  BOOST_TEST(unsent() >= 3800u);  // that was a repetition
  send(client, {.id = 2, .payload = pattern(3000)});
  client.messages.cancel(first);
  BOOST_TEST(unsent() >= 3000u);
  BOOST_TEST(unsent() < 3200u);
  exchange();
  BOOST_TEST(unsent() == 0u);
}

BOOST_FIXTURE_TEST_CASE(deadline_in_the_middle_ends_it_on_both_sides, MessagePair) {
  const auto ticket =
      send(client, {.id = 1, .payload = pattern(20'000)}, {.expires_at = Timestamp{} + 10ms, .report_outcome = true});
  const MessagePacket first = client.packet(), second = client.packet();
  BOOST_TEST(server.receive(first).has_value());
  BOOST_TEST(server.messages.memory() > 10'000u);
  client.messages.on_clock(Timestamp{} + 10ms, 1ms);
  BOOST_TEST((client.app.outcomes[ticket.value()] == MessageOutcome::expired));
  BOOST_TEST(client.messages.memory() < 10'000u);  // its bytes are wanted no more
  client.acknowledge(first);
  client.lose(second);
  exchange();
  BOOST_TEST(server.app.expired == 1u);
  BOOST_TEST(server.messages.memory() < 5000u);
  BOOST_TEST(server.receive(second).has_value());  // too late
  BOOST_TEST(server.app.received.empty());
  BOOST_TEST(!client.messages.cancel(ticket).has_value());
}

BOOST_AUTO_TEST_CASE(credit_of_what_is_taken_back_is_free_again) {
  MessageConfig config;
  config.receive_window = config.max_receive_window = 40'000;
  for (const bool parts_arrive : {false, true}) {
    MessagePair pair({}, config);
    for (std::uint64_t id = 1; id != 20; ++id) {
      const auto ticket = send(pair.client, {.id = id, .payload = pattern(20'000)});
      const MessagePacket packet = pair.client.packet();
      if (parts_arrive) {
        BOOST_TEST(pair.server.receive(packet).has_value());
        pair.client.acknowledge(packet);
      } else {
        pair.client.lose(packet);
      }
      BOOST_TEST((pair.client.messages.cancel(ticket) == MessageOutcome::expired));
      pair.exchange();
    }
    BOOST_TEST(pair.server.app.expired == 19u);
    const auto payload = pattern(30'000);
    send(pair.client, {.id = 99, .payload = payload});
    pair.exchange();
    BOOST_TEST((pair.server.app.payloads[99] == text(payload)));
  }
}

BOOST_FIXTURE_TEST_CASE(cancel_in_each_state, MessagePair) {
  // queued, partly sent, wholly sent, lost
  const auto queued = send(client, {.id = 1, .payload = pattern(5000)});
  BOOST_TEST((client.messages.cancel(queued) == MessageOutcome::not_sent));
  exchange();
  const auto begun = send(client, {.id = 2, .payload = pattern(5000)});
  client.lose(client.packet());
  BOOST_TEST((client.messages.cancel(begun) == MessageOutcome::expired));
  exchange();
  const auto sent = send(client, {.id = 3, .payload = pattern(5000)});
  std::vector<MessagePacket> packets;
  while (client.has_pending()) packets.push_back(client.packet());
  BOOST_TEST((client.messages.cancel(sent) == MessageOutcome::expired));
  for (const MessagePacket& packet : packets) client.acknowledge(packet);
  exchange();
  const auto lost = send(client, {.id = 4, .payload = pattern(5000)});
  packets.clear();
  while (client.has_pending()) packets.push_back(client.packet());
  for (const MessagePacket& packet : packets) client.lose(packet);
  BOOST_TEST((client.messages.cancel(lost) == MessageOutcome::expired));
  exchange();
  const auto arrived = send(client, {.id = 5, .payload = pattern(5000)});
  exchange();
  BOOST_TEST(!client.messages.cancel(arrived).has_value());
  BOOST_TEST(server.app.expired == 4u);
  BOOST_TEST((server.app.received == std::vector<std::uint64_t>{5}));
}

BOOST_FIXTURE_TEST_CASE(what_is_not_taken_is_kept_in_one_piece, MessagePair) {
  bool takes = false;
  server.app.takes = [&](const Message&) { return takes; };
  const auto payload = pattern(50'000);
  send(client, {.id = 1, .payload = payload});
  send(client, {.id = 2, .payload = pattern(10)});
  send(client, {.id = 3, .payload = payload});
  exchange();
  BOOST_TEST(server.messages.kept() == 3u);
  BOOST_TEST(server.messages.memory() > 100'000u);
  takes = true;
  server.messages.resume();
  server.messages.deliver_resumed();
  BOOST_TEST((server.app.received == std::vector<std::uint64_t>{1, 2, 3}));
  BOOST_TEST((server.app.payloads[3] == text(payload)));
  BOOST_TEST(server.messages.memory() < 10'000u);
}

BOOST_AUTO_TEST_CASE(class_that_holds_nothing_takes_one_of_any_size) {
  MessageConfig config;
  config.send_buffer = 4000;
  MessagePair pair(config, {});
  BOOST_TEST(pair.client.send(1, 100'000).has_value());
  BOOST_TEST((pair.client.send(2, 10).error() == SendMessageError::queue_full));
  BOOST_TEST((pair.client.send(2, 100'000).error() == SendMessageError::queue_full));
  BOOST_TEST(pair.client.send(3, 100'000, {}, MessageType::call).has_value());
  pair.exchange();
  BOOST_TEST((pair.client.app.writable == std::vector<MessageClass>{MessageClass::background}));
  BOOST_TEST(pair.client.send(2, 10).has_value());
  // One that is larger than the whole buffer is told of room when nothing is held, and not before.
  BOOST_TEST((pair.client.send(4, 5000).error() == SendMessageError::queue_full));
  pair.exchange();
  BOOST_TEST(pair.client.app.writable.size() == 2u);
  BOOST_TEST(pair.client.send(4, 5000).has_value());
}

BOOST_AUTO_TEST_CASE(window_grows_for_a_long_message_unless_memory_is_short) {
  MessageConfig config;
  config.receive_window = 20'000;
  MessagePair pair({}, config);
  pair.server.messages.set_growth(MessageReceiver::Growth::withheld);
  send(pair.client, {.id = 1, .payload = pattern(100'000)});
  pair.exchange();
  BOOST_TEST(pair.client.messages.blocked_by_peer());
  BOOST_TEST(pair.client.messages.sent().sent == 0u);
  // The peer says only once that it waits, so the receiver looks again by itself.
  const Timestamp looks_at = pair.server.messages.deadline();
  BOOST_TEST_REQUIRE((looks_at != kNever));
  pair.server.messages.on_clock(looks_at, 0ms);
  BOOST_TEST((pair.server.messages.deadline() > looks_at));
  pair.server.messages.set_growth(MessageReceiver::Growth::allowed);
  BOOST_TEST((pair.server.messages.deadline() == kNever));
  pair.exchange();
  BOOST_TEST(pair.server.app.received.size() == 1u);
}

BOOST_AUTO_TEST_CASE(blocked_is_said_again_where_more_is_needed) {
  MessageConfig config;
  config.receive_window = 20'000;
  MessagePair pair({}, config);
  const auto first = send(pair.client, {.type = MessageType::call, .id = 1, .payload = pattern(30'000)});
  MessagePacket lost = pair.client.packet();
  BOOST_TEST((kinds(lost) == std::vector{SentFrame::Kind::messages_blocked}));
  BOOST_TEST(!pair.client.has_pending());
  send(pair.client, {.id = 2, .payload = pattern(50'000)});
  BOOST_TEST((pair.client.messages.cancel(first) == MessageOutcome::not_sent));
  pair.exchange();
  BOOST_TEST((pair.server.app.received == std::vector<std::uint64_t>{2}));
}

BOOST_AUTO_TEST_CASE(many_gaps_lose_nothing) {
  // More pieces than either side keeps ranges for; whole packets lie between the gaps.
  MessagePair pair;
  const auto payload = pattern(2'000'000);
  send(pair.client, {.id = 1, .payload = payload}, {.traffic_class = MessageClass::critical});
  std::vector<MessagePacket> packets;
  while (pair.client.has_pending()) packets.push_back(pair.client.packet());
  BOOST_TEST(packets.size() > 1500u);
  for (std::size_t i = 0; i != packets.size(); ++i)
    if (i % 2 == 0) BOOST_TEST_REQUIRE(pair.server.receive(packets[i]).has_value());
  for (std::size_t i = 0; i < packets.size(); i += 2) pair.client.acknowledge(packets[i]);
  for (std::size_t i = 1; i < packets.size(); i += 2) pair.client.lose(packets[i]);
  pair.exchange();
  BOOST_TEST((pair.server.app.payloads[1] == text(payload)));
  BOOST_TEST(pair.client.messages.sent().acknowledged == 1u);
  // The sums of what was held are sums of nothing now.
  for (MessageSide* side : {&pair.client, &pair.server}) {
    side->messages.shrink();
    BOOST_TEST(side->messages.memory() < 10'000u);
  }
}

BOOST_AUTO_TEST_CASE(t70_memory_follows_what_has_come) {
  MessageConfig wide;
  wide.receive_window = wide.max_receive_window;
  MessageSide side(wide);
  const std::vector<std::uint8_t> body(kMaxMessageLength, 0);
  BOOST_TEST(give(side, body, kMaxMessageLength - 1, 1).has_value());
  BOOST_TEST(side.messages.memory() < 40'000u);
  BOOST_TEST(give(side, body, 8u << 20, 1).has_value());
  BOOST_TEST(side.messages.memory() < 60'000u);
}

BOOST_AUTO_TEST_CASE(t70_parts_that_contradict_each_other_are_refused) {
  const auto body = body_of({.id = 1, .payload = pattern(5000)});
  using enum TransportErrorCode;
  {
    MessageSide side(MessageConfig{});
    BOOST_TEST(give(side, body, 0, 100).has_value());
    BOOST_TEST((code_of(give(side, ByteView(body).first(4000), 100, 10)) == message_encoding_error));
  }
  {
    MessageSide side(MessageConfig{});
    BOOST_TEST(give(side, body, 0, 100).has_value());
    BOOST_TEST((code_of(give(side, body, 100, 10, 0, MessageFrame::Form::compact)) == message_encoding_error));
  }
  {
    MessageSide side(MessageConfig{});
    BOOST_TEST(give(side, body, 0, 100).has_value());
    const auto whole = body_of({.id = 1, .payload = pattern(10)});
    BOOST_TEST(
        (code_of(side.messages.on_frame(MessageFrame{MessageFrame::Form::full, 0, whole})) == message_encoding_error));
  }
  {
    MessageSide side(MessageConfig{});
    BOOST_TEST(give(side, body, 0, 100).has_value());
    BOOST_TEST((code_of(side.messages.on_frame(ExpiredFrame{0, 1, body.size()})) == message_encoding_error));
  }
  {
    MessageSide side(MessageConfig{});
    BOOST_TEST((code_of(give(side, ByteView(body).first(1100), 0, 10)) == message_encoding_error));
    BOOST_TEST(give(side, ByteView(body).first(1101), 40, 10).has_value());
  }
}

BOOST_AUTO_TEST_CASE(t70_header_is_checked_as_soon_as_it_is_there) {
  const auto good = body_of({.id = 1, .payload = pattern(5000)});
  using enum TransportErrorCode;
  for (const std::size_t at : {0, 4, 5, 6, 24}) {
    auto body = good;
    body[at] ^= 0x60;
    MessageSide side(MessageConfig{});
    BOOST_TEST(give(side, body, 0, 31).has_value());
    BOOST_TEST((code_of(give(side, body, 31, 1)) == message_encoding_error), "byte " << at);
  }
  std::vector<std::uint8_t> compact(5003, 0);
  compact[0] = 0x12;
  compact[1] = 0x80;
  MessageSide side(MessageConfig{});
  BOOST_TEST(give(side, compact, 0, 17, 0, MessageFrame::Form::compact).has_value());
  BOOST_TEST((code_of(give(side, compact, 17, 1, 0, MessageFrame::Form::compact)) == message_encoding_error));
  // And what is wrong at its end, when that has come.
  auto body = good;
  body.back() ^= 1;
  MessageSide other(MessageConfig{});
  BOOST_TEST(give(other, body, 0, 5039).has_value());
  BOOST_TEST((code_of(give(other, body, 5039, 1)) == message_encoding_error));
}

BOOST_AUTO_TEST_CASE(t70_bytes_that_were_checked_do_not_change) {
  const auto body = body_of({.id = 1, .payload = pattern(5000)});
  auto other = body;
  for (std::uint8_t& byte : other) byte ^= 0xff;
  MessageSide side(MessageConfig{});
  BOOST_TEST(give(side, body, 0, 40).has_value());
  BOOST_TEST(give(side, body, 100, 40).has_value());
  BOOST_TEST(give(side, other, 0, 40).has_value());
  BOOST_TEST(give(side, other, 100, 40).has_value());
  BOOST_TEST(give(side, body, 20, 5020).has_value());
  BOOST_TEST((side.app.payloads[1] == text(pattern(5000))));
}

BOOST_AUTO_TEST_CASE(t71_limits_hold_for_messages_in_parts) {
  const std::vector<std::uint8_t> body(4000, 0);
  using enum TransportErrorCode;
  MessageConfig config;
  config.window = 3;
  config.max_message = 3960;
  config.receive_window = config.max_receive_window = 3 * 4040 - 1;
  {
    MessageSide side(config);
    BOOST_TEST((code_of(give(side, body, 100, 10, 3)) == message_limit_error));  // the window
  }
  {
    MessageSide side(config);
    BOOST_TEST(give(side, body, 100, 10, 0).has_value());
    BOOST_TEST(give(side, body, 100, 10, 2).has_value());
    BOOST_TEST(give(side, body, 200, 10, 0).has_value());
    BOOST_TEST((code_of(give(side, body, 100, 10, 1)) == message_limit_error));  // the credit
  }
  {
    MessageSide side(config);
    const std::vector<std::uint8_t> larger(4001, 0);
    BOOST_TEST((code_of(give(side, larger, 100, 10)) == message_limit_error));  // more than was announced
    const std::vector<std::uint8_t> whole = body_of({.id = 1, .payload = pattern(3961)});
    BOOST_TEST(
        (code_of(side.messages.on_frame(MessageFrame{MessageFrame::Form::full, 0, whole})) == message_limit_error));
  }
  {
    // The size of a compacted message tells that of its payload only when its header is there.
    std::vector<std::uint8_t> compact(3960 + 4, 0);
    compact[0] = 0x12;
    MessageSide side(config);
    BOOST_TEST(give(side, compact, 100, 10, 0, MessageFrame::Form::compact).has_value());
    BOOST_TEST((code_of(give(side, compact, 0, 50, 0, MessageFrame::Form::compact)) == message_limit_error));
  }
}

BOOST_AUTO_TEST_CASE(t71_pieces_that_are_not_connected_are_bounded) {
  const std::vector<std::uint8_t> body(1u << 20, 0);
  MessageSide side(MessageConfig{});
  std::size_t pieces = 0;
  while (pieces < 5000 && give(side, body, 64 + 2 * pieces, 1)) ++pieces;
  BOOST_TEST(pieces == IncomingMessage::kMaxSpans);
}

// What is kept of its gaps is not more than a short message has paid for.
BOOST_AUTO_TEST_CASE(t71_a_short_message_may_have_few_gaps) {
  const std::vector<std::uint8_t> body(1200, 0);
  MessageSide side(MessageConfig{});
  std::size_t pieces = 0;
  while (pieces < 500 && give(side, body, 64 + 2 * pieces, 1)) ++pieces;
  BOOST_TEST(pieces == IncomingMessage::kFirstSpans + body.size() / IncomingMessage::kSizeForSpan);
}

BOOST_AUTO_TEST_CASE(t71_parts_of_settled_messages_are_ignored) {
  const auto body = body_of({.id = 1, .payload = pattern(2000)});
  MessageSide side(MessageConfig{});
  BOOST_TEST(give(side, body, 0, body.size()).has_value());
  BOOST_TEST(side.app.received.size() == 1u);
  BOOST_TEST(give(side, body, 0, body.size()).has_value());
  BOOST_TEST(give(side, ByteView(body).first(1500), 0, 10).has_value());
  BOOST_TEST(side.app.received.size() == 1u);
  BOOST_TEST(side.messages.memory() < 5000u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace mxp::test::long_messages_test
