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

  // Whether a message that has come is the connection's own business. If so, it is taken and told to nobody else. Asked
  // of each message that has its turn before the application is, whatever that does not take.
  virtual bool take_own(const Message&) { return false; }
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
