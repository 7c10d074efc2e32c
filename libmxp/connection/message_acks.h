// A message with REQUIRES_ACK is answered with an Ack once its application has taken it (docs/protocol.md §5.2). This
// part stands between the messages and the application and sees what is taken.
//
// An Ack is a message like others and needs room in its class. While one waits for room, messages that want another one
// are not told: they are kept as if the application had not taken them, and count against the peer's credit. So a peer
// that asks for many and reads none holds up itself, and nothing grows here (threat t69).
#pragma once

#include <cstdint>
#include <optional>

#include "scheduler/message_events.h"
#include "scheduler/messages.h"

namespace mxp {

class MessageAcks final : public MessageEvents {
 public:
  // Both outlive this object, and `messages` may not be there yet: it tells this object of its messages.
  MessageAcks(Messages& messages, MessageEvents& application) : messages_(messages), application_(application) {}

  // The message has been taken. For those that somebody else than the application takes: if there is no room for their
  // Ack, and another one waits already, it is not sent.
  void on_taken(const Message& message);

  // Whether an Ack waits for room.
  bool owes() const { return owed_.has_value(); }

  // MessageEvents.
  bool on_message(const Message& message) override;
  void on_messages_expired(std::uint64_t count) override { application_.on_messages_expired(count); }
  void on_message_outcome(MessageTicket ticket, MessageOutcome outcome) override {
    application_.on_message_outcome(ticket, outcome);
  }
  void on_messages_writable(MessageClass traffic_class) override;

 private:
  struct Owed {
    std::uint64_t id = 0;
    std::uint64_t trace_id = 0;
  };
  // False if there is no room.
  bool send(const Owed& owed);

  Messages& messages_;
  MessageEvents& application_;
  std::optional<Owed> owed_;  // waits for room
  bool holds_ = false;        // a message was kept for that
};

}  // namespace mxp
