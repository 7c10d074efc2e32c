#include "connection/message_wrapper.h"

#include "message/flags.h"
#include "mxp/message_sealing.h"

namespace mxp {

std::expected<MessageTicket, SendMessageError> MessageWrapper::send_wrapped(Message message,
                                                                            const MessageOptions& options) {
  // Before the work: a peer that takes no messages takes none of any kind.
  if (!messages_.are_sent()) return std::unexpected(SendMessageError::not_taken);
  const bool compresses = options.compress != PayloadCompression::none;
  const bool is_compressed = (message.flags & kCompressed) != 0;
  // Each flag says one thing done once, and what is sealed is done with (docs/protocol.md §1.2).
  if ((message.flags & kEncrypted) != 0 || (compresses && is_compressed))
    return std::unexpected(SendMessageError::invalid);
  if (message.payload.size() > kMaxMessagePayload) return std::unexpected(SendMessageError::too_large);

  // The compressed payload is put where the sealed one is made out of it.
  const MutableBytes room = tools_.outgoing.take(message.payload.size() + kSealingOverhead);
  if (compresses) {
    const MutableBytes place = room.subspan(kSealedPayloadOffset, message.payload.size());
    if (const auto size = tools_.compressor.compress(message.payload, place)) {
      message.flags |= kCompressed;
      message.payload = place.first(*size);
    }
  }
  if (options.seal == PayloadSealing::to_peer) {
    const auto sealed = seal_payload(identity_, peer_, message, random_, room);
    // The handshake has proven that the peer's key is one.
    if (!sealed) return std::unexpected(SendMessageError::too_large);
    message = *sealed;
  }
  return messages_.send(message, options);
}

}  // namespace mxp
