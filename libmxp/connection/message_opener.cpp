#include "connection/message_opener.h"

#include <utility>

#include "core/work.h"
#include "message/flags.h"
#include "mxp/message_sealing.h"

namespace mxp {
namespace {

Messages::ClassBits bit_of_class(const Message& message) {
  return static_cast<Messages::ClassBits>(1u << static_cast<unsigned>(message_class(message.type)));
}

}  // namespace

bool MessageOpener::is_wrapped(const Message& message) const {
  return (message.flags & (kCompressed | kEncrypted)) != 0 && config_.payloads == MessagePayloads::opened && !ended_;
}

MessageEvents::Offered MessageOpener::offer(const Message& message, Audience audience) {
  if (!is_wrapped(message)) return next_.offer(message, audience);
  // Most are not the connection's own, and need not be opened before they can be told.
  const bool may_be_own = next_.may_be_own(message);
  if (audience == Audience::connection && !may_be_own) return Offered::refused;
  // Otherwise the answers that come too late would use up the turns of those that do not, which then come too late.
  if (next_.is_too_late(message)) return next_.offer(message, audience);
  PayloadOrigin origin;
  const auto opened = open(message, origin);
  if (opened) return next_.offer(*opened, audience);
  waiting_ |= may_be_own ? Messages::kUnopened : bit_of_class(message);
  return may_be_own ? Offered::later : Offered::refused;
}

void MessageOpener::on_clock(Timestamp now) {
  now_ = now;
  if (deadline() <= now) messages_.resume(std::exchange(waiting_, 0));
}

void MessageOpener::end() {
  ended_ = true;
  // Also those whose turn has come with the packet that ended the connection.
  messages_.resume(std::exchange(waiting_, Messages::ClassBits{0}));
  messages_.deliver_resumed();
}

std::optional<Message> MessageOpener::open(const Message& message, PayloadOrigin& origin) {
  if (!turn_.may_begin(tools_.budget, now_, cost_of(message))) return std::nullopt;
  Message opened = message;
  const bool whole = unseal(opened, origin) && decompress(opened, origin);
  if (!whole) ++counters_.not_opened;
  if (origin.flags != 0) {
    ++counters_.opened;
    opened.origin = &origin;
  }
  return opened;
}

bool MessageOpener::unseal(Message& message, PayloadOrigin& origin) {
  if ((message.flags & kEncrypted) == 0) return true;
  if (message.payload.size() < kSealingOverhead) return false;
  MXP_WORK(1);
  const auto opened = open_payload(identity_, message, tools_.opened.take(message.payload.size() - kSealingOverhead));
  if (!opened) return false;
  origin.flags |= kEncrypted;
  origin.sealed_by = opened->sender;
  message = opened->message;
  return true;
}

bool MessageOpener::decompress(Message& message, PayloadOrigin& origin) {
  if ((message.flags & kCompressed) == 0) return true;
  const auto size = decompressed_size(message.payload, config_.max_decompressed);
  if (!size) return false;
  // How much is in a seal can be told only now.
  if ((origin.flags & kEncrypted) != 0) turn_.add(tools_.budget, now_, tools_.budget.content(*size));
  const MutableBytes content = tools_.content.take(*size);
  if (!tools_.decompressor.decompress(message.payload, config_.max_decompressed, content)) return false;
  origin.flags |= kCompressed;
  message.flags = static_cast<std::uint8_t>(message.flags & ~kCompressed);
  message.payload = content;
  return true;
}

Duration MessageOpener::cost_of(const Message& message) const {
  if ((message.flags & kEncrypted) != 0) return tools_.budget.seal();
  return tools_.budget.content(decompressed_size(message.payload, config_.max_decompressed).value_or(0));
}

}  // namespace mxp
