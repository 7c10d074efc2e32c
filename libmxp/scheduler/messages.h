// The messages of one connection, in both directions: a source of the outbox and an owner of frames. Each half exists
// from its first use on, because most connections of a server are idle and many carry only streams.
#pragma once

#include <algorithm>
#include <cstdint>
#include <expected>
#include <memory>
#include <optional>

#include "core/transport_parameters.h"
#include "mxp/config.h"
#include "scheduler/message_receiver.h"
#include "scheduler/message_sender.h"

namespace mxp {

class Messages {
 public:
  Messages(const MessageConfig& config, MessageEvents& events) : config_(config), events_(events) {}

  // What this side takes, as it must be announced in the handshake.
  static void announce(const MessageConfig& config, TransportParameters& out);
  void on_peer_parameters(const TransportParameters& parameters);
  void on_clock(Timestamp now, Duration smoothed_rtt);

  // The verbs of the application. After end() they fail.
  std::expected<MessageTicket, SendMessageError> send(const Message& message, const MessageOptions& options);
  std::optional<MessageOutcome> cancel(MessageTicket ticket) {
    return sender_ == nullptr || ended_ ? std::nullopt : sender_->cancel(ticket);
  }
  // Has the messages that are kept told again, those of these classes (bits by MessageClass).
  using ClassBits = std::uint8_t;
  static constexpr ClassBits kAllClasses = (1u << kMessageClasses) - 1;
  // One bit more: what the connection could not tell from its own yet. The application does not ask for these.
  static constexpr ClassBits kUnopened = MessageReceiver::kUnopened;
  void resume(ClassBits classes = kAllClasses) { resumed_ = static_cast<ClassBits>(resumed_ | classes); }
  // Whether the receive window may grow for a long message.
  void set_growth(MessageReceiver::Growth growth);
  // Whether there is something to deliver of what resume asked for.
  bool delivery_is_due() const { return resumed_ != 0 && !ended_ && kept() != 0; }
  // Delivers what resume asked for.
  void deliver_resumed();

  // Whether we take messages at all. If not, the peer's frames are unknown ones.
  bool are_taken() const { return config_.window != 0; }
  // Whether we take messages in parts.
  bool long_ones_are_taken() const {
    return are_taken() && MessageReceiver::largest_payload(config_) > kMaxShortMessage;
  }
  bool are_sent() const { return limits_.window != 0; }
  template <typename Frame>
  std::expected<void, TransportError> on_frame(const Frame& frame) {
    if (ended_) return {};
    return receiver().on_frame(frame);
  }
  void on_frame(const MessagesBlockedFrame& frame) {
    if (!ended_) receiver().on_frame(frame);
  }
  void on_frame(const MaxMessagesFrame& frame);

  // The verbs of a source (outbox.h).
  bool has_control() const {
    return (sender_ != nullptr && sender_->has_control()) || (receiver_ != nullptr && receiver_->has_control());
  }
  void write_control(Writer& out, SentFrameSink sent);
  bool has_pending(MessageClass traffic_class) const {
    return sender_ != nullptr && sender_->has_pending(traffic_class);
  }
  bool has_lost(MessageClass traffic_class) const { return sender_ != nullptr && sender_->has_lost(traffic_class); }
  // Bytes of messages that were never sent, with their frames: an estimate that is never too small.
  std::uint64_t new_bytes(MessageClass traffic_class) const {
    return sender_ == nullptr ? 0 : sender_->new_bytes(traffic_class);
  }
  bool has_new(MessageClass traffic_class) const { return sender_ != nullptr && sender_->has_new(traffic_class); }
  void write(MessageClass traffic_class, Writer& out, SentFrameSink sent, std::size_t max_bytes) {
    if (sender_ != nullptr) sender_->write(traffic_class, out, sent, max_bytes);
  }
  void on_frame_acknowledged(const SentFrame& frame) {
    if (sender_ != nullptr) sender_->on_frame_acknowledged(frame);
  }
  void on_frame_lost(const SentFrame& frame);

  Timestamp deadline() const {
    if (ended_) return kNever;
    return std::min(sender_ == nullptr ? kNever : sender_->deadline(),
                    receiver_ == nullptr ? kNever : receiver_->deadline());
  }
  bool blocked_by_peer() const { return sender_ != nullptr && sender_->blocked_by_peer(); }
  bool blocked_by_peer(MessageClass traffic_class) const {
    return sender_ != nullptr && sender_->blocked_by_peer(traffic_class);
  }

  // The connection is over: the outcomes are told, and then nothing more happens.
  void end();
  void shrink();
  MessageSender::Counters sent() const { return sender_ == nullptr ? MessageSender::Counters{} : sender_->counters(); }
  MessageReceiver::Counters received() const {
    return receiver_ == nullptr ? MessageReceiver::Counters{} : receiver_->counters();
  }
  // Nothing that was sent waits for anything any more: it was acknowledged, or the peer knows that it expired.
  bool all_sent_are_settled() const { return sender_ == nullptr || sender_->all_are_settled(); }
  // Messages of the peer that the application has not taken yet.
  std::uint64_t kept() const { return receiver_ == nullptr ? 0 : receiver_->kept(); }
  std::size_t memory() const;

 private:
  MessageReceiver& receiver();

  const MessageConfig& config_;
  MessageEvents& events_;
  MessageSender::PeerLimits limits_;
  std::unique_ptr<MessageSender> sender_;
  std::unique_ptr<MessageReceiver> receiver_;
  MessageReceiver::Growth growth_ = MessageReceiver::Growth::allowed;
  ClassBits resumed_ = 0;
  bool ended_ = false;
};

}  // namespace mxp
