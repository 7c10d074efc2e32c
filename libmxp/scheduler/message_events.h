// What the messages of a connection have to tell. The connection implements this and hands each call on to the
// application, which may call any verb from inside.
#pragma once

#include <cstdint>

#include "mxp/message.h"
#include "mxp/message_options.h"

namespace mxp {

class MessageEvents {
 public:
  virtual ~MessageEvents() = default;

  // Who may take a message that has come: what is the connection's own business is told to nobody else, and does not
  // wait for what the application does not take. `connection` is asked once, when the message has its turn: what it
  // cannot take then, as its payload may not be opened yet, waits with its class.
  enum class Audience : std::uint8_t { everybody, connection };
  // A message has come that has its turn, or is told again after it was not taken; as on_message, but for the audience.
  // Messages come by this call alone: whoever does not tell the two audiences apart overrides on_message(), all others
  // this, to which their on_message() then leads.
  virtual bool offer(const Message& message, Audience audience) {
    return audience == Audience::everybody && on_message(message);
  }
  // A message has come; its payload is valid during the call only. Whether the application takes it: if not, a copy is
  // kept, and no other message of its class is told before it.
  virtual bool on_message(const Message& message) = 0;
  // So many messages that the peer wanted to send will not come: they expired.
  virtual void on_messages_expired(std::uint64_t count) = 0;
  virtual void on_message_outcome(MessageTicket ticket, MessageOutcome outcome) = 0;
  // A send of this class that failed for want of room may now succeed.
  virtual void on_messages_writable(MessageClass traffic_class) = 0;
};

}  // namespace mxp
