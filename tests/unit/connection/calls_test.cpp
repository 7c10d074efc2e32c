#include "connection/calls.h"

#include <boost/test/unit_test.hpp>

#include "calls_fixture.h"
#include "support/allocation_counter.h"
#include "support/hex.h"
#include "support/protocol_document.h"

using namespace mxp;
using namespace mxp::test;

namespace calls_test {
namespace {

constexpr Uuid kTarget = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};

CallId called(CallSide& side, std::string_view data, const CallOptions& options = {}) {
  const auto id = side.calls.call(kTarget, bytes_of(data), options);
  BOOST_TEST_REQUIRE(id.has_value(), (id ? "" : to_string(id.error())));
  return *id;
}
CallError refusal(CallSide& side, std::string_view data, const CallOptions& options = {}) {
  const auto id = side.calls.call(kTarget, bytes_of(data), options);
  BOOST_TEST_REQUIRE(!id.has_value());
  return id.error();
}
IncomingCallId last_call(const CallSide& side) {
  BOOST_TEST_REQUIRE(!side.app.calls.empty());
  return side.app.calls.back().id;
}
CallOutcome only_outcome(const CallSide& side) {
  BOOST_TEST_REQUIRE(side.app.answers.size() == 1u);
  return side.app.answers.front().outcome;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(calls)

BOOST_AUTO_TEST_CASE(call_is_answered_later) {
  CallPair pair;
  const CallId id = called(pair.client, "ping", {.timeout = 1500ms, .trace_id = 77, .cookie = 5});
  pair.exchange();
  BOOST_TEST_REQUIRE(pair.server.app.calls.size() == 1u);
  const auto& call = pair.server.app.calls.front();
  BOOST_TEST((call.target == kTarget && call.data == "ping" && call.trace_id == 77));
  BOOST_TEST((call.time_left == 2s));  // whole seconds, rounded up
  BOOST_TEST(pair.client.app.answers.empty());

  pair.pass(1400ms);
  BOOST_TEST(pair.server.calls.answer(call.id, bytes_of("pong")).has_value());
  pair.exchange();
  BOOST_TEST_REQUIRE(pair.client.app.answers.size() == 1u);
  const auto& answer = pair.client.app.answers.front();
  BOOST_TEST((answer.call == id && answer.cookie == 5 && answer.trace_id == 77));
  BOOST_TEST((answer.outcome == CallOutcome::answered));
  BOOST_TEST(answer.data == "pong");
  pair.pass(1h);
  BOOST_TEST(pair.client.app.answers.size() == 1u);
  BOOST_TEST(pair.server.app.over.empty());
  BOOST_TEST(pair.client.calls.made().answered == 1u);
}

BOOST_AUTO_TEST_CASE(call_is_answered_from_inside_its_event_and_may_be_called_again_there) {
  CallPair pair;
  pair.server.app.call_hook = [&](const IncomingCall& call) {
    BOOST_TEST(pair.server.calls.answer(call.id, call.data).has_value());
  };
  int left = 100;
  pair.client.app.answer_hook = [&](const CallAnswer&) {
    if (--left > 0) called(pair.client, "again");
  };
  called(pair.client, "first");
  for (int i = 0; i < 100; ++i) pair.exchange();
  BOOST_TEST(pair.client.app.answers.size() == 100u);
  BOOST_TEST(pair.server.app.calls.size() == 100u);
}

BOOST_AUTO_TEST_CASE(failure_is_told_with_code_and_text) {
  CallPair pair;
  called(pair.client, "x", {.trace_id = 9});
  pair.exchange();
  BOOST_TEST(pair.server.calls.answer_error(last_call(pair.server), ErrorReason(0x8001), "no such agent").has_value());
  pair.exchange();
  BOOST_TEST((only_outcome(pair.client) == CallOutcome::failed));
  const auto& answer = pair.client.app.answers.front();
  BOOST_TEST((answer.reason == ErrorReason(0x8001) && answer.text == "no such agent" && answer.trace_id == 9));
  BOOST_TEST(pair.client.calls.made().answered == 1u);
}

BOOST_AUTO_TEST_CASE(call_can_be_answered_only_once) {
  CallPair pair;
  called(pair.client, "x");
  pair.exchange();
  const IncomingCallId id = last_call(pair.server);
  BOOST_TEST(pair.server.calls.answer(id, {}).has_value());
  BOOST_TEST((pair.server.calls.answer(id, {}).error() == AnswerError::unknown_call));
  BOOST_TEST((pair.server.calls.answer_error(id, ErrorReason::full, "").error() == AnswerError::unknown_call));
  BOOST_TEST((pair.server.calls.answer(IncomingCallId(0), {}).error() == AnswerError::unknown_call));
  BOOST_TEST((pair.client.calls.answer(id, {}).error() == AnswerError::unknown_call));
  pair.exchange();
  BOOST_TEST(pair.client.app.answers.size() == 1u);
}

BOOST_AUTO_TEST_CASE(answer_that_is_refused_leaves_the_call_open) {
  CallPair pair;
  called(pair.client, "x");
  pair.exchange();
  const IncomingCallId id = last_call(pair.server);
  const std::string too_long(kMaxAnswerData + 1, 'a'), too_long_text(kMaxAnswerText + 1, 'a');
  BOOST_TEST((pair.server.calls.answer(id, bytes_of(too_long)).error() == AnswerError::too_large));
  BOOST_TEST((pair.server.calls.answer_error(id, ErrorReason::full, too_long_text).error() == AnswerError::too_large));
  BOOST_TEST((pair.server.calls.answer_error(id, ErrorReason::cancelled, "").error() == AnswerError::invalid));
  BOOST_TEST((pair.server.calls.answer_error(id, ErrorReason::full, "\xff").error() == AnswerError::invalid));
  BOOST_TEST(pair.server.calls.answer(id, bytes_of(too_long.substr(1))).has_value());
  pair.exchange();
  BOOST_TEST((only_outcome(pair.client) == CallOutcome::answered));
  BOOST_TEST(pair.client.app.answers.front().data.size() == kMaxAnswerData);
}

BOOST_AUTO_TEST_CASE(answer_without_room_is_tried_again) {
  MessageConfig small;
  small.send_buffer = 400;
  CallPair pair(calls_on(), calls_on(), {}, small);
  called(pair.client, "x");
  pair.exchange();
  const std::vector<std::uint8_t> payload(200, 1);
  pair.server.send({.type = MessageType::response, .id = 1, .payload = payload});
  const IncomingCallId id = last_call(pair.server);
  BOOST_TEST((pair.server.calls.answer(id, payload).error() == AnswerError::queue_full));
  pair.exchange();
  BOOST_TEST(pair.server.calls.answer(id, payload).has_value());
  pair.exchange();
  BOOST_TEST((only_outcome(pair.client) == CallOutcome::answered));
}

BOOST_AUTO_TEST_CASE(call_times_out_and_its_late_answer_finds_nothing) {
  CallPair pair;
  called(pair.client, "x", {.timeout = 200ms, .cookie = 3});
  pair.exchange();
  pair.pass(199'999us);
  BOOST_TEST(pair.client.app.answers.empty());
  BOOST_TEST((pair.client.calls.deadline() == pair.now + 1us));
  pair.pass(1us);
  BOOST_TEST((only_outcome(pair.client) == CallOutcome::timed_out));
  BOOST_TEST(pair.client.app.answers.front().cookie == 3u);
  BOOST_TEST((pair.client.calls.deadline() == kNever));
  // The other side was told a second.
  BOOST_TEST(pair.server.calls.answer(last_call(pair.server), bytes_of("late")).has_value());
  pair.exchange();
  BOOST_TEST(pair.client.app.answers.size() == 1u);
  BOOST_TEST(pair.client.calls.made().answers_unmatched == 1u);
  BOOST_TEST(pair.client.calls.made().timed_out == 1u);
}

BOOST_AUTO_TEST_CASE(time_of_a_call_begins_with_the_next_drive) {
  CallPair pair;
  called(pair.client, "x", {.timeout = 1s});
  BOOST_TEST((pair.client.calls.deadline() == pair.now));  // so that it is asked at once
  pair.pass(10min);                                        // nobody drove the connection
  BOOST_TEST(pair.client.app.answers.empty());
  BOOST_TEST((pair.client.calls.deadline() == pair.now + 1s));
  pair.pass(1s);
  BOOST_TEST((only_outcome(pair.client) == CallOutcome::timed_out));
}

BOOST_AUTO_TEST_CASE(call_that_times_out_unsent_is_never_sent) {
  CallPair pair;
  called(pair.client, "x", {.timeout = 1s});
  pair.pass(0ms);
  pair.pass(1s);
  BOOST_TEST((only_outcome(pair.client) == CallOutcome::timed_out));
  pair.exchange();
  BOOST_TEST(pair.server.app.calls.empty());
}

BOOST_AUTO_TEST_CASE(call_without_a_limit_waits_for_ever) {
  for (const Duration timeout : {Duration::max(), Duration(std::chrono::seconds(0x1'0000'0000))}) {
    CallPair pair;
    called(pair.client, "x", {.timeout = timeout});
    pair.exchange();
    BOOST_TEST((pair.client.calls.deadline() == kNever));
    BOOST_TEST((pair.server.calls.deadline() == kNever));
    BOOST_TEST((pair.server.app.calls.front().time_left == Duration::max()));
    pair.pass(24h * 365);
    BOOST_TEST(pair.server.calls.answer(last_call(pair.server), {}).has_value());
    pair.exchange();
    BOOST_TEST((only_outcome(pair.client) == CallOutcome::answered));
  }
}

BOOST_AUTO_TEST_CASE(longest_limit_is_one) {
  CallPair pair;
  called(pair.client, "x", {.timeout = std::chrono::seconds(0xffff'ffff)});
  pair.exchange();
  BOOST_TEST((pair.server.app.calls.front().time_left == std::chrono::seconds(0xffff'ffff)));
  BOOST_TEST((pair.client.calls.deadline() == pair.now + std::chrono::seconds(0xffff'ffff)));
}

BOOST_AUTO_TEST_CASE(callee_forgets_a_call_whose_time_is_over) {
  CallPair pair;
  called(pair.client, "x", {.timeout = 2s});
  pair.exchange();
  const IncomingCallId id = last_call(pair.server);
  BOOST_TEST((pair.server.calls.deadline() == pair.now + 2s));
  pair.server.at(pair.now + 2s - 1ns);
  BOOST_TEST(pair.server.app.over.empty());
  pair.server.at(pair.now + 2s);
  BOOST_TEST_REQUIRE(pair.server.app.over.size() == 1u);
  BOOST_TEST((pair.server.app.over.front() == std::pair{id, CallEnd::timed_out}));
  BOOST_TEST((pair.server.calls.answer(id, {}).error() == AnswerError::unknown_call));
  BOOST_TEST((pair.server.calls.deadline() == kNever));
}

BOOST_AUTO_TEST_CASE(answer_is_not_sent_after_the_time_of_the_call) {
  CallPair pair;
  called(pair.client, "x", {.timeout = 1s});
  pair.exchange();
  BOOST_TEST(pair.server.calls.answer(last_call(pair.server), {}).has_value());
  BOOST_TEST((pair.server.messages.deadline() == pair.now + 1s));
  pair.pass(1s);
  BOOST_TEST(pair.server.messages.sent().expired == 1u);
}

BOOST_AUTO_TEST_CASE(cancelling_before_the_call_was_sent_tells_the_peer_nothing) {
  CallPair pair;
  const CallId id = called(pair.client, "x");
  BOOST_TEST(pair.client.calls.cancel(id));
  BOOST_TEST(!pair.client.calls.cancel(id));
  const CallId begun = called(pair.client, "y");
  pair.pass(0ms);
  BOOST_TEST(pair.client.calls.cancel(begun));
  pair.exchange();
  pair.pass(1h);
  BOOST_TEST(pair.server.app.calls.empty());
  BOOST_TEST(pair.client.app.answers.empty());
  BOOST_TEST(pair.server.messages.received().received == 0u);
}

BOOST_AUTO_TEST_CASE(cancelling_an_open_call_reaches_the_callee) {
  CallPair pair;
  const CallId id = called(pair.client, "x");
  called(pair.client, "y");
  pair.exchange();
  const IncomingCallId incoming = pair.server.app.calls.front().id;
  BOOST_TEST(pair.client.calls.cancel(id));
  pair.exchange();
  BOOST_TEST_REQUIRE(pair.server.app.over.size() == 1u);
  BOOST_TEST((pair.server.app.over.front() == std::pair{incoming, CallEnd::cancelled}));
  BOOST_TEST((pair.server.calls.answer(incoming, {}).error() == AnswerError::unknown_call));
  BOOST_TEST(pair.client.app.answers.empty());
  BOOST_TEST(pair.server.calls.answer(pair.server.app.calls.back().id, {}).has_value());  // the other one is still open
}

BOOST_AUTO_TEST_CASE(call_that_is_taken_back_on_its_way_is_not_told) {
  CallPair pair;
  const CallId id = called(pair.client, "x");
  pair.pass(0ms);
  const CallPacket late = pair.client.packet();
  BOOST_TEST(pair.client.calls.cancel(id));
  pair.exchange();
  pair.server.receive(late);
  BOOST_TEST(pair.server.app.calls.empty());
  BOOST_TEST(pair.server.app.over.empty());
}

BOOST_AUTO_TEST_CASE(cancelling_crosses_the_answer) {
  CallPair pair;
  const CallId id = called(pair.client, "x");
  pair.exchange();
  BOOST_TEST(pair.server.calls.answer(last_call(pair.server), {}).has_value());
  BOOST_TEST(pair.client.calls.cancel(id));
  pair.exchange();
  BOOST_TEST(pair.client.app.answers.empty());
  BOOST_TEST(pair.client.calls.made().answers_unmatched == 1u);
  BOOST_TEST(pair.server.app.over.empty());
  // And after the answer there is nothing to cancel.
  const CallId other = called(pair.client, "y");
  pair.exchange();
  BOOST_TEST(pair.server.calls.answer(last_call(pair.server), {}).has_value());
  pair.exchange();
  BOOST_TEST(!pair.client.calls.cancel(other));
}

BOOST_AUTO_TEST_CASE(calls_that_wait_are_bounded) {
  CallConfig two = calls_on();
  two.max_waiting = 2;
  CallPair pair(two);
  called(pair.client, "a");
  const CallId second = called(pair.client, "b");
  BOOST_TEST((refusal(pair.client, "c") == CallError::too_many));
  pair.client.calls.cancel(second);
  called(pair.client, "c");
}

BOOST_AUTO_TEST_CASE(open_calls_of_the_peer_are_bounded_and_the_newest_is_refused) {
  CallConfig two = calls_on();
  two.max_incoming = 2;
  CallPair pair(calls_on(), two);
  called(pair.client, "a");
  called(pair.client, "b");
  const CallId third = called(pair.client, "c", {.trace_id = 4});
  pair.exchange();
  BOOST_TEST(pair.server.app.calls.size() == 2u);
  BOOST_TEST((only_outcome(pair.client) == CallOutcome::failed));
  BOOST_TEST((pair.client.app.answers.front().call == third));
  BOOST_TEST((pair.client.app.answers.front().reason == ErrorReason::too_many));
  BOOST_TEST(pair.client.app.answers.front().trace_id == 4u);
  BOOST_TEST(pair.server.calls.taken().refused == 1u);
  BOOST_TEST(pair.server.calls.answer(last_call(pair.server), {}).has_value());
  called(pair.client, "d");
  pair.exchange();
  BOOST_TEST(pair.server.app.calls.size() == 3u);
}

BOOST_AUTO_TEST_CASE(call_that_cannot_be_made_is_refused_and_leaves_nothing) {
  CallPair pair;
  BOOST_TEST((refusal(pair.client, "x", {.timeout = 0ms}) == CallError::invalid_timeout));
  BOOST_TEST((refusal(pair.client, "x", {.timeout = -1ms}) == CallError::invalid_timeout));
  BOOST_TEST((refusal(pair.client, std::string(kMaxCallData + 1, 'a')) == CallError::too_large));
  called(pair.client, std::string(kMaxCallData, 'a'));
  pair.exchange();
  BOOST_TEST(pair.server.app.calls.front().data.size() == kMaxCallData);

  CallPair off({}, calls_on());
  BOOST_TEST((refusal(off.client, "x") == CallError::not_enabled));
  MessageConfig none;
  none.window = 0;
  CallPair deaf(calls_on(), calls_on(), {}, none);
  BOOST_TEST((refusal(deaf.client, "x") == CallError::not_taken));
  MessageConfig small;
  small.send_buffer = 120;
  CallPair narrow(calls_on(), calls_on(), small);
  called(narrow.client, "x");
  BOOST_TEST((refusal(narrow.client, "x") == CallError::queue_full));
  for (CallPair* each : {&pair, &off, &deaf, &narrow}) {
    each->exchange();
    each->pass(1h);
  }
  BOOST_TEST(narrow.client.app.answers.size() == 1u);
  BOOST_TEST(off.client.app.answers.empty());
  BOOST_TEST(deaf.client.app.answers.empty());
}

BOOST_AUTO_TEST_CASE(each_waiting_call_is_told_when_the_connection_ends) {
  CallPair pair;
  called(pair.client, "sent", {.cookie = 1});
  pair.exchange();
  called(pair.client, "not acknowledged", {.cookie = 2});
  pair.pass(0ms);
  pair.client.packet();
  called(pair.client, "not sent", {.cookie = 3});
  const CallId cancelled = called(pair.client, "cancelled");
  pair.client.calls.cancel(cancelled);
  pair.client.calls.end();
  pair.client.calls.end();
  std::map<std::uint64_t, CallOutcome> outcomes;
  for (const auto& answer : pair.client.app.answers) BOOST_TEST(outcomes.emplace(answer.cookie, answer.outcome).second);
  BOOST_TEST_REQUIRE(outcomes.size() == 3u);
  BOOST_TEST((outcomes[1] == CallOutcome::unknown));
  BOOST_TEST((outcomes[2] == CallOutcome::unknown));
  BOOST_TEST((outcomes[3] == CallOutcome::not_sent));
  // Nothing is told after that, on neither side.
  pair.server.calls.end();
  pair.pass(1h);
  BOOST_TEST(pair.client.app.answers.size() == 3u);
  BOOST_TEST(pair.server.app.over.empty());
  BOOST_TEST((pair.client.calls.deadline() == kNever));
}

BOOST_AUTO_TEST_CASE(malformed_call_is_answered) {
  CallPair pair;
  const std::vector<std::uint8_t> short_payload(19, 7);
  pair.client.send({.type = MessageType::call, .id = 55, .payload = short_payload});
  pair.exchange();
  BOOST_TEST(pair.server.app.calls.empty());
  BOOST_TEST(pair.server.app.messages.empty());
  BOOST_TEST(pair.server.calls.taken().malformed == 1u);
  BOOST_TEST(pair.server.messages.sent().sent == 1u);
  BOOST_TEST((pair.client.app.messages == std::vector{MessageType::error}));  // the part under test made no such call
}

BOOST_AUTO_TEST_CASE(call_with_the_id_of_an_open_one_is_ignored) {
  CallPair pair;
  const std::vector<std::uint8_t> payload(20, 7);
  pair.client.send({.type = MessageType::call, .id = 55, .payload = payload});
  pair.client.send({.type = MessageType::call, .id = 55, .payload = payload});
  pair.exchange();
  BOOST_TEST(pair.server.app.calls.size() == 1u);
  BOOST_TEST(pair.server.calls.taken().malformed == 1u);
  BOOST_TEST(pair.server.messages.sent().sent == 0u);
  BOOST_TEST(pair.server.calls.answer(last_call(pair.server), {}).has_value());
  pair.client.send({.type = MessageType::call, .id = 55, .payload = payload});
  pair.exchange();
  BOOST_TEST(pair.server.app.calls.size() == 2u);
}

BOOST_AUTO_TEST_CASE(malformed_error_is_counted) {
  for (const char* const bytes : {"", "03", "0300ff"}) {
    CallPair pair;
    const CallId id = called(pair.client, "x");
    pair.exchange();
    const auto payload = hex(bytes);
    pair.server.send({.type = MessageType::error, .id = id.value(), .payload = payload});
    pair.exchange();
    BOOST_TEST(pair.client.calls.malformed_errors() == 1u, bytes);
    BOOST_TEST(pair.client.app.answers.empty());
    BOOST_TEST(pair.client.app.messages.empty());
  }
}

BOOST_AUTO_TEST_CASE(answers_to_calls_that_are_over_are_counted_and_others_are_the_applications) {
  CallPair pair;
  const CallId id = called(pair.client, "x");
  pair.exchange();
  BOOST_TEST(pair.server.calls.answer(last_call(pair.server), {}).has_value());
  pair.exchange();
  const auto failure = encode_payload(ErrorPayload{ErrorReason::full, {}});
  const auto cancel = encode_payload(ErrorPayload{ErrorReason::cancelled, {}});
  // The same call once more; one that comes later at the same place, one at another place, and any other number.
  for (const std::uint64_t answered : {id.value(), id.value() + 1024, id.value() + 1, std::uint64_t{1} << 63}) {
    pair.server.send({.type = MessageType::response, .id = answered});
    pair.server.send({.type = MessageType::error, .id = answered, .payload = failure});
    pair.server.send({.type = MessageType::error, .id = answered, .payload = cancel});
  }
  pair.server.send({.type = MessageType::error, .id = std::uint64_t{1} << 63});  // and one that has no layout
  pair.exchange();
  BOOST_TEST(pair.client.app.answers.size() == 1u);
  BOOST_TEST(pair.client.app.over.empty());
  BOOST_TEST(pair.client.calls.made().answers_unmatched == 2u);
  BOOST_TEST(pair.client.app.messages.size() == 7u);
  BOOST_TEST(pair.client.calls.malformed_errors() == 0u);
}

BOOST_AUTO_TEST_CASE(without_the_setting_the_application_has_everything) {
  CallPair pair({}, {});
  const std::vector<std::uint8_t> payload(20, 7);
  for (const MessageType type : {MessageType::call, MessageType::response, MessageType::error, MessageType::ack})
    pair.client.send({.type = type, .id = 1, .payload = payload});
  pair.exchange();
  BOOST_TEST(pair.server.app.messages.size() == 4u);
  BOOST_TEST(pair.server.app.calls.empty());
}

BOOST_AUTO_TEST_CASE(what_is_no_call_and_what_cannot_be_read_goes_to_the_application) {
  CallPair pair;
  const std::vector<std::uint8_t> payload(20, 7);
  for (const MessageType type : {MessageType::event, MessageType::ack, MessageType::stream_open})
    pair.client.send({.type = type, .id = 1, .payload = payload});
  for (const MessageFlag flag : {MessageFlag::compressed, MessageFlag::encrypted})
    pair.client.send(
        {.type = MessageType::call, .flags = static_cast<std::uint8_t>(flag), .id = 2, .payload = payload});
  pair.exchange();
  BOOST_TEST(pair.server.app.messages.size() == 5u);
  BOOST_TEST(pair.server.app.calls.empty());
}

BOOST_AUTO_TEST_CASE(application_that_takes_no_messages_holds_up_no_calls) {
  CallPair pair;
  pair.server.app.takes_messages = pair.client.app.takes_messages = false;
  for (CallSide* side : {&pair.client, &pair.server}) side->send({.type = MessageType::event, .id = 1});
  const CallId id = called(pair.client, "x");
  const CallId cancelled = called(pair.client, "y");
  pair.exchange();
  BOOST_TEST_REQUIRE(pair.server.app.calls.size() == 2u);
  BOOST_TEST(pair.client.calls.cancel(cancelled));
  BOOST_TEST(pair.server.calls.answer_error(pair.server.app.calls.front().id, ErrorReason::full, "").has_value());
  pair.exchange();
  BOOST_TEST((only_outcome(pair.client) == CallOutcome::failed));
  BOOST_TEST((pair.client.app.answers.front().call == id));
  BOOST_TEST(pair.server.app.over.size() == 1u);
}

BOOST_AUTO_TEST_CASE(open_calls_are_found_by_the_ids_of_the_peer_whatever_those_are) {
  CallPair pair;
  const std::vector<std::uint8_t> payload(20, 7);
  const auto cancel = encode_payload(ErrorPayload{ErrorReason::cancelled, {}});
  const auto id_of = [](std::uint64_t i) { return i % 2 == 0 ? i << 32 : ~i; };
  for (std::uint64_t i = 0; i != 1000; ++i)
    pair.client.send({.type = MessageType::call, .id = id_of(i), .trace_id = i, .payload = payload});
  pair.exchange();
  BOOST_TEST_REQUIRE(pair.server.app.calls.size() == 1000u);
  for (std::uint64_t i = 0; i < 1000; i += 3)
    pair.client.send({.type = MessageType::error, .id = id_of(i), .payload = cancel});
  pair.exchange();
  BOOST_TEST(pair.server.app.over.size() == 334u);
  std::set<std::uint64_t> over;
  for (const auto& [id, end] : pair.server.app.over) over.insert(id.value());
  for (const auto& call : pair.server.app.calls) BOOST_TEST(over.contains(call.id.value()) == (call.trace_id % 3 == 0));
}

BOOST_AUTO_TEST_CASE(nothing_is_allocated_for_a_call) {
  CallPair pair;
  struct Silent : CallEvents, MessageEvents {
    Calls* calls = nullptr;
    std::uint64_t count = 0;
    void on_answer(const CallAnswer&) override { ++count; }
    void on_call(const IncomingCall& call) override {
      BOOST_TEST_REQUIRE(calls->answer(call.id, call.data).has_value());
    }
    void on_call_cancelled(IncomingCallId, CallEnd) override {}
    bool on_message(const Message&) override { return true; }
    void on_messages_expired(std::uint64_t) override {}
    void on_message_outcome(MessageTicket, MessageOutcome) override {}
    void on_messages_writable(MessageClass) override {}
  } of_client, of_server;
  const MessageConfig messages;
  const CallConfig config = calls_on();
  struct Side {
    PrivateKey identity = key_of(1);
    PayloadTools tools{1};
    SeededRandom random{1};
    MessageAcks acks;
    MessageWrapper wrapper;
    Calls calls;
    MessageOpener opener;
    Messages messages;
    Side(const MessageConfig& messages_, const CallConfig& config_, Silent& app)
        : acks(messages, app),
          wrapper(messages, tools, random, identity, identity.public_key()),
          calls(config_, wrapper, acks, app, 1),
          opener(messages_, tools, identity, messages, calls),
          messages(messages_, opener) {
      app.calls = &calls;
      TransportParameters parameters;
      Messages::announce(messages_, parameters);
      messages.on_peer_parameters(parameters);
    }
  } client(messages, config, of_client), server(messages, config, of_server);

  Timestamp now{};
  std::array<std::uint8_t, 1170> buffer;
  std::array<SentFrame, 16> frames;
  const auto carry = [&](Side& from, Side& to) {
    Writer out(buffer);
    std::size_t count = 0;
    const auto note = [&](const SentFrame& frame) { frames.at(count++) = frame; };
    from.messages.write_control(out, note);
    from.messages.write(MessageClass::critical, out, note, buffer.size());
    FrameReader reader(ByteView(buffer).first(out.written()));
    for (auto frame = reader.next(); frame && *frame; frame = reader.next()) {
      if (const auto* message = std::get_if<MessageFrame>(&**frame))
        BOOST_TEST_REQUIRE(to.messages.on_frame(*message).has_value());
      if (const auto* limit = std::get_if<MaxMessagesFrame>(&**frame)) to.messages.on_frame(*limit);
    }
    for (std::size_t i = 0; i != count; ++i) from.messages.on_frame_acknowledged(frames[i]);
  };
  const auto round = [&] {
    now += 1ms;
    for (Side* side : {&client, &server}) side->messages.on_clock(now, 10ms), side->calls.on_clock(now);
    for (int i = 0; i != 8; ++i) BOOST_TEST_REQUIRE(client.calls.call(kTarget, bytes_of("ping"), {}).has_value());
    for (Side* side : {&client, &server}) side->calls.on_clock(now);
    carry(client, server);
    carry(server, client);
  };
  for (int i = 0; i != 2000; ++i) round();
  const std::uint64_t before = allocations();
  for (int i = 0; i != 2000; ++i) round();
  BOOST_TEST(allocations() == before);
  BOOST_TEST(of_client.count == 32'000u);
}

// docs/protocol.md §5.3: the messages as they travel.
BOOST_AUTO_TEST_CASE(calls_of_the_document) {
  // Carries what a side has to send, and returns its messages.
  const auto carried = [](CallSide& from, CallSide& to) {
    const CallPacket packet = from.packet();
    std::vector<std::vector<std::uint8_t>> messages;
    FrameReader reader(packet.payload);
    for (auto frame = reader.next(); frame && *frame; frame = reader.next())
      if (const auto* message = std::get_if<MessageFrame>(&**frame))
        messages.emplace_back(message->body.begin(), message->body.end());
    to.receive(packet);
    from.acknowledge(packet);
    BOOST_TEST_REQUIRE(messages.size() == 1u);
    return messages.front();
  };
  ExampleText text;
  CallConfig none = calls_on();
  none.max_incoming = 1;
  const auto called_once = [&](CallPair& pair) {
    called(pair.client, "ping", {.timeout = 30s});
    pair.pass(0ms);
    return carried(pair.client, pair.server);
  };
  CallPair answered, failed, cancelled, full(calls_on(), none);
  text.field("Call", called_once(answered), "id 1024, 30 seconds, \"ping\"");
  BOOST_TEST(answered.server.calls.answer(last_call(answered.server), bytes_of("pong")).has_value());
  text.field("Response", carried(answered.server, answered.client), "\"pong\"");
  BOOST_TEST((only_outcome(answered.client) == CallOutcome::answered));

  called_once(failed);
  BOOST_TEST(failed.server.calls.answer_error(last_call(failed.server), ErrorReason(0x8004), "busy").has_value());
  text.field("Error", carried(failed.server, failed.client), "instead: the application's reason 0x8004, \"busy\"");
  BOOST_TEST((only_outcome(failed.client) == CallOutcome::failed));

  const auto another = encode_payload(CallPayload{});
  full.client.send({.type = MessageType::call, .id = 1, .payload = another});
  full.exchange();
  called_once(full);
  text.field("Error", carried(full.server, full.client), "instead: too many calls are open");
  BOOST_TEST((full.client.app.answers.front().reason == ErrorReason::too_many));

  called_once(cancelled);
  BOOST_TEST(cancelled.client.calls.cancel(CallId(1024)));
  text.field("Error", carried(cancelled.client, cancelled.server), "by the caller: the call is taken back");
  BOOST_TEST(cancelled.server.app.over.size() == 1u);
  expect_example("calls", text.text());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace calls_test
