#include "scheduler/message_sender.h"

#include <algorithm>
#include <memory>
#include <tuple>
#include <utility>

#include "core/frame_writer.h"
#include "core/work.h"
#include "message/body.h"
#include "mxp/require.h"

namespace mxp {
namespace {

constexpr std::size_t kFirstSlots = 64;
constexpr std::size_t kLeastPart = 64;  // our choice: bytes of data

// Takes what lies before `head` out of a list that is used as a queue, once that is most of it.
void drop_front(std::vector<std::uint64_t>& list, std::size_t& head) {
  if (head < list.size() / 2 || head == 0) return;
  list.erase(list.begin(), list.begin() + static_cast<std::ptrdiff_t>(head));
  head = 0;
}

}  // namespace

std::expected<MessageTicket, SendMessageError> MessageSender::send(const Message& message,
                                                                   const MessageOptions& options) {
  if (message.payload.size() > limits_.payload) return std::unexpected(SendMessageError::too_large);
  if (!is_valid_message_type(static_cast<std::uint8_t>(message.type)) || (message.flags & ~kMessageFlagMask) != 0)
    return std::unexpected(SendMessageError::invalid);
  const bool is_ordered = options.order == MessageOrder::in_class;
  if (is_ordered && !limits_.ordered) return std::unexpected(SendMessageError::order_not_taken);
  Class& of = class_of(options.traffic_class.value_or(message_class(message.type)));
  const bool is_long = message.payload.size() > kMaxShortMessage;
  const std::size_t size = body_size(limits_.form, message);
  const std::size_t charge = is_long ? size + kPartsCharge : encoded_size(message);
  // A peer that takes no long ones need not raise its window for a message; what has no room in it, even when it is
  // empty, would wait for ever.
  if (limits_.payload <= kMaxShortMessage && charge > byte_window_ - kept_from(of.traffic_class))
    return std::unexpected(SendMessageError::too_large);
  const std::uint64_t held = held_by(of), needed = size + sizeof(MessageQueue::Entry);
  if (held != 0 && held + needed > config_.send_buffer) {
    const std::uint64_t fits_at = config_.send_buffer - std::min<std::uint64_t>(config_.send_buffer, needed);
    of.tells_room_at =
        std::max(of.tells_room_at.value_or(0), std::min<std::uint64_t>(fits_at, config_.send_buffer / 2));
    return std::unexpected(SendMessageError::queue_full);
  }
  MessageQueue::Added added = is_long ? of.queue.add_long(std::make_unique<LongMessage>(size)) : of.queue.add(size);
  if (is_long) of.long_unsent += size;
  if (is_ordered) ++of.ordered_unsent;
  std::ignore = encode_body(limits_.form, message, added.body);  // what could fail was asked above
  added.entry.expires_at = options.expires_at;
  added.entry.charge = static_cast<std::uint32_t>(charge);
  added.entry.form = limits_.form;
  added.entry.reports = options.report_outcome;
  added.entry.is_ordered = is_ordered;
  const Name name = name_of(of, added.index);
  if (options.expires_at != kNever)
    deadlines_.add(options.expires_at, name, [this](Name other) { return is_alive(other); });
  note_blocked();
  return MessageTicket(name);
}

std::optional<MessageOutcome> MessageSender::cancel(MessageTicket ticket) {
  if (!is_alive(ticket.value())) return std::nullopt;
  return expire(class_of_name(ticket.value()), index_of(ticket.value()));
}

bool MessageSender::is_alive(Name name) const {
  const MessageQueue& queue = classes_[name >> kClassShift].queue;
  if (!queue.knows(index_of(name))) return false;
  const MessageQueue::State state = queue.at(index_of(name)).state;
  return state != MessageQueue::State::expired && state != MessageQueue::State::settled;
}

std::uint64_t MessageSender::held_by(const Class& of) const {
  return of.queue.bytes() + (of.queue.end() - of.queue.oldest()) * sizeof(MessageQueue::Entry);
}

std::uint64_t MessageSender::credit_for(MessageClass traffic_class) const {
  const std::uint64_t left = limits_.bytes - used_bytes_;
  return left - std::min(left, kept_from(traffic_class));
}

std::uint64_t MessageSender::new_bytes(MessageClass traffic_class) const {
  constexpr std::uint64_t kLongestHead = 1 + 8 + 2;          // type, sequence, length
  constexpr std::uint64_t kLongestPartHead = 1 + 8 + 3 * 4;  // type, sequence, size, offset, length
  constexpr std::uint64_t kLongestOrder = 1 + 4;             // type, link
  const Class& of = class_of(traffic_class);
  const std::uint64_t bytes =
      of.queue.queued_bytes() + kLongestHead * of.queue.queued() + kLongestOrder * of.ordered_unsent + of.long_unsent;
  if (of.partly_sent == kNone) return bytes;
  return bytes + kLongestPartHead + (of.queue.at(of.partly_sent).is_ordered ? kLongestOrder : 0);
}

bool MessageSender::may_send_next(const Class& of) const {
  if (!of.queue.has_queued() || !window_is_open()) return false;
  const MessageQueue::Entry& next = of.queue.at(of.queue.next());
  return next.state == MessageQueue::State::queued && next.charge <= credit_for(of.traffic_class);
}

bool MessageSender::blocked_by_peer() const {
  return std::ranges::any_of(classes_, [&](const Class& of) { return of.queue.has_queued() && !may_send_next(of); });
}

void MessageSender::note_blocked() {
  if (!window_is_open()) return;
  std::uint64_t needs = 0;
  for (const Class& of : classes_) {
    if (!of.queue.has_queued() || may_send_next(of)) continue;
    const MessageQueue::Entry& next = of.queue.at(of.queue.next());
    needs = std::max(needs, next.charge + kept_from(of.traffic_class));
  }
  if (needs == 0 || (blocked_at_ == limits_.bytes && needs <= blocked_needs_)) return;
  blocked_at_ = limits_.bytes;
  blocked_needs_ = needs;
  blocked_pending_ = true;
}

void MessageSender::on_frame(const MaxMessagesFrame& frame) {
  limits_.window = std::max(limits_.window, frame.window);
  if (frame.bytes > limits_.bytes) {
    limits_.bytes = frame.bytes;
    blocked_pending_ = false;
  }
  number_expired();
  note_blocked();
}

void MessageSender::write_control(Writer& out, SentFrameSink sent) {
  if (blocked_pending_ && write_frame(out, MessagesBlockedFrame{limits_.bytes, blocked_needs_})) {
    sent({.kind = SentFrame::Kind::messages_blocked, .value = limits_.bytes});
    blocked_pending_ = false;
  }
  expired_.write(out, sent, [this](std::uint64_t sequence) -> std::optional<ExpiredList::Expired> {
    if (sequence < lowest_unsettled_ || slot(sequence) == kSettled) return std::nullopt;
    const Class& of = class_of_name(slot(sequence));
    const MessageQueue::Entry& entry = of.queue.at(index_of(slot(sequence)));
    return ExpiredList::Expired{entry.charge, order_of(of, entry)};
  });
}

void MessageSender::write(MessageClass traffic_class, Writer& out, SentFrameSink sent, std::size_t max_bytes) {
  Class& of = class_of(traffic_class);
  const std::size_t before = out.written();
  Run run;
  for (bool go_on = true; go_on && out.written() - before < max_bytes;) {
    const std::size_t turn = max_bytes - (out.written() - before);
    if (of.lost_count != 0) go_on = write_lost(of, out, sent, run, turn);
    else if (of.partly_sent != kNone) go_on = write_part(of, of.partly_sent, out, sent, turn);
    else go_on = may_send_next(of) && write_next(of, out, sent, run, turn);
  }
  if (of.lost_count == 0) of.lost.clear(), of.lost_head = 0;
  else drop_front(of.lost, of.lost_head);
  note(run, sent, SentFrame::Kind::message);
  note_blocked();
}

bool MessageSender::write_lost(Class& of, Writer& out, SentFrameSink sent, Run& run, std::size_t turn) {
  const std::uint64_t index = of.lost[of.lost_head];
  if (of.queue.knows(index) && of.queue.at(index).state == MessageQueue::State::lost) {
    if (of.queue.at(index).is_long()) {
      if (!write_part(of, index, out, sent, turn)) return false;
      ++counters_.repeated;
      if (of.queue.long_message(of.queue.at(index)).has_lost()) return true;
      of.queue.at(index).state = MessageQueue::State::sent;
    } else {
      if (!write_one(of, index, out, sent, run)) return false;
      ++counters_.repeated;
    }
    --of.lost_count;
  }
  ++of.lost_head;
  return true;
}

bool MessageSender::write_next(Class& of, Writer& out, SentFrameSink sent, Run& run, std::size_t turn) {
  const std::uint64_t index = of.queue.next();
  MessageQueue::Entry& entry = of.queue.at(index);
  // The number is part of what has to fit, so it is given first, and stays with the message if it does not.
  const std::uint64_t sequence = next_sequence();
  if (entry.is_ordered) entry.distance = links_.distance(of.traffic_class, sequence, lowest_unsettled_);
  const std::optional<OrderLink> order = order_of(of, entry);
  if (entry.is_long()) {
    if (message_part_capacity(out.space(), sequence, entry.body_size, 0, order) < kLeastPart) return false;
    of.partly_sent = index;
    entry.state = MessageQueue::State::sent;
  } else if (out.space() < message_frame_overhead(sequence, entry.body_size, order) + entry.body_size) {
    return false;
  }
  number(of, index);
  if (entry.is_ordered) links_.on_numbered(of.traffic_class, sequence);
  used_bytes_ += entry.charge;
  ++counters_.sent;
  const bool written = entry.is_long() ? write_part(of, index, out, sent, turn) : write_one(of, index, out, sent, run);
  number_expired();
  return written;
}

// Lost bytes first, then the next ones. A part is no shorter than kLeastPart, unless it is the last of its piece: what
// is left of a packet or of a turn may be too little to be worth the header.
bool MessageSender::write_part(Class& of, std::uint64_t index, Writer& out, SentFrameSink sent, std::size_t turn) {
  const MessageQueue::Entry& entry = of.queue.at(index);
  const LongMessage& message = of.queue.long_message(entry);
  LongMessage::Piece piece = message.has_lost() ? message.lost() : message.unsent();
  const std::uint64_t least = std::min<std::uint64_t>(piece.length, kLeastPart);
  const std::size_t capacity =
      message_part_capacity(out.space(), entry.sequence, message.size(), piece.offset, order_of(of, entry));
  if (capacity < least) return false;
  piece.length = std::min<std::uint64_t>({piece.length, capacity, std::max(turn, kLeastPart)});
  const ByteView data = message.bytes().subspan(piece.offset, piece.length);
  const MessagePartFrame part{entry.form, entry.sequence, message.size(), piece.offset, data, order_of(of, entry)};
  MXP_REQUIRE(write_frame(out, part));
  sent({.kind = SentFrame::Kind::message_part,
        .length = static_cast<std::uint32_t>(piece.length),
        .stream = StreamId(entry.sequence),
        .value = piece.offset});
  const std::uint64_t unsent = message.unsent().length;
  of.queue.change_long(entry, [&](LongMessage& sending) { sending.on_sent(piece); });
  of.long_unsent -= unsent - message.unsent().length;
  if (index == of.partly_sent && !message.has_unsent()) of.partly_sent = kNone;
  return true;
}

std::optional<OrderLink> MessageSender::order_of(const Class& of, const MessageQueue::Entry& entry) {
  return entry.is_ordered ? std::optional(OrderLink{of.traffic_class, entry.distance}) : std::nullopt;
}

void MessageSender::number(Class& of, std::uint64_t index) {
  if (unsettled_ == slots_.size()) {
    std::vector<Name> grown(std::max(2 * slots_.size(), kFirstSlots));
    for (std::uint64_t i = lowest_unsettled_; i != next_sequence(); ++i) grown[i & (grown.size() - 1)] = slot(i);
    slots_ = std::move(grown);
  }
  MessageQueue::Entry& entry = of.queue.at(index);
  entry.sequence = next_sequence();
  if (entry.is_ordered) --of.ordered_unsent;
  slot(next_sequence()) = name_of(of, index);
  ++unsettled_;
  of.queue.take_next();
}

bool MessageSender::write_one(Class& of, std::uint64_t index, Writer& out, SentFrameSink sent, Run& run) {
  MessageQueue::Entry& entry = of.queue.at(index);
  if (!write_frame(out, MessageFrame{entry.form, entry.sequence, of.queue.body(entry), order_of(of, entry)}))
    return false;
  // Copies and new messages are told apart (tail_repair.h).
  const bool is_copy = entry.state == MessageQueue::State::lost;
  entry.state = MessageQueue::State::sent;
  if (run.count == 0 || entry.sequence != run.first + run.count || is_copy != run.of_copies) {
    note(run, sent, SentFrame::Kind::message);
    run = {entry.sequence, 0, is_copy};
  }
  ++run.count;
  return true;
}

void MessageSender::note(Run& run, SentFrameSink sent, SentFrame::Kind kind) {
  if (run.count != 0) sent({.kind = kind, .length = run.count, .value = run.first});
}

MessageOutcome MessageSender::expire(Class& of, std::uint64_t index) {
  MessageQueue::Entry& entry = of.queue.at(index);
  const bool was_sent = entry.state != MessageQueue::State::queued;
  if (entry.state == MessageQueue::State::lost) --of.lost_count;
  entry.state = MessageQueue::State::expired;
  if (entry.is_long()) of.long_unsent -= of.queue.long_message(entry).unsent().length;
  of.queue.drop_long(entry);
  if (of.partly_sent == index) of.partly_sent = kNone;
  ++counters_.expired;
  if (was_sent) {
    expired_.add(entry.sequence);
  } else {
    entry.charge = 0;
    if (entry.is_ordered) --of.ordered_unsent;
    entry.is_ordered = false;  // what was never sent is not in its channel
  }
  number_expired();
  note_blocked();
  return was_sent ? MessageOutcome::expired : MessageOutcome::not_sent;
}

void MessageSender::number_expired() {
  for (Class& of : classes_) {
    while (of.queue.has_queued() && window_is_open() &&
           of.queue.at(of.queue.next()).state == MessageQueue::State::expired) {
      const std::uint64_t index = of.queue.next();
      expired_.add(next_sequence());
      number(of, index);
    }
  }
}

void MessageSender::on_clock(Timestamp now) {
  while (deadlines_.next() <= now) {
    const Name name = deadlines_.pop().name;
    if (!is_alive(name)) continue;
    Class& of = class_of_name(name);
    const bool reports = of.queue.at(index_of(name)).reports;
    const MessageOutcome outcome = expire(of, index_of(name));
    if (reports) events_.on_message_outcome(MessageTicket(name), outcome);
  }
}

void MessageSender::settle(std::uint64_t sequence) {
  if (sequence < lowest_unsettled_ || slot(sequence) == kSettled) return;
  const Name name = slot(sequence);
  slot(sequence) = kSettled;
  Class& of = class_of_name(name);
  MessageQueue::Entry& entry = of.queue.at(index_of(name));
  const bool expired = entry.state == MessageQueue::State::expired;
  if (entry.state == MessageQueue::State::lost) --of.lost_count;
  entry.state = MessageQueue::State::settled;
  of.queue.drop_long(entry);
  const bool reports = entry.reports && !expired;
  if (!expired) ++counters_.acknowledged;
  of.queue.release_settled();
  while (unsettled_ != 0 && slot(lowest_unsettled_) == kSettled) {
    ++lowest_unsettled_;
    --unsettled_;
  }
  if (reports) events_.on_message_outcome(MessageTicket(name), MessageOutcome::delivered);
  if (of.tells_room_at && held_by(of) <= *of.tells_room_at) {
    of.tells_room_at.reset();
    events_.on_messages_writable(of.traffic_class);
  }
}

std::optional<MessageSender::Long> MessageSender::find_long(std::uint64_t sequence) {
  if (sequence < lowest_unsettled_ || slot(sequence) == kSettled) return std::nullopt;
  Class& of = class_of_name(slot(sequence));
  const std::uint64_t index = index_of(slot(sequence));
  if (!of.queue.at(index).is_long()) return std::nullopt;
  return Long{of, index};
}

void MessageSender::note_lost(Class& of, std::uint64_t index) {
  of.queue.at(index).state = MessageQueue::State::lost;
  of.lost.push_back(index);
  ++of.lost_count;
}

void MessageSender::note_long(Long message) {
  MessageQueue::Entry& entry = message.of.queue.at(message.index);
  const bool has_lost = message.of.queue.long_message(entry).has_lost();
  if (has_lost && entry.state == MessageQueue::State::sent) {
    note_lost(message.of, message.index);
  } else if (!has_lost && entry.state == MessageQueue::State::lost) {
    entry.state = MessageQueue::State::sent;
    --message.of.lost_count;
  }
}

void MessageSender::on_frame_acknowledged(const SentFrame& frame) {
  if (frame.kind == SentFrame::Kind::message_part) {
    const auto part = find_long(frame.stream.value());
    if (!part) return;
    const MessageQueue::Entry& entry = part->of.queue.at(part->index);
    part->of.queue.change_long(entry,
                               [&](LongMessage& message) { message.on_acknowledged({frame.value, frame.length}); });
    if (!part->of.queue.long_message(entry).is_acknowledged()) return note_long(*part);
    settle(frame.stream.value());
  } else if (frame.kind == SentFrame::Kind::message || frame.kind == SentFrame::Kind::expired) {
    for (std::uint64_t i = 0; i != frame.length; ++i) settle(frame.value + i);
  } else {
    return;
  }
  number_expired();
  note_blocked();  // the window may have opened, and credit be what is left to wait for
}

void MessageSender::on_frame_lost(const SentFrame& frame) {
  switch (frame.kind) {
    case SentFrame::Kind::message:
      for (std::uint64_t sequence = frame.value; sequence != frame.value + frame.length; ++sequence) {
        if (sequence < lowest_unsettled_ || slot(sequence) == kSettled) continue;
        Class& of = class_of_name(slot(sequence));
        const std::uint64_t index = index_of(slot(sequence));
        if (of.queue.at(index).state == MessageQueue::State::sent) note_lost(of, index);
      }
      return;
    case SentFrame::Kind::message_part: {
      const auto part = find_long(frame.stream.value());
      if (!part) return;
      part->of.queue.change_long(part->of.queue.at(part->index),
                                 [&](LongMessage& message) { message.on_lost({frame.value, frame.length}); });
      return note_long(*part);
    }
    case SentFrame::Kind::expired: return expired_.add(frame.value, frame.length);
    case SentFrame::Kind::messages_blocked:
      if (frame.value != limits_.bytes) return;
      if (blocked_by_peer()) blocked_pending_ = true;
      else blocked_needs_ = 0;  // who waited has gone, and who waits later has to say so anew
      return;
    default: return;  // not one of ours
  }
}

void MessageSender::end() {
  for (Class& of : classes_) {
    for (std::uint64_t index = of.queue.oldest(); index != of.queue.end(); ++index) {
      const MessageQueue::Entry& entry = of.queue.at(index);
      const Name name = name_of(of, index);
      if (!entry.reports || !is_alive(name)) continue;
      const bool was_sent = entry.state != MessageQueue::State::queued;
      events_.on_message_outcome(MessageTicket(name), was_sent ? MessageOutcome::unknown : MessageOutcome::not_sent);
    }
  }
}

void MessageSender::shrink() {
  for (Class& of : classes_) {
    of.queue.shrink();
    if (of.lost_count == 0) of.lost = std::vector<std::uint64_t>(), of.lost_head = 0;
  }
  if (unsettled_ == 0) slots_ = std::vector<Name>();
  if (expired_.empty()) expired_.release();
  if (deadlines_.empty()) deadlines_.clear();
}

std::size_t MessageSender::memory() const {
  std::size_t total = slots_.capacity() * sizeof(Name) + expired_.memory() + deadlines_.memory();
  for (const Class& of : classes_) total += of.queue.memory() + of.lost.capacity() * sizeof(std::uint64_t);
  return total;
}

}  // namespace mxp
