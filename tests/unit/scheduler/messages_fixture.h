// Two Messages objects with packets carried between them by hand, and applications that record what they are told.
#pragma once

#include <array>
#include <boost/test/unit_test.hpp>
#include <functional>
#include <map>
#include <string>
#include <variant>
#include <vector>

#include "core/frame_reader.h"
#include "scheduler/messages.h"

namespace mxp::test {

struct RecordingMessages : MessageEvents {
  std::vector<std::uint64_t> received;  // ids, in the order in which they were taken
  std::map<std::uint64_t, std::string> payloads;
  std::map<std::uint64_t, MessageOutcome> outcomes;  // by ticket
  std::uint64_t expired = 0;
  std::vector<MessageClass> writable;
  std::function<bool(const Message&)> takes = [](const Message&) { return true; };
  std::function<void()> on_outcome = [] {};
  // In place of `takes`, for an application behind a connection that has messages of its own.
  std::function<Offered(const Message&, Audience)> offers;

  Offered offer(const Message& message, Audience audience) override {
    return offers ? offers(message, audience) : MessageEvents::offer(message, audience);
  }
  bool on_message(const Message& message) override {
    if (!takes(message)) return false;
    received.push_back(message.id);
    payloads[message.id] = std::string(reinterpret_cast<const char*>(message.payload.data()), message.payload.size());
    return true;
  }
  void on_messages_expired(std::uint64_t count) override { expired += count; }
  void on_message_outcome(MessageTicket ticket, MessageOutcome outcome) override {
    BOOST_TEST_REQUIRE(outcomes.emplace(ticket.value(), outcome).second);
    on_outcome();
  }
  void on_messages_writable(MessageClass traffic_class) override { writable.push_back(traffic_class); }
};

struct MessagePacket {
  std::vector<std::uint8_t> payload;
  std::vector<SentFrame> frames;
};

struct MessageSide {
  MessageConfig config;
  RecordingMessages app;
  Messages messages;

  explicit MessageSide(const MessageConfig& config_) : config(config_), messages(config, app) {}

  std::expected<MessageTicket, SendMessageError> send(std::uint64_t id, std::size_t size = 10,
                                                      const MessageOptions& options = {},
                                                      MessageType type = MessageType::event) {
    const std::vector<std::uint8_t> payload(size, static_cast<std::uint8_t>(id));
    return messages.send({.type = type, .id = id, .payload = payload}, options);
  }
  bool has_pending() const {
    for (std::size_t i = 0; i != kMessageClasses; ++i)
      if (messages.has_pending(static_cast<MessageClass>(i))) return true;
    return messages.has_control();
  }
  MessagePacket packet(std::size_t size = 1170) {
    MessagePacket packet;
    packet.payload.resize(size);
    Writer out(packet.payload);
    const auto note = [&](const SentFrame& frame) { packet.frames.push_back(frame); };
    messages.write_control(out, note);
    for (std::size_t i = 0; i != kMessageClasses; ++i) messages.write(static_cast<MessageClass>(i), out, note, size);
    packet.payload.resize(out.written());
    return packet;
  }
  std::expected<void, TransportError> receive(const MessagePacket& packet) {
    FrameReader reader(packet.payload);
    while (true) {
      const auto frame = reader.next();
      BOOST_TEST_REQUIRE(frame.has_value());
      if (!frame->has_value()) return {};
      std::expected<void, TransportError> result;
      if (const auto* message = std::get_if<MessageFrame>(&**frame)) result = messages.on_frame(*message);
      if (const auto* part = std::get_if<MessagePartFrame>(&**frame)) result = messages.on_frame(*part);
      if (const auto* expired = std::get_if<ExpiredFrame>(&**frame)) result = messages.on_frame(*expired);
      if (const auto* blocked = std::get_if<MessagesBlockedFrame>(&**frame)) messages.on_frame(*blocked);
      if (const auto* limit = std::get_if<MaxMessagesFrame>(&**frame)) messages.on_frame(*limit);
      if (!result) return result;
    }
  }
  void acknowledge(const MessagePacket& packet) {
    for (const SentFrame& frame : packet.frames) messages.on_frame_acknowledged(frame);
  }
  void lose(const MessagePacket& packet) {
    for (const SentFrame& frame : packet.frames) messages.on_frame_lost(frame);
  }
};

struct MessagePair {
  MessageSide client, server;

  explicit MessagePair(const MessageConfig& client_config = {}, const MessageConfig& server_config = {})
      : client(client_config), server(server_config) {
    TransportParameters of_client, of_server;
    Messages::announce(client_config, of_client);
    Messages::announce(server_config, of_server);
    client.messages.on_peer_parameters(of_server);
    server.messages.on_peer_parameters(of_client);
  }
  // Carries everything over a perfect path until both are silent.
  void exchange() {
    for (int packets = 0; client.has_pending() || server.has_pending(); ++packets) {
      BOOST_TEST_REQUIRE(packets < 100'000);
      for (auto [from, to] : {std::pair{&client, &server}, std::pair{&server, &client}}) {
        const MessagePacket packet = from->packet();
        const auto result = to->receive(packet);
        BOOST_TEST_REQUIRE(result.has_value(), (result ? "" : result.error().reason));
        from->acknowledge(packet);
      }
    }
  }
};

}  // namespace mxp::test
