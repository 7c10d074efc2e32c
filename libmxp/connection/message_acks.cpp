#include "connection/message_acks.h"

#include <utility>

namespace mxp {
namespace {

// An Ack is not acknowledged, whatever it says: two sides would go on for ever.
bool wants_ack(const Message& message) {
  return message.type != MessageType::ack && (message.flags & static_cast<unsigned>(MessageFlag::requires_ack)) != 0;
}

}  // namespace

bool MessageAcks::on_message(const Message& message) {
  if (wants_ack(message) && owed_) {
    holds_ = true;
    return false;
  }
  if (!application_.on_message(message)) return false;
  on_taken(message);
  return true;
}

void MessageAcks::on_taken(const Message& message) {
  if (!wants_ack(message)) return;
  const Owed owed{message.id, message.trace_id};
  if (!send(owed) && !owed_) owed_ = owed;
}

bool MessageAcks::send(const Owed& owed) {
  // Not in the class of its type, where an application's events may fill the room.
  const auto ticket = messages_.send({.type = MessageType::ack, .id = owed.id, .trace_id = owed.trace_id},
                                     {.traffic_class = MessageClass::control});
  return ticket || ticket.error() != SendMessageError::queue_full;
}

void MessageAcks::on_messages_writable(MessageClass traffic_class) {
  if (owed_ && send(*owed_)) {
    owed_.reset();
    if (std::exchange(holds_, false)) messages_.resume();
  }
  application_.on_messages_writable(traffic_class);
}

}  // namespace mxp
