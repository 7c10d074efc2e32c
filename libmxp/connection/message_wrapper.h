// The way of an application's messages out: their payloads are compressed and sealed as it wishes (docs/protocol.md
// §1.2), and then they are queued. Everything else that a message needs to be sent is the business of Messages.
#pragma once

#include <expected>
#include <optional>

#include "connection/payload_tools.h"
#include "mxp/keys.h"
#include "mxp/random.h"
#include "scheduler/messages.h"

namespace mxp {

class MessageWrapper {
 public:
  // All of them outlive this object; `messages` may not be there yet, and `peer` may be known only later.
  MessageWrapper(Messages& messages, PayloadTools& tools, Random& random, const PrivateKey& identity,
                 const PublicKey& peer)
      : messages_(messages), tools_(tools), random_(random), identity_(identity), peer_(peer) {}

  // As Messages, which also judges the size: of the payload as it travels.
  std::expected<MessageTicket, SendMessageError> send(const Message& message, const MessageOptions& options) {
    const bool as_it_is = options.compress == PayloadCompression::none && options.seal == PayloadSealing::none;
    return as_it_is ? messages_.send(message, options) : send_wrapped(message, options);
  }
  std::optional<MessageOutcome> cancel(MessageTicket ticket) { return messages_.cancel(ticket); }

 private:
  std::expected<MessageTicket, SendMessageError> send_wrapped(Message message, const MessageOptions& options);

  Messages& messages_;
  PayloadTools& tools_;
  Random& random_;
  const PrivateKey& identity_;
  const PublicKey& peer_;
};

}  // namespace mxp
