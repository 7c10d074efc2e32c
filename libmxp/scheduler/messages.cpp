#include "scheduler/messages.h"

#include <utility>

namespace mxp {

void Messages::announce(const MessageConfig& config, TransportParameters& out) {
  out.initial_max_messages = config.window;
  out.initial_max_message_data = config.window == 0 ? 0 : config.receive_window;
  out.max_message_size = config.window == 0 ? kMaxShortMessage : MessageReceiver::largest_payload(config);
  out.takes_compact_messages = config.window != 0 && config.compaction ? 1 : 0;
  out.takes_ordered_messages = config.window != 0 ? 1 : 0;
}

void Messages::on_peer_parameters(const TransportParameters& parameters) {
  const bool compact = config_.compaction && parameters.takes_compact_messages != 0;
  limits_ = {.window = parameters.initial_max_messages,
             .bytes = parameters.initial_max_message_data,
             .payload = parameters.max_message_size,
             .form = compact ? MessageFrame::Form::compact : MessageFrame::Form::full,
             .ordered = parameters.takes_ordered_messages != 0};
}

void Messages::on_clock(Timestamp now, Duration smoothed_rtt) {
  if (receiver_ != nullptr) receiver_->on_clock(now, smoothed_rtt);
  if (sender_ != nullptr && !ended_) sender_->on_clock(now);
}

std::expected<MessageTicket, SendMessageError> Messages::send(const Message& message, const MessageOptions& options) {
  if (ended_) return std::unexpected(SendMessageError::connection_closed);
  if (!are_sent()) return std::unexpected(SendMessageError::not_taken);
  if (sender_ == nullptr) sender_ = std::make_unique<MessageSender>(config_, events_, limits_);
  return sender_->send(message, options);
}

MessageReceiver& Messages::receiver() {
  if (receiver_ == nullptr) {
    receiver_ = std::make_unique<MessageReceiver>(config_, events_);
    receiver_->set_growth(growth_);
  }
  return *receiver_;
}

void Messages::set_growth(MessageReceiver::Growth growth) {
  growth_ = growth;
  if (receiver_ != nullptr) receiver_->set_growth(growth);
}

void Messages::deliver_resumed() {
  const ClassBits classes = std::exchange(resumed_, ClassBits{0});
  if (classes == 0 || ended_ || receiver_ == nullptr) return;
  // A resume from inside counts only after progress. Otherwise an application that takes nothing and asks again would
  // be asked for ever.
  if (!receiver_->deliver_kept(classes)) resumed_ = 0;
}

void Messages::on_frame(const MaxMessagesFrame& frame) {
  if (ended_) return;
  // Before the first send there is no sender to tell, and what it will begin with is kept here.
  if (sender_ == nullptr) sender_ = std::make_unique<MessageSender>(config_, events_, limits_);
  sender_->on_frame(frame);
}

void Messages::write_control(Writer& out, SentFrameSink sent) {
  if (sender_ != nullptr) sender_->write_control(out, sent);
  if (receiver_ != nullptr) receiver_->write_control(out, sent);
}

void Messages::on_frame_lost(const SentFrame& frame) {
  if (frame.kind == SentFrame::Kind::max_messages) {
    if (receiver_ != nullptr) receiver_->on_max_messages_lost(frame.value);
  } else if (sender_ != nullptr) {
    sender_->on_frame_lost(frame);
  }
}

void Messages::end() {
  if (std::exchange(ended_, true)) return;
  if (sender_ != nullptr) sender_->end();
}

void Messages::shrink() {
  if (sender_ != nullptr) sender_->shrink();
  if (receiver_ != nullptr) receiver_->shrink();
}

std::size_t Messages::memory() const {
  std::size_t total = 0;
  if (sender_ != nullptr) total += sizeof(MessageSender) + sender_->memory();
  if (receiver_ != nullptr) total += sizeof(MessageReceiver) + receiver_->memory();
  return total;
}

}  // namespace mxp
