// Messages and calls of two sides, with packets carried between them by hand, and applications that record what
// they are told.
#pragma once

#include <boost/test/unit_test.hpp>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "connection/calls.h"
#include "connection/message_opener.h"
#include "connection/message_wrapper.h"
#include "core/frame_reader.h"
#include "scheduler/messages.h"
#include "support/pattern.h"

namespace mxp::test {

using namespace std::chrono_literals;

inline std::string text_of(ByteView bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }
inline ByteView bytes_of(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

template <typename Event>
std::optional<PayloadOrigin> origin_of(const Event& event) {
  return event.origin == nullptr ? std::nullopt : std::optional(*event.origin);
}

inline PrivateKey key_of(std::uint8_t byte) {
  std::array<std::uint8_t, PrivateKey::kSize> bytes;
  bytes.fill(byte);
  return PrivateKey::from_bytes(bytes);
}

struct RecordingCalls : CallEvents, MessageEvents {
  struct Answered {
    CallId call;
    std::uint64_t cookie, trace_id;
    CallOutcome outcome;
    std::string data;
    ErrorReason reason;
    std::string text;
    std::uint8_t flags;
    std::optional<PayloadOrigin> origin;
  };
  struct Called {
    IncomingCallId id;
    std::uint64_t trace_id;
    Uuid target;
    Duration time_left;
    std::string data;
    std::optional<PayloadOrigin> origin;
  };
  struct Told {
    MessageType type;
    std::uint8_t flags;
    std::uint64_t id, trace_id;
    std::string payload;
    std::optional<PayloadOrigin> origin;
  };
  std::vector<Answered> answers;
  std::vector<Called> calls;
  std::vector<std::pair<IncomingCallId, CallEnd>> over;
  std::vector<MessageType> messages;  // that are no business of calls
  std::vector<std::uint64_t> ids;     // of them
  std::vector<Told> told;             // the same, whole
  int asked = 0;                      // whether it takes a message
  bool takes_messages = true;
  std::function<void(const CallAnswer&)> answer_hook = [](const CallAnswer&) {};
  std::function<void(const IncomingCall&)> call_hook = [](const IncomingCall&) {};

  void on_answer(const CallAnswer& it) override {
    answers.push_back({it.call, it.cookie, it.trace_id, it.outcome, text_of(it.data), it.reason, std::string(it.text),
                       it.flags, origin_of(it)});
    answer_hook(it);
  }
  void on_call(const IncomingCall& it) override {
    calls.push_back({it.id, it.trace_id, it.target, it.time_left, text_of(it.data), origin_of(it)});
    call_hook(it);
  }
  void on_call_cancelled(IncomingCallId id, CallEnd end) override { over.emplace_back(id, end); }
  bool on_message(const Message& message) override {
    ++asked;
    if (!takes_messages) return false;
    messages.push_back(message.type);
    ids.push_back(message.id);
    told.push_back(
        {message.type, message.flags, message.id, message.trace_id, text_of(message.payload), origin_of(message)});
    return true;
  }
  void on_messages_expired(std::uint64_t) override {}
  void on_message_outcome(MessageTicket, MessageOutcome) override {}
  void on_messages_writable(MessageClass) override {}
};

struct CallPacket {
  std::vector<std::uint8_t> payload;
  std::vector<SentFrame> frames;
};

struct CallSide {
  MessageConfig message_config;
  CallConfig config;
  PrivateKey identity = key_of(0x51);
  PublicKey peer;
  PayloadTools tools{EndpointLimits().max_opened_payloads};
  SeededRandom random{1};
  RecordingCalls app;
  MessageAcks acks;
  MessageWrapper wrapper;
  Calls calls;
  MessageOpener opener;
  Messages messages;

  explicit CallSide(const CallConfig& config_, const MessageConfig& message_config_ = {})
      : message_config(message_config_),
        config(config_),
        acks(messages, app),
        wrapper(messages, tools, random, identity, peer),
        calls(config, wrapper, acks, app, 12345),
        opener(message_config, tools, identity, messages, calls),
        messages(message_config, opener) {}

  void at(Timestamp now) {
    messages.on_clock(now, 10ms);
    opener.on_clock(now);
    calls.on_clock(now);
    messages.deliver_resumed();
  }
  bool has_pending() const {
    for (std::size_t i = 0; i != kMessageClasses; ++i)
      if (messages.has_pending(static_cast<MessageClass>(i))) return true;
    return messages.has_control();
  }
  CallPacket packet(std::size_t size = 1170) {
    CallPacket packet;
    packet.payload.resize(size);
    Writer out(packet.payload);
    const auto note = [&](const SentFrame& frame) { packet.frames.push_back(frame); };
    messages.write_control(out, note);
    for (std::size_t i = 0; i != kMessageClasses; ++i) messages.write(static_cast<MessageClass>(i), out, note, size);
    packet.payload.resize(out.written());
    return packet;
  }
  void receive(const CallPacket& packet) {
    FrameReader reader(packet.payload);
    for (;;) {
      const auto frame = reader.next();
      BOOST_TEST_REQUIRE(frame.has_value());
      if (!frame->has_value()) return;
      std::expected<void, TransportError> result;
      if (const auto* message = std::get_if<MessageFrame>(&**frame)) result = messages.on_frame(*message);
      if (const auto* part = std::get_if<MessagePartFrame>(&**frame)) result = messages.on_frame(*part);
      if (const auto* expired = std::get_if<ExpiredFrame>(&**frame)) result = messages.on_frame(*expired);
      if (const auto* blocked = std::get_if<MessagesBlockedFrame>(&**frame)) messages.on_frame(*blocked);
      if (const auto* limit = std::get_if<MaxMessagesFrame>(&**frame)) messages.on_frame(*limit);
      BOOST_TEST_REQUIRE(result.has_value());
    }
  }
  void acknowledge(const CallPacket& packet) {
    for (const SentFrame& frame : packet.frames) messages.on_frame_acknowledged(frame);
  }
  // Something that is no call of the part under test.
  void send(const Message& message, const MessageOptions& options = {}) {
    BOOST_TEST_REQUIRE(wrapper.send(message, options).has_value());
  }
};

inline CallConfig calls_on() { return {.enabled = true}; }

struct CallPair {
  CallSide client, server;
  Timestamp now{1h};

  explicit CallPair(const CallConfig& of_client = calls_on(), const CallConfig& of_server = calls_on(),
                    const MessageConfig& messages_of_client = {}, const MessageConfig& messages_of_server = {})
      : client(of_client, messages_of_client), server(of_server, messages_of_server) {
    server.identity = key_of(0x72);
    client.peer = server.identity.public_key();
    server.peer = client.identity.public_key();
    TransportParameters client_parameters, server_parameters;
    Messages::announce(messages_of_client, client_parameters);
    Messages::announce(messages_of_server, server_parameters);
    client.messages.on_peer_parameters(server_parameters);
    server.messages.on_peer_parameters(client_parameters);
    pass(0ms);
  }
  void pass(Duration time) {
    now += time;
    client.at(now);
    server.at(now);
  }
  // Carries everything over a perfect path until both are silent.
  void exchange() {
    pass(0ms);
    for (int packets = 0; client.has_pending() || server.has_pending(); ++packets) {
      BOOST_TEST_REQUIRE(packets < 100'000);
      for (auto [from, to] : {std::pair{&client, &server}, std::pair{&server, &client}}) {
        const CallPacket packet = from->packet();
        to->receive(packet);
        from->acknowledge(packet);
      }
    }
  }
};

}  // namespace mxp::test
