#include "scheduler/message_sender.h"

#include <algorithm>
#include <tuple>

#include "core/frame_writer.h"
#include "core/work.h"
#include "message/body.h"

namespace mxp {
namespace {

constexpr std::size_t kFirstSlots = 64;

// Takes what lies before `head` out of a list that is used as a queue, once that is most of it.
void drop_front(std::vector<std::uint64_t>& list, std::size_t& head) {
  if (head < list.size() / 2 || head == 0) return;
  list.erase(list.begin(), list.begin() + static_cast<std::ptrdiff_t>(head));
  head = 0;
}

}  // namespace

std::expected<MessageTicket, SendMessageError> MessageSender::send(const Message& message,
                                                                   const MessageOptions& options) {
  if (message.payload.size() > kMaxShortMessage) return std::unexpected(SendMessageError::too_large);
  if (!is_valid_message_type(static_cast<std::uint8_t>(message.type)) || (message.flags & ~kMessageFlagMask) != 0)
    return std::unexpected(SendMessageError::invalid);
  Class& of = class_of(options.traffic_class.value_or(message_class(message.type)));
  const std::size_t charge = encoded_size(message);
  // What the peer's window has no room for, even when it is empty, would wait for ever.
  const std::uint64_t kept_back = of.traffic_class == MessageClass::critical ? 0 : reserved_;
  if (charge > byte_window_ - kept_back) return std::unexpected(SendMessageError::too_large);
  const std::size_t size = body_size(limits_.form, message);
  if (held_by(of) + size + sizeof(MessageQueue::Entry) > config_.send_buffer) {
    of.wants_room = true;
    return std::unexpected(SendMessageError::queue_full);
  }
  MessageQueue::Added added = of.queue.add(size);
  std::ignore = encode_body(limits_.form, message, added.body);  // what could fail was asked above
  added.entry.expires_at = options.expires_at;
  added.entry.charge = static_cast<std::uint32_t>(charge);
  added.entry.form = limits_.form;
  added.entry.reports = options.report_outcome;
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
  if (traffic_class == MessageClass::critical) return left;
  return left - std::min(left, reserved_);
}

std::uint64_t MessageSender::new_bytes(MessageClass traffic_class) const {
  constexpr std::uint64_t kLongestHead = 1 + 8 + 2;  // type, sequence, length
  const MessageQueue& queue = class_of(traffic_class).queue;
  return queue.queued_bytes() + kLongestHead * queue.queued();
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
  if (blocked_at_ == limits_.bytes || !window_is_open() || !blocked_by_peer()) return;
  blocked_at_ = limits_.bytes;
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
  if (blocked_pending_ && write_frame(out, MessagesBlockedFrame{limits_.bytes})) {
    sent({.kind = SentFrame::Kind::messages_blocked, .value = limits_.bytes});
    blocked_pending_ = false;
  }
  while (expired_head_ != expired_.size()) {
    const std::uint64_t first = expired_[expired_head_];
    const auto charge_of = [this](std::uint64_t sequence) {
      const Name name = slot(sequence);
      return class_of_name(name).queue.at(index_of(name)).charge;
    };
    if (first < lowest_unsettled_ || slot(first) == kSettled) {  // an acknowledgement of the message came after all
      ++expired_head_;
      continue;
    }
    std::size_t end = expired_head_ + 1;
    while (end != expired_.size() && expired_[end] == first + (end - expired_head_) &&
           slot(expired_[end]) != kSettled && charge_of(expired_[end]) == charge_of(first))
      ++end;
    const std::uint64_t count = std::min<std::uint64_t>(end - expired_head_, kMaxMessageWindow);
    if (!write_frame(out, ExpiredFrame{first, count, charge_of(first)})) return;
    sent({.kind = SentFrame::Kind::expired, .length = static_cast<std::uint32_t>(count), .value = first});
    expired_head_ += count;
  }
  expired_.clear();
  expired_head_ = 0;
}

void MessageSender::write(MessageClass traffic_class, Writer& out, SentFrameSink sent, std::size_t max_bytes) {
  Class& of = class_of(traffic_class);
  const std::size_t before = out.written();
  Run run;
  while (out.written() - before < max_bytes) {
    if (of.lost_count != 0) {
      const std::uint64_t index = of.lost[of.lost_head];
      const bool is_lost = of.queue.knows(index) && of.queue.at(index).state == MessageQueue::State::lost;
      if (is_lost && !write_one(of, index, out, sent, run)) break;
      ++of.lost_head;
      if (is_lost) --of.lost_count, ++counters_.repeated;
    } else if (may_send_next(of)) {
      const std::uint64_t index = of.queue.next();
      // The number is part of what has to fit, so it is given first, and stays with the message if it does not.
      const std::uint64_t sequence = next_sequence();
      const MessageQueue::Entry& entry = of.queue.at(index);
      if (out.space() < message_frame_overhead(sequence, entry.body_size) + entry.body_size) break;
      number(of, index);
      used_bytes_ += entry.charge;
      ++counters_.sent;
      write_one(of, index, out, sent, run);
      number_expired();
    } else {
      break;
    }
  }
  if (of.lost_count == 0) of.lost.clear(), of.lost_head = 0;
  else drop_front(of.lost, of.lost_head);
  note(run, sent, SentFrame::Kind::message);
  note_blocked();
}

void MessageSender::number(Class& of, std::uint64_t index) {
  if (unsettled_ == slots_.size()) {
    std::vector<Name> grown(std::max(2 * slots_.size(), kFirstSlots));
    for (std::uint64_t i = lowest_unsettled_; i != next_sequence(); ++i) grown[i & (grown.size() - 1)] = slot(i);
    slots_ = std::move(grown);
  }
  of.queue.at(index).sequence = next_sequence();
  slot(next_sequence()) = name_of(of, index);
  ++unsettled_;
  of.queue.take_next();
}

bool MessageSender::write_one(Class& of, std::uint64_t index, Writer& out, SentFrameSink sent, Run& run) {
  MessageQueue::Entry& entry = of.queue.at(index);
  if (!write_frame(out, MessageFrame{entry.form, entry.sequence, of.queue.body(entry)})) return false;
  entry.state = MessageQueue::State::sent;
  if (run.count == 0 || entry.sequence != run.first + run.count) {
    note(run, sent, SentFrame::Kind::message);
    run = {entry.sequence, 0};
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
  ++counters_.expired;
  if (was_sent) expired_.push_back(entry.sequence);
  else entry.charge = 0;
  number_expired();
  note_blocked();
  return was_sent ? MessageOutcome::expired : MessageOutcome::not_sent;
}

void MessageSender::number_expired() {
  for (Class& of : classes_) {
    while (of.queue.has_queued() && window_is_open() &&
           of.queue.at(of.queue.next()).state == MessageQueue::State::expired) {
      const std::uint64_t index = of.queue.next();
      expired_.push_back(next_sequence());
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
  const bool reports = entry.reports && !expired;
  if (!expired) ++counters_.acknowledged;
  of.queue.release_settled();
  while (unsettled_ != 0 && slot(lowest_unsettled_) == kSettled) {
    ++lowest_unsettled_;
    --unsettled_;
  }
  if (reports) events_.on_message_outcome(MessageTicket(name), MessageOutcome::delivered);
  if (of.wants_room && held_by(of) <= config_.send_buffer / 2) {
    of.wants_room = false;
    events_.on_messages_writable(of.traffic_class);
  }
}

void MessageSender::on_frame_acknowledged(const SentFrame& frame) {
  if (frame.kind != SentFrame::Kind::message && frame.kind != SentFrame::Kind::expired) return;
  for (std::uint64_t i = 0; i != frame.length; ++i) settle(frame.value + i);
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
        if (of.queue.at(index).state != MessageQueue::State::sent) continue;
        of.queue.at(index).state = MessageQueue::State::lost;
        of.lost.push_back(index);
        ++of.lost_count;
      }
      return;
    case SentFrame::Kind::expired:
      for (std::uint64_t i = 0; i != frame.length; ++i) expired_.push_back(frame.value + i);
      return;
    case SentFrame::Kind::messages_blocked:
      if (frame.value == limits_.bytes && blocked_by_peer()) blocked_pending_ = true;
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
  for (Class& of : classes_) of.queue.shrink();
  if (unsettled_ == 0) slots_ = std::vector<Name>();
  if (expired_.empty()) expired_ = std::vector<std::uint64_t>();
  if (deadlines_.empty()) deadlines_.clear();
}

std::size_t MessageSender::memory() const {
  std::size_t total =
      slots_.capacity() * sizeof(Name) + expired_.capacity() * sizeof(std::uint64_t) + deadlines_.memory();
  for (const Class& of : classes_) total += of.queue.memory() + of.lost.capacity() * sizeof(std::uint64_t);
  return total;
}

}  // namespace mxp
