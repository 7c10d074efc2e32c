// Messages between two sides: exactly once, bounded, expired, reported.
#include "scheduler/messages.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <numeric>

#include "core/frame_writer.h"
#include "unit/scheduler/messages_fixture.h"

namespace mxp::test {
namespace {

using namespace std::chrono_literals;
using enum MessageClass;

MessageConfig narrow() {
  MessageConfig config;
  config.window = 8;
  config.receive_window = config.max_receive_window = 4096;
  return config;
}

template <typename Frame>
MessagePacket forged(const Frame& frame) {
  MessagePacket packet;
  packet.payload.resize(2000);
  Writer out(packet.payload);
  BOOST_TEST_REQUIRE(write_frame(out, frame));
  packet.payload.resize(out.written());
  return packet;
}

std::vector<std::uint8_t> encoded(const Message& message) {
  std::vector<std::uint8_t> bytes(encoded_size(message));
  BOOST_TEST_REQUIRE(encode_message(message, bytes).has_value());
  return bytes;
}

TransportErrorCode code_of(const std::expected<void, TransportError>& result) {
  return result ? TransportErrorCode::no_error : result.error().code;
}

BOOST_AUTO_TEST_SUITE(messages)

BOOST_FIXTURE_TEST_CASE(a_message_arrives_as_it_was_sent, MessagePair) {
  const std::vector<std::uint8_t> payload = {1, 2, 3};
  std::optional<Message> seen;
  server.app.takes = [&](const Message& message) {
    seen = message;
    BOOST_TEST(std::ranges::equal(message.payload, payload));
    return true;
  };
  BOOST_TEST(client.messages
                 .send({.type = MessageType::call, .flags = 4, .id = 7, .trace_id = 1u << 20, .payload = payload}, {})
                 .has_value());
  exchange();
  BOOST_TEST_REQUIRE(seen.has_value());
  BOOST_TEST((seen->type == MessageType::call));
  BOOST_TEST(seen->flags == 4);
  BOOST_TEST(seen->id == 7u);
  BOOST_TEST(seen->trace_id == 1u << 20);
}

BOOST_AUTO_TEST_CASE(messages_are_compact_only_where_both_sides_want_it) {
  for (const bool client_wants : {true, false}) {
    for (const bool server_wants : {true, false}) {
      MessageConfig of_client, of_server;
      of_client.compaction = client_wants;
      of_server.compaction = server_wants;
      MessagePair pair(of_client, of_server);
      std::ignore = pair.client.send(1);
      const MessagePacket packet = pair.client.packet();
      const bool compact = client_wants && server_wants;
      BOOST_TEST(packet.payload[0] == (compact ? 0x37 : 0x32));
      BOOST_TEST(packet.payload.size() == (compact ? 16u : 53u));
      BOOST_TEST(pair.server.receive(packet).has_value());
      BOOST_TEST(pair.server.app.received.size() == 1u);
    }
  }
}

BOOST_FIXTURE_TEST_CASE(many_share_a_packet_and_one_entry_of_the_log, MessagePair) {
  for (std::uint64_t i = 0; i < 50; ++i) std::ignore = client.send(i);
  const MessagePacket packet = client.packet();
  BOOST_TEST_REQUIRE(packet.frames.size() == 1u);
  BOOST_TEST(packet.frames[0].length == 50u);
  BOOST_TEST(server.receive(packet).has_value());
  BOOST_TEST(server.app.received.size() == 50u);
}

// So that a copy is not taken for what follows it.
BOOST_FIXTURE_TEST_CASE(what_is_repeated_and_what_is_new_are_two_entries_of_the_log, MessagePair) {
  std::ignore = client.send(1);
  const MessagePacket first = client.packet();
  client.lose(first);
  std::ignore = client.send(2);
  const MessagePacket both = client.packet();
  BOOST_TEST_REQUIRE(both.frames.size() == 2u);
  BOOST_TEST((both.frames[0].value == 0u && both.frames[0].length == 1u));
  BOOST_TEST((both.frames[1].value == 1u && both.frames[1].length == 1u));
}

BOOST_FIXTURE_TEST_CASE(a_message_that_comes_again_is_not_told_again, MessagePair) {
  std::ignore = client.send(1);
  const MessagePacket first = client.packet();
  BOOST_TEST(server.receive(first).has_value());
  client.lose(first);
  const MessagePacket second = client.packet();
  BOOST_TEST_REQUIRE(second.frames.size() == 1u);
  BOOST_TEST(second.frames[0].value == 0u);
  BOOST_TEST(server.receive(second).has_value());
  BOOST_TEST(server.app.received.size() == 1u);
  BOOST_TEST(server.messages.received().duplicates == 1u);
  // The acknowledgement of either settles it.
  client.acknowledge(first);
  BOOST_TEST(!client.has_pending());
  client.lose(second);
  BOOST_TEST(!client.has_pending());
}

BOOST_FIXTURE_TEST_CASE(a_lost_packet_delays_only_its_own_messages, MessagePair) {
  std::ignore = client.send(1);
  const MessagePacket lost = client.packet();
  std::ignore = client.send(2);
  BOOST_TEST(server.receive(client.packet()).has_value());
  BOOST_TEST(server.app.received == std::vector<std::uint64_t>{2});
  client.lose(lost);
  BOOST_TEST(server.receive(client.packet()).has_value());
  BOOST_TEST(server.app.received == (std::vector<std::uint64_t>{2, 1}));
}

BOOST_AUTO_TEST_CASE(no_more_are_under_way_than_the_window_says) {
  MessagePair pair({}, narrow());
  for (std::uint64_t i = 0; i < 20; ++i) std::ignore = pair.client.send(i);
  const MessagePacket first = pair.client.packet(), none = pair.client.packet();
  BOOST_TEST(first.frames[0].length == 8u);
  BOOST_TEST(none.frames.empty());
  BOOST_TEST(pair.client.messages.blocked_by_peer());
  BOOST_TEST(pair.server.receive(first).has_value());
  pair.client.acknowledge(first);
  pair.exchange();
  BOOST_TEST(pair.server.app.received.size() == 20u);
  // A lost one holds the window, however many above it are settled.
  std::ignore = pair.client.send(100);
  const MessagePacket lost = pair.client.packet();
  for (std::uint64_t i = 0; i < 20; ++i) std::ignore = pair.client.send(i);
  const MessagePacket above = pair.client.packet();
  BOOST_TEST(above.frames[0].length == 7u);
  BOOST_TEST(pair.server.receive(above).has_value());
  pair.client.acknowledge(above);
  BOOST_TEST(pair.client.packet().frames.empty());
  pair.client.lose(lost);
  pair.exchange();
  BOOST_TEST(pair.server.app.received.size() == 41u);
}

BOOST_AUTO_TEST_CASE(an_eighth_of_the_credit_is_kept_for_the_critical_class) {
  MessagePair pair({}, narrow());
  pair.server.app.takes = [](const Message&) { return false; };
  for (std::uint64_t i = 0; i < 5; ++i) std::ignore = pair.client.send(i, 960);
  pair.exchange();
  // 4096 - 512 have room for three of 1000 bytes.
  BOOST_TEST(pair.client.messages.sent().sent == 3u);
  std::ignore = pair.client.send(10, 900, {}, MessageType::call);
  pair.exchange();
  BOOST_TEST(pair.client.messages.sent().sent == 4u);
  // Whatever is taken is granted again.
  pair.server.app.takes = [](const Message&) { return true; };
  pair.server.messages.resume();
  pair.server.messages.deliver_resumed();
  pair.exchange();
  BOOST_TEST(pair.server.app.received.size() == 6u);
  BOOST_TEST(!pair.client.messages.blocked_by_peer());
}

BOOST_AUTO_TEST_CASE(a_small_credit_never_stalls) {
  MessageConfig tiny;
  tiny.receive_window = tiny.max_receive_window = 2048;
  MessagePair pair({}, tiny);
  for (std::uint64_t i = 0; i < 200; ++i) {
    BOOST_TEST_REQUIRE(pair.client.send(i, 1 + i * 5 % kMaxShortMessage).has_value());
    if (i % 7 == 0) pair.exchange();
  }
  pair.exchange();
  BOOST_TEST(pair.server.app.received.size() == 200u);
}

BOOST_FIXTURE_TEST_CASE(kept_messages_keep_their_order_and_other_classes_pass, MessagePair) {
  bool open = false;
  server.app.takes = [&](const Message& message) { return open || message_class(message.type) == critical; };
  for (std::uint64_t i = 0; i < 5; ++i) std::ignore = client.send(i);
  std::ignore = client.send(100, 10, {}, MessageType::call);
  exchange();
  BOOST_TEST(server.app.received == std::vector<std::uint64_t>{100});
  open = true;
  std::ignore = client.send(5);
  exchange();
  BOOST_TEST(server.app.received.size() == 1u);  // nothing passes what is kept
  BOOST_TEST(server.messages.kept() == 6u);
  server.messages.resume();
  server.messages.deliver_resumed();
  BOOST_TEST(server.app.received == (std::vector<std::uint64_t>{100, 0, 1, 2, 3, 4, 5}));
  BOOST_TEST(server.messages.kept() == 0u);
}

BOOST_FIXTURE_TEST_CASE(outcomes_are_told_once_to_those_who_asked, MessagePair) {
  const MessageOptions report{.report_outcome = true};
  const MessageTicket delivered = *client.send(1, 10, report);
  std::ignore = client.send(2);
  exchange();
  BOOST_TEST(client.app.outcomes.size() == 1u);
  BOOST_TEST((client.app.outcomes.at(delivered.value()) == MessageOutcome::delivered));
  const MessageTicket sent = *client.send(3, 10, report);
  std::ignore = client.packet();
  const MessageTicket waiting = *client.send(4, 10, report);
  client.messages.end();
  BOOST_TEST(client.app.outcomes.size() == 3u);
  BOOST_TEST((client.app.outcomes.at(sent.value()) == MessageOutcome::unknown));
  BOOST_TEST((client.app.outcomes.at(waiting.value()) == MessageOutcome::not_sent));
  BOOST_TEST((client.send(5).error() == SendMessageError::connection_closed));
}

BOOST_FIXTURE_TEST_CASE(an_expired_message_is_not_sent_and_both_sides_learn, MessagePair) {
  const MessageOptions brief{.expires_at = Timestamp{10ms}, .report_outcome = true};
  const MessageTicket ticket = *client.send(1, 10, brief);
  BOOST_TEST((client.messages.deadline() == Timestamp{10ms}));
  client.messages.on_clock(Timestamp{10ms}, 1ms);
  BOOST_TEST((client.app.outcomes.at(ticket.value()) == MessageOutcome::not_sent));
  std::ignore = client.send(2);
  exchange();
  BOOST_TEST(server.app.received == std::vector<std::uint64_t>{2});
  BOOST_TEST(server.app.expired == 1u);
}

BOOST_FIXTURE_TEST_CASE(an_expired_message_is_not_sent_again, MessagePair) {
  const MessageOptions brief{.expires_at = Timestamp{10ms}, .report_outcome = true};
  const MessageTicket ticket = *client.send(1, 10, brief);
  const MessagePacket lost = client.packet();
  client.messages.on_clock(Timestamp{9ms}, 1ms);
  BOOST_TEST(client.app.outcomes.empty());
  client.messages.on_clock(Timestamp{10ms}, 1ms);
  BOOST_TEST((client.app.outcomes.at(ticket.value()) == MessageOutcome::expired));
  client.lose(lost);
  const MessagePacket told = client.packet();
  BOOST_TEST_REQUIRE(told.frames.size() == 1u);
  BOOST_TEST((told.frames[0].kind == SentFrame::Kind::expired));
  client.lose(told);  // EXPIRED is as reliable as what it stands for
  exchange();
  BOOST_TEST(server.app.expired == 1u);
  // The message comes after all, and is known.
  BOOST_TEST(server.receive(lost).has_value());
  BOOST_TEST(server.app.received.empty());
  std::ignore = client.send(2);
  exchange();
  BOOST_TEST(server.app.received.size() == 1u);
}

BOOST_FIXTURE_TEST_CASE(a_message_that_arrived_is_not_taken_back, MessagePair) {
  const MessageTicket ticket = *client.send(1, 10, {.expires_at = Timestamp{10ms}, .report_outcome = true});
  const MessagePacket packet = client.packet();
  BOOST_TEST(server.receive(packet).has_value());
  client.messages.on_clock(Timestamp{10ms}, 1ms);
  const MessagePacket expired = client.packet();
  BOOST_TEST(server.receive(expired).has_value());
  BOOST_TEST(server.app.received.size() == 1u);
  BOOST_TEST(server.app.expired == 0u);
  client.acknowledge(packet);
  client.lose(expired);
  BOOST_TEST(client.packet().frames.empty());  // settled: nothing is left to say
  BOOST_TEST((client.app.outcomes.at(ticket.value()) == MessageOutcome::expired));
}

BOOST_FIXTURE_TEST_CASE(many_that_expire_unsent_are_told_in_one_frame, MessagePair) {
  for (std::uint64_t i = 0; i < 1000; ++i) std::ignore = client.send(i, 10, {.expires_at = Timestamp{10ms}});
  client.messages.on_clock(Timestamp{1s}, 1ms);
  const MessagePacket packet = client.packet();
  BOOST_TEST(packet.frames.size() == 1u);
  BOOST_TEST(packet.payload.size() <= 8u);
  BOOST_TEST(server.receive(packet).has_value());
  BOOST_TEST(server.app.expired == 1000u);
}

BOOST_FIXTURE_TEST_CASE(cancelled_messages_are_as_expired_ones, MessagePair) {
  const MessageTicket waiting = *client.send(1, 10, {.report_outcome = true});
  BOOST_TEST((client.messages.cancel(waiting) == MessageOutcome::not_sent));
  BOOST_TEST(!client.messages.cancel(waiting).has_value());
  const MessageTicket sent = *client.send(2);
  exchange();
  BOOST_TEST(!client.messages.cancel(sent).has_value());
  BOOST_TEST(!client.messages.cancel(MessageTicket(12345)).has_value());
  const MessageTicket lost = *client.send(3);
  client.lose(client.packet());
  BOOST_TEST((client.messages.cancel(lost) == MessageOutcome::expired));
  exchange();
  BOOST_TEST(server.app.received == std::vector<std::uint64_t>{2});
  BOOST_TEST(server.app.expired == 2u);
  BOOST_TEST(client.app.outcomes.empty());  // cancel has said it
}

BOOST_FIXTURE_TEST_CASE(expired_messages_do_not_hold_the_window, MessagePair) {
  MessagePair pair({}, narrow());
  for (std::uint64_t i = 0; i < 30; ++i) std::ignore = pair.client.send(i, 10, {.expires_at = Timestamp{10ms}});
  const MessagePacket lost = pair.client.packet();
  BOOST_TEST(lost.frames[0].length == 8u);
  pair.client.messages.on_clock(Timestamp{10ms}, 1ms);
  std::ignore = pair.client.send(100);
  pair.client.lose(lost);
  pair.exchange();
  BOOST_TEST(pair.server.app.received == std::vector<std::uint64_t>{100});
  BOOST_TEST(pair.server.app.expired == 30u);
}

BOOST_AUTO_TEST_CASE(a_full_class_says_so_and_when_it_has_room_again) {
  MessageConfig small;
  small.send_buffer = 4000;
  MessagePair pair(small, {});
  std::uint64_t sent = 0;
  while (pair.client.send(sent, 200)) ++sent;
  BOOST_TEST(sent == 16u);  // 203 bytes of body and 40 of entry each
  BOOST_TEST((pair.client.send(99, 200).error() == SendMessageError::queue_full));
  BOOST_TEST(pair.client.send(99, 200, {}, MessageType::call).has_value());  // another class
  pair.exchange();
  BOOST_TEST((pair.client.app.writable == std::vector<MessageClass>{background}));
  BOOST_TEST(pair.client.send(100, 200).has_value());
}

BOOST_FIXTURE_TEST_CASE(bad_messages_are_refused, MessagePair) {
  BOOST_TEST((client.send(1, kMaxMessagePayload + 1).error() == SendMessageError::too_large));
  BOOST_TEST(client.send(1, kMaxShortMessage).has_value());
  BOOST_TEST((client.send(1, 1, {}, MessageType{0x33}).error() == SendMessageError::invalid));
  BOOST_TEST((client.messages.send({.flags = 0x10}, {}).error() == SendMessageError::invalid));
  MessageConfig none;
  none.window = 0;
  MessagePair deaf({}, none);
  BOOST_TEST((deaf.client.send(1).error() == SendMessageError::not_taken));
  MessageConfig tiny;
  tiny.receive_window = 2048;
  MessagePair narrow_pair({}, tiny);
  BOOST_TEST(narrow_pair.client.send(1, 1100).has_value());
}

BOOST_FIXTURE_TEST_CASE(a_peer_that_breaks_the_rules_is_refused, MessagePair) {
  using enum TransportErrorCode;
  const auto body = encoded({.type = MessageType::event, .id = 1});
  const auto frame = [&](std::uint64_t sequence) {
    return forged(MessageFrame{MessageFrame::Form::full, sequence, body});
  };
  BOOST_TEST((code_of(server.receive(frame(16'383))) == no_error));
  BOOST_TEST((code_of(server.receive(frame(16'384))) == message_limit_error));
  BOOST_TEST((code_of(server.receive(forged(ExpiredFrame{16'380, 10, 40}))) == message_limit_error));
  BOOST_TEST((code_of(server.receive(forged(ExpiredFrame{0, 5, 1u << 20}))) == message_limit_error));
  auto broken = body;
  broken.back() ^= 1;
  MessagePair other;
  BOOST_TEST((code_of(other.server.receive(forged(MessageFrame{MessageFrame::Form::full, 0, broken}))) ==
              message_encoding_error));
  BOOST_TEST((code_of(other.server.receive(forged(MessageFrame{MessageFrame::Form::compact, 0, {}}))) ==
              message_encoding_error));
}

BOOST_AUTO_TEST_CASE(t66_messages_beyond_the_byte_credit_are_refused) {
  MessagePair pair({}, narrow());
  pair.server.app.takes = [](const Message&) { return false; };
  const std::vector<std::uint8_t> payload(984);
  const auto body = encoded({.type = MessageType::event, .id = 1, .payload = payload});
  for (std::uint64_t i = 0; i < 4; ++i)
    BOOST_TEST((code_of(pair.server.receive(forged(MessageFrame{MessageFrame::Form::full, i, body}))) ==
                TransportErrorCode::no_error));
  BOOST_TEST((code_of(pair.server.receive(forged(MessageFrame{MessageFrame::Form::full, 4, body}))) ==
              TransportErrorCode::message_limit_error));
}

BOOST_FIXTURE_TEST_CASE(t66_a_message_larger_than_any_that_we_send_is_kept_like_others, MessagePair) {
  bool open = false;
  server.app.takes = [&](const Message&) { return open; };
  const std::vector<std::uint8_t> payload(20'000, 7);
  for (std::uint64_t sequence = 0; sequence < 20; ++sequence) {
    const auto body = encoded({.type = MessageType::event, .id = sequence, .payload = payload});
    BOOST_TEST(server.messages.on_frame(MessageFrame{MessageFrame::Form::full, sequence, body}).has_value());
  }
  open = true;
  server.messages.resume();
  server.messages.deliver_resumed();
  BOOST_TEST(server.app.received.size() == 20u);
  for (const auto& [id, text] : server.app.payloads) BOOST_TEST((text == std::string(20'000, 7)));
}

BOOST_FIXTURE_TEST_CASE(t65_expired_of_the_same_messages_again_and_again, MessagePair) {
  // Number 0 is missing, so that the window stays where it is.
  std::uint64_t taken = 0;
  while (taken < 1000 && server.receive(forged(ExpiredFrame{1, 16'000, 0}))) ++taken;
  BOOST_TEST(taken > 10u);  // an honest peer says it again now and then
  BOOST_TEST(taken < 400u);
}

BOOST_FIXTURE_TEST_CASE(nothing_is_told_after_the_end, MessagePair) {
  server.app.takes = [](const Message&) { return false; };
  std::ignore = client.send(1);
  exchange();
  server.app.takes = [](const Message&) { return true; };
  server.messages.resume();
  server.messages.end();
  server.messages.deliver_resumed();
  BOOST_TEST(server.app.received.empty());
}

BOOST_FIXTURE_TEST_CASE(an_application_that_takes_nothing_and_asks_again_is_asked_once, MessagePair) {
  int asked = 0;
  server.app.takes = [&](const Message&) { return ++asked, server.messages.resume(), false; };
  std::ignore = client.send(1);
  exchange();
  asked = 0;
  for (int i = 0; i < 10; ++i) server.messages.deliver_resumed();
  BOOST_TEST(asked == 1);
}

BOOST_AUTO_TEST_CASE(credit_that_is_wanted_is_asked_for_when_the_window_opens_again) {
  MessageConfig config;
  config.window = 3;
  config.receive_window = config.max_receive_window = 4096;
  MessagePair pair({}, config);
  pair.server.app.takes = [](const Message&) { return false; };
  for (std::uint64_t i = 0; i < 4; ++i) std::ignore = pair.client.send(i, 1000);
  const MessagePacket first = pair.client.packet(5000);
  BOOST_TEST(first.frames.size() == 1u);
  BOOST_TEST(first.frames[0].length == 3u);
  BOOST_TEST(pair.server.receive(first).has_value());
  pair.client.acknowledge(first);
  const MessagePacket second = pair.client.packet();
  BOOST_TEST_REQUIRE(second.frames.size() == 1u);
  BOOST_TEST((second.frames[0].kind == SentFrame::Kind::messages_blocked));
}

BOOST_FIXTURE_TEST_CASE(a_ticket_of_nothing_cancels_nothing, MessagePair) {
  std::ignore = client.send(1, 10, {}, MessageType::call);
  BOOST_TEST(!client.messages.cancel(MessageTicket{}).has_value());
}

BOOST_FIXTURE_TEST_CASE(an_application_may_send_from_inside_an_outcome, MessagePair) {
  std::uint64_t next = 100;
  client.app.on_outcome = [&] {
    if (next < 300) std::ignore = client.send(next++, 10, {.report_outcome = true});
    if (next < 300) std::ignore = client.send(next++, 10, {.report_outcome = true});
  };
  std::ignore = client.send(1, 10, {.report_outcome = true});
  exchange();
  BOOST_TEST(server.app.received.size() == 201u);
  BOOST_TEST(client.app.outcomes.size() == 201u);
}

BOOST_FIXTURE_TEST_CASE(idle_messages_hold_little_memory, MessagePair) {
  for (std::uint64_t i = 0; i < 2000; ++i) std::ignore = client.send(i, 100);
  exchange();
  BOOST_TEST(client.messages.memory() > 100'000u);
  client.messages.shrink();
  server.messages.shrink();
  BOOST_TEST(client.messages.memory() < 2000u);
  BOOST_TEST(server.messages.memory() < 2000u);
  for (std::uint64_t i = 0; i < 100; ++i) std::ignore = client.send(i, 100);
  exchange();
  BOOST_TEST(server.app.received.size() == 2100u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace mxp::test
