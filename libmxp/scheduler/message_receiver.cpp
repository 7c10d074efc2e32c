#include "scheduler/message_receiver.h"

#include <algorithm>

#include "core/frame_writer.h"
#include "message/body.h"

namespace mxp {
namespace {

// Our choice: words of the bitmap that EXPIRED frames without news may make us look at.
constexpr std::uint64_t kIdleWork = 4096, kIdleWorkOfNumber = 4;

std::uint64_t type_of(const MessageFrame& frame) {
  return frame.form == MessageFrame::Form::compact ? frame_type::kCompactMessage : frame_type::kMessage;
}

std::unexpected<TransportError> beyond_window(std::uint64_t frame_type) {
  return std::unexpected(
      TransportError{TransportErrorCode::message_limit_error, frame_type, "a message beyond the announced window"});
}

}  // namespace

std::expected<void, TransportError> MessageReceiver::on_frame(const MessageFrame& frame) {
  if (sequences_.is_settled(frame.sequence)) {
    ++counters_.duplicates;
    return {};
  }
  const auto message = decode_body(frame.form, frame.body);
  if (!message)
    return std::unexpected(TransportError{TransportErrorCode::message_encoding_error, type_of(frame),
                                          "the body of a MESSAGE frame is no message"});
  if (!sequences_.settle(frame.sequence)) return beyond_window(type_of(frame));
  const std::uint64_t charge = encoded_size(*message);
  if (auto allowed = spend(charge, type_of(frame)); !allowed) return allowed;
  ++counters_.received;

  if (events_.take_own(*message)) {
    consume(charge);
    return {};
  }
  MessageQueue& kept = kept_[static_cast<std::size_t>(message_class(message->type))];
  if (!kept.has_queued() && events_.on_message(*message)) {
    consume(charge);
    return {};
  }
  // The view is still good: nothing but the application was called.
  const MessageQueue::Added added = kept.add(frame.body.size());
  std::ranges::copy(frame.body, added.body.begin());
  added.entry.charge = static_cast<std::uint32_t>(charge);
  added.entry.form = frame.form;
  return {};
}

std::expected<void, TransportError> MessageReceiver::on_frame(const ExpiredFrame& frame) {
  const auto fresh = sequences_.settle(frame.first, frame.count);
  if (!fresh) return beyond_window(frame_type::kExpired);
  if (*fresh == 0) {
    // An acknowledgement that was lost makes the peer say it again, now and then. To look at a whole window costs much
    // for a few bytes, so what settles nothing may cost so much for each number that was settled (threat t65).
    idle_work_ += frame.count / 64 + 1;
    if (idle_work_ <= kIdleWork + kIdleWorkOfNumber * (counters_.received + counters_.expired)) return {};
    return std::unexpected(TransportError{TransportErrorCode::message_limit_error, frame_type::kExpired,
                                          "EXPIRED of the same messages again and again"});
  }
  // Both factors are bounded: the product has at most 45 bits.
  const std::uint64_t charge = *fresh * frame.length;
  if (auto allowed = spend(charge, frame_type::kExpired); !allowed) return allowed;
  consume(charge);
  counters_.expired += *fresh;
  events_.on_messages_expired(*fresh);
  return {};
}

void MessageReceiver::on_frame(const MessagesBlockedFrame& frame) {
  credit_.on_peer_blocked(frame.bytes);
  if (credit_.raise_due()) raise_pending_ = true;
}

std::expected<void, TransportError> MessageReceiver::spend(std::uint64_t bytes, std::uint64_t frame_type) {
  received_bytes_ += bytes;
  if (received_bytes_ <= credit_.limit()) return {};
  return std::unexpected(TransportError{TransportErrorCode::message_limit_error, frame_type,
                                        "more bytes of messages than the announced limit"});
}

void MessageReceiver::consume(std::uint64_t bytes) {
  credit_.consume(bytes, now_, smoothed_rtt_);
  if (credit_.raise_due()) raise_pending_ = true;
}

bool MessageReceiver::deliver_kept(unsigned classes) {
  bool took = false;
  for (std::size_t i = 0; i != kept_.size(); ++i) {
    MessageQueue& kept = kept_[i];
    if ((classes >> i & 1) == 0) continue;
    while (kept.has_queued()) {
      const MessageQueue::Entry entry = kept.at(kept.next());
      // It was a message when it came.
      if (!events_.on_message(*decode_body(entry.form, kept.body(entry)))) break;
      kept.at(kept.next()).state = MessageQueue::State::settled;
      kept.take_next();
      kept.release_settled();
      consume(entry.charge);
      took = true;
    }
  }
  return took;
}

void MessageReceiver::write_control(Writer& out, SentFrameSink sent) {
  // The limit is raised and told only if its longest form fits, because it must not be raised without being told.
  constexpr std::size_t kLongest = 1 + 4 + 8;
  if (!raise_pending_ || out.space() < kLongest) return;
  const MaxMessagesFrame frame{sequences_.window(), credit_.raise()};
  write_frame(out, frame);
  sent({.kind = SentFrame::Kind::max_messages, .value = frame.bytes});
  raise_pending_ = false;
}

void MessageReceiver::shrink() {
  sequences_.shrink();
  for (MessageQueue& kept : kept_) kept.shrink();
}

std::uint64_t MessageReceiver::kept() const {
  std::uint64_t total = 0;
  for (const MessageQueue& kept : kept_) total += kept.queued();
  return total;
}

std::size_t MessageReceiver::memory() const {
  std::size_t total = sequences_.memory();
  for (const MessageQueue& kept : kept_) total += kept.memory();
  return total;
}

}  // namespace mxp
