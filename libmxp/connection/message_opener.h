// What a peer sent compressed or sealed is opened before the application is told of it (docs/protocol.md §1.2). This
// part stands between the messages and everything that reads them: calls, Acks, the application. A message that it
// opens has the plain payload, without the flags that were undone, and says in Message::origin which ones those were.
//
//   ENCRYPTED    opened with our static key. What does not open is sealed to somebody else, or was changed, which look
//                the same from here: it goes on as it is, with its flag.
//   COMPRESSED   decompressed within MessageConfig::max_decompressed. What is larger, or is none, goes on as it is,
//                with its flag.
//
// So nothing is lost and nobody's connection ends for what somebody else has put into a message, and a flag that is
// still there says that the payload is not what it stands for
// (docs/decisions/0027-payloads-are-opened-or-told-as-they-are.md).
//
// The work is bounded for the whole endpoint (opening_budget.h), and shared by its connections (opening_turn.h). A
// message whose turn has not come is not taken: it is kept in its wire form, against the peer's credit, and told when
// its turn comes. What may belong to a call waits apart from its class, so that it waits for that turn alone, and not
// for an application that takes nothing.
#pragma once

#include <cstdint>
#include <optional>

#include "connection/calls.h"
#include "connection/opening_turn.h"
#include "connection/payload_tools.h"
#include "mxp/config.h"
#include "mxp/keys.h"
#include "scheduler/message_events.h"
#include "scheduler/messages.h"

namespace mxp {

class MessageOpener final : public MessageEvents {
 public:
  struct Counters {
    std::uint64_t opened = 0;      // with a flag undone, or both
    std::uint64_t not_opened = 0;  // told with a flag that could not be undone
  };

  // All of them outlive this object, and `messages` may not be there yet: it tells this object of its messages.
  MessageOpener(const MessageConfig& config, PayloadTools& tools, const PrivateKey& identity, Messages& messages,
                Calls& next)
      : config_(config), tools_(tools), identity_(identity), messages_(messages), next_(next) {}

  // When the turn of a message comes that waits.
  Timestamp deadline() const { return waiting_ != 0 ? turn_.at() : kNever; }
  // Has the messages told whose turn has come.
  void on_clock(Timestamp now);
  // The connection is over: what still waits for its turn is told as it is, so that it is not lost. To be called before
  // `messages` and `next` are told of the end.
  void end();
  const Counters& counters() const { return counters_; }

  // MessageEvents.
  Offered offer(const Message& message, Audience audience) override;
  bool on_message(const Message& message) override { return offer(message, Audience::everybody) == Offered::taken; }
  void on_messages_expired(std::uint64_t count) override { next_.on_messages_expired(count); }
  void on_message_outcome(MessageTicket ticket, MessageOutcome outcome) override {
    next_.on_message_outcome(ticket, outcome);
  }
  void on_messages_writable(MessageClass traffic_class) override { next_.on_messages_writable(traffic_class); }

 private:
  bool is_wrapped(const Message& message) const;
  // The message with its flags undone as far as that is possible; `origin` outlives its use. Nothing: its turn has not
  // come.
  std::optional<Message> open(const Message& message, PayloadOrigin& origin);
  bool unseal(Message& message, PayloadOrigin& origin);
  bool decompress(Message& message, PayloadOrigin& origin);
  Duration cost_of(const Message& message) const;

  const MessageConfig& config_;
  PayloadTools& tools_;
  const PrivateKey& identity_;
  Messages& messages_;
  Calls& next_;
  OpeningTurn turn_;
  Messages::ClassBits waiting_ = 0;  // classes whose next message waits for it, and kUnopened
  bool ended_ = false;
  Timestamp now_{};
  Counters counters_;
};

}  // namespace mxp
