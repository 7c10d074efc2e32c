// Messages of a connection: how one is sent, and what becomes of it (docs/protocol.md §5.2).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "mxp/message.h"
#include "mxp/time.h"

#pragma GCC visibility push(default)
namespace mxp {

// Largest payload of a message that travels in one frame. Longer ones, up to kMaxMessagePayload, travel in parts and
// behave alike.
inline constexpr std::size_t kMaxShortMessage = 1100;

// Whether the connection compresses a payload. Never by itself: where an attacker can have text of its own compressed
// together with a secret, the size tells of the secret (docs/security.md, "What is given up").
enum class PayloadCompression : std::uint8_t {
  none,
  zstd,  // with the flag COMPRESSED; if that would not be smaller, the payload goes as it is, without the flag
};
// Whether the connection seals a payload. Packets are encrypted anyway: a seal is for whoever keeps the message or
// hands it on, and for the receiver's certainty of who made it.
enum class PayloadSealing : std::uint8_t {
  none,
  // To the peer's static key, by ours, with the flag ENCRYPTED and 96 bytes more; three X25519 operations each. To seal
  // to somebody whom the peer only passes messages on to, see mxp/message_sealing.h.
  to_peer,
};

// In which order the peer's application is told of messages.
enum class MessageOrder : std::uint8_t {
  any,  // as they come: a message that was lost holds up no other
  // After all that were sent with `in_class` in the same class before, but for those that expire or are cancelled. One
  // that was lost holds up those behind it, and no others. Each class of a direction is such a channel.
  in_class,
};

struct MessageOptions {
  // Who goes first when several wait; by default the class of the message's type (message_class).
  std::optional<MessageClass> traffic_class;
  // Once this has passed, in the time of the endpoint's driver (EventLoop::now), the message is not sent, and not sent
  // again if it was lost, and the peer is told to wait for it no longer.
  Timestamp expires_at = kNever;
  // Whether Handler::on_message_outcome tells what became of the message.
  bool report_outcome = false;
  // The class is the one that the message is sent in.
  MessageOrder order = MessageOrder::any;
  // What is done to the payload before it is sent, in this order. A message that has the flag already goes as it is, so
  // that asking for the same again is `invalid`; so is compressing what is sealed.
  PayloadCompression compress = PayloadCompression::none;
  PayloadSealing seal = PayloadSealing::none;
};

// Names one message that was sent; no two of a connection are equal. A default-constructed one names none.
class MessageTicket {
 public:
  constexpr MessageTicket() = default;
  explicit constexpr MessageTicket(std::uint64_t value) : value_(value) {}
  constexpr std::uint64_t value() const { return value_; }
  constexpr bool operator==(const MessageTicket&) const = default;

 private:
  std::uint64_t value_ = 0;
};

enum class MessageOutcome : std::uint8_t {
  // The peer's transport has it, and its application gets it, exactly once: with MessageOrder::in_class after those
  // before it, and not at all if the connection ends before they have come.
  delivered,
  not_sent,  // it expired, was cancelled, or the connection ended, before it was sent: the peer never sees it
  expired,   // it expired or was cancelled after it was sent, and before the peer acknowledged it: it may have arrived
  unknown    // the connection ended after it was sent, and before the peer acknowledged it
};
std::string_view to_string(MessageOutcome outcome);

enum class SendMessageError : std::uint8_t {
  too_large,   // the payload, compressed and sealed if it is to be, is beyond what the peer takes
  invalid,     // a type, or a flag, that docs/protocol.md §1 does not know, or flags and wishes that exclude others
  not_taken,   // the peer takes no messages
  queue_full,  // its class holds as much as it may: on_messages_writable tells when it takes more
  connection_closed,  // the handshake is not complete, or the connection has ended
  draining,        // this side or the peer drains the connection; only Response, Error and Ack are taken, which answer
  order_not_taken  // MessageOrder::in_class, and the peer takes messages in any order only
};
std::string_view to_string(SendMessageError error);

}  // namespace mxp
#pragma GCC visibility pop
