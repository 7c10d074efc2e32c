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
  // wait for what the application does not take.
  enum class Audience : std::uint8_t { everybody, connection };
  enum class Offered : std::uint8_t {
    taken,
    refused,  // it is kept with its class, which is told again when somebody asks for the class
    later,  // it may be the connection's own, but nobody can tell yet: it is kept apart and holds up no other message,
            // but for its ordered channel, until the connection asks for what is kept so (Messages::kUnopened)
  };
  // A message has come that has its turn, or is told again after it was not taken; as on_message, but for the audience.
  // Messages come by this call alone: whoever does not tell the two audiences apart overrides on_message(), all others
  // this, to which their on_message() then leads.
  virtual Offered offer(const Message& message, Audience audience) {
    return audience == Audience::everybody && on_message(message) ? Offered::taken : Offered::refused;
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
