#include "scheduler/message_receiver.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "core/frame_writer.h"
#include "core/work.h"
#include "message/body.h"
#include "mxp/require.h"

namespace mxp {
namespace {

// Our choice: words of the bitmap that EXPIRED frames without news may make us look at.
constexpr std::uint64_t kIdleWork = 4096, kIdleWorkOfNumber = 4;

std::unexpected<TransportError> no_message(std::uint64_t frame_type, std::string_view reason) {
  return std::unexpected(TransportError{TransportErrorCode::message_encoding_error, frame_type, reason});
}

std::unexpected<TransportError> too_large(std::uint64_t frame_type) {
  return std::unexpected(
      TransportError{TransportErrorCode::message_limit_error, frame_type, "a message larger than was announced"});
}

std::unexpected<TransportError> beyond_window(std::uint64_t frame_type) {
  return std::unexpected(
      TransportError{TransportErrorCode::message_limit_error, frame_type, "a message beyond the announced window"});
}

}  // namespace

std::uint64_t MessageReceiver::largest_payload(const MessageConfig& config) {
  const std::uint64_t window = std::max(config.max_receive_window, config.receive_window);
  const std::uint64_t room = window - config.receive_window / 8 - kMessageOverhead - kPartsCharge;
  return std::max<std::uint64_t>(std::min(config.max_message, room), kMaxShortMessage);
}

std::expected<void, TransportError> MessageReceiver::on_frame(const MessageFrame& frame) {
  if (sequences_.is_settled(frame.sequence)) {
    ++counters_.duplicates;
    return {};
  }
  const auto message = decode_body(frame.form, frame.body);
  if (!message) return no_message(type_of(frame), "the body of a MESSAGE frame is no message");
  if (message->payload.size() > max_payload_) return too_large(type_of(frame));
  if (!incomplete_.empty() && incomplete_.contains(frame.sequence))
    return no_message(type_of(frame), "a message comes whole that has come in parts");
  if (!sequences_.settle(frame.sequence)) return beyond_window(type_of(frame));
  const std::uint64_t charge = encoded_size(*message);
  if (auto allowed = spend(charge, type_of(frame)); !allowed) return allowed;
  ++counters_.received;
  take(*message, {frame.sequence, frame.form, charge, frame.order}, [&](MessageQueue& kept) {
    // The view is still good: nothing but the application was called.
    const MessageQueue::Added added = kept.add(frame.body.size());
    std::ranges::copy(frame.body, added.body.begin());
    return added;
  });
  return {};
}

template <typename Put>
void MessageReceiver::take(const Message& message, const Arrived& arrived, Put put) {
  const auto put_whole = [&](MessageQueue& kept) {
    const MessageQueue::Added added = put(kept);
    added.entry.charge = static_cast<std::uint32_t>(arrived.charge);
    added.entry.form = arrived.form;
    return added;
  };
  const MessageClass of = message_class(message.type);
  if (!arrived.order) {
    const Told told = tell(message);
    if (told == Told::taken) consume(arrived.charge);
    else put_whole(told == Told::later ? unopened_ : kept_like(message));
    if (told == Told::refused) refused_at(of) = kNoChannel;
  } else {
    OrderedChannel& channel = channel_of(*arrived.order);
    const bool has_turn = channel.has_turn(arrived.sequence, *arrived.order, sequences_);
    const Told told = has_turn ? tell(message) : Told::held_up;
    if (told == Told::taken) {
      consume(arrived.charge);
    } else {
      channel.keep(arrived.sequence, *arrived.order, put_whole);
      if (told == Told::later) channel.await_opening();
      else if (has_turn) channel.refuse(of);
    }
    if (told == Told::refused) refused_at(of) = index_of(channel);
  }
  if (channels_ != nullptr) deliver_ordered(0);
}

OrderedChannel& MessageReceiver::channel_of(const OrderLink& link) {
  if (channels_ == nullptr) channels_ = std::make_unique<Channels>();
  return (*channels_)[static_cast<std::size_t>(link.channel)];
}

std::expected<void, TransportError> MessageReceiver::on_frame(const MessagePartFrame& frame) {
  if (sequences_.is_settled(frame.sequence)) return {};
  Incomplete::iterator at = incomplete_.find(frame.sequence);
  if (at == incomplete_.end()) {
    const auto begun = begin(frame);
    if (!begun) return std::unexpected(begun.error());
    at = *begun;
  }
  IncomingMessage& message = at->second;
  if (message.form() != frame.form || message.body_size() != frame.body_size)
    return no_message(type_of(frame), "the parts of a message differ in its form or size");
  if (message.order() != frame.order)
    return no_message(type_of(frame), "the parts of a message differ in its place in a channel");
  incomplete_memory_ -= message.memory();
  const IncomingMessage::Added added = message.add(frame.offset, frame.data, max_payload_);
  incomplete_memory_ += message.memory();
  switch (added) {
    case IncomingMessage::Added::ok: break;
    case IncomingMessage::Added::no_message:
      return no_message(type_of(frame), "parts that begin no message of their size");
    case IncomingMessage::Added::too_large: return too_large(type_of(frame));
    case IncomingMessage::Added::too_many_spans:
      return std::unexpected(TransportError{TransportErrorCode::message_limit_error, type_of(frame),
                                            "too many pieces of a message that are not connected"});
  }
  return message.is_complete() ? complete(at, type_of(frame)) : std::expected<void, TransportError>();
}

// The checks of a message that was not heard of before. Its credit is used at once, whatever comes of it.
std::expected<MessageReceiver::Incomplete::iterator, TransportError> MessageReceiver::begin(
    const MessagePartFrame& frame) {
  // What fits into one frame comes in one frame: so all that is incomplete has used much credit, and is not numerous.
  if (frame.body_size <= kMaxShortMessage)
    return no_message(type_of(frame), "parts of a message that is short enough for one frame");
  const std::size_t most_beside = frame.form == MessageFrame::Form::compact ? kMaxCompactOverhead : kMessageOverhead;
  if (frame.body_size > max_payload_ + most_beside) return too_large(type_of(frame));
  if (!sequences_.is_within(frame.sequence)) return beyond_window(type_of(frame));
  IncomingMessage message(frame.form, frame.body_size, frame.order);
  if (const auto allowed = spend(message.charge(), type_of(frame)); !allowed) return std::unexpected(allowed.error());
  incomplete_memory_ += message.memory();
  return incomplete_.emplace(frame.sequence, std::move(message)).first;
}

std::expected<void, TransportError> MessageReceiver::complete(Incomplete::iterator at, std::uint64_t frame_type) {
  const std::size_t size = static_cast<std::size_t>(at->second.body_size());
  const Arrived arrived{at->first, at->second.form(), at->second.charge(), at->second.order()};
  incomplete_memory_ -= at->second.memory();
  std::unique_ptr<std::uint8_t[]> body = at->second.take();
  incomplete_.erase(at);
  MXP_REQUIRE(sequences_.settle(arrived.sequence).has_value());  // it was within the window when it began
  const auto message = decode_body(arrived.form, ByteView(body.get(), size));
  if (!message) return no_message(frame_type, "the parts of a message make no message");
  ++counters_.received;
  take(*message, arrived,
       [&](MessageQueue& kept) { return kept.add_long(std::make_unique<LongMessage>(std::move(body), size)); });
  return {};
}

MessageReceiver::Incomplete::iterator MessageReceiver::forget(Incomplete::iterator at) {
  incomplete_memory_ -= at->second.memory();
  return incomplete_.erase(at);
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
  // What has come of them in part has used its credit already.
  std::uint64_t begun = 0;
  for (auto at = incomplete_.lower_bound(frame.first); at != incomplete_.end() && at->first - frame.first < frame.count;
       at = forget(at)) {
    if (at->second.charge() != frame.length)
      return no_message(frame_type::kExpired, "EXPIRED and the parts of a message differ in its credit");
    ++begun;
    MXP_WORK(1);
  }
  // Both factors are bounded: the product has at most 45 bits.
  if (auto allowed = spend((*fresh - begun) * frame.length, frame_type::kExpired); !allowed) return allowed;
  std::uint64_t unused = *fresh * frame.length;
  // As long as one before them may come they keep their place, and credit for that.
  if (frame.order && !sequences_.is_settled(frame.first - frame.order->distance)) {
    unused -= channel_of(*frame.order).keep_expired(frame.first, *frame.order, frame.length);
  }
  consume(unused);
  counters_.expired += *fresh;
  events_.on_messages_expired(*fresh);
  if (channels_ != nullptr) deliver_ordered(0);
  return {};
}

void MessageReceiver::on_frame(const MessagesBlockedFrame& frame) {
  credit_.on_peer_blocked(frame.bytes);
  needed_ = std::max(needed_, std::min(frame.needed, credit_.max_window()));
  make_room();
  if (credit_.raise_due()) raise_pending_ = true;
}

void MessageReceiver::set_growth(Growth growth) {
  growth_ = growth;
  make_room();
}

void MessageReceiver::make_room() {
  if (needed_ <= credit_.window()) return;
  if (growth_ == Growth::withheld) {
    // Nobody says when other connections have given back enough, and the peer says only once that it waits.
    constexpr Duration kLookAgainAfter = std::chrono::seconds(1);
    if (look_at_ <= now_) look_at_ = now_ + kLookAgainAfter;
    return;
  }
  credit_.widen(needed_);
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
  unopened_.shrink();
  if (channels_ == nullptr) return;
  for (OrderedChannel& channel : *channels_) channel.shrink();
  if (std::ranges::all_of(*channels_, &OrderedChannel::empty)) channels_.reset();
}

std::uint64_t MessageReceiver::kept() const {
  std::uint64_t total = unopened_.queued();
  for (const MessageQueue& kept : kept_) total += kept.queued();
  if (channels_ == nullptr) return total;
  for (const OrderedChannel& channel : *channels_) total += channel.messages();
  return total;
}

std::size_t MessageReceiver::memory() const {
  std::size_t total = sequences_.memory() + incomplete_memory_ + unopened_.memory();
  for (const MessageQueue& kept : kept_) total += kept.memory();
  if (channels_ == nullptr) return total;
  total += sizeof(Channels);
  for (const OrderedChannel& channel : *channels_) total += channel.memory();
  return total;
}

}  // namespace mxp
