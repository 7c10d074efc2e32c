#include "scheduler/outbox.h"

#include <algorithm>
#include <limits>

namespace mxp {
namespace {

// How much a class may send before the next one is chosen, if several have something: at least this, and at most a
// packet more.
constexpr std::size_t kTurnBytes = 1200;
constexpr std::size_t kNoBound = std::numeric_limits<std::size_t>::max();

}  // namespace

template <typename Has>
Outbox::Classes Outbox::classes_that(Has has) {
  unsigned set = 0;
  for (unsigned i = 0; i != kMessageClasses; ++i)
    if (has(static_cast<MessageClass>(i))) set |= 1u << i;
  return static_cast<Classes>(set);
}

Outbox::Classes Outbox::pending_classes() const {
  return classes_that([this](MessageClass traffic_class) {
    return messages_.has_pending(traffic_class) || streams_.has_pending(traffic_class) || has_datagrams(traffic_class);
  });
}

Outbox::Classes Outbox::classes_with_new_data() const {
  return classes_that([this](MessageClass traffic_class) { return streams_.has_new_data(traffic_class); });
}

BlockedBy Outbox::awaited(MessageClass traffic_class) const {
  if (messages_.blocked_by_peer(traffic_class)) return BlockedBy::message_credit;
  if (streams_.blocked_by_connection_credit(traffic_class)) return BlockedBy::connection_credit;
  if (streams_.blocked_by_stream_credit(traffic_class)) return BlockedBy::stream_credit;
  return BlockedBy::application;
}

bool Outbox::can_wait(std::size_t bytes, Patient who) const {
  if (has_control()) return false;
  std::uint64_t waiting = 0;
  bool any = false;
  for (std::size_t i = 0; i != kMessageClasses; ++i) {
    const auto traffic_class = static_cast<MessageClass>(i);
    const bool streams = streams_.has_pending(traffic_class);
    const bool pending = streams || messages_.has_pending(traffic_class);
    if (traffic_class == MessageClass::critical && pending) return false;
    any |= pending;
    if (messages_.has_lost(traffic_class) || streams_.has_lost_data(traffic_class) || has_datagrams(traffic_class))
      return false;
    if (streams && who == Patient::messages) return false;
    waiting += messages_.new_bytes(traffic_class);
  }
  if (who == Patient::messages_and_streams) waiting += streams_.unsent();
  return any && waiting < bytes;
}

bool Outbox::write_frames(Writer& out, SentFrameSink sent, Order order) {
  const std::size_t before = out.written();
  if (decisions_) decisions_->clear();
  credit_.write_frames(out, sent);
  if (messages_.has_control()) messages_.write_control(out, sent);
  if (streams_.has_control()) streams_.write_control(out, sent);
  for (unsigned i = 0; order == Order::new_first && i != kMessageClasses; ++i) {
    const auto traffic_class = static_cast<MessageClass>(i);
    const std::size_t start = out.written();
    streams_.write_new_data(traffic_class, out, sent, kNoBound);
    if (out.written() == start) continue;
    served_ = static_cast<Classes>(served_ | 1u << i);
    keep_decision(traffic_class, Source::streams, false, out.written() - start);
    if (decisions_) decisions_->back().because = TraceScheduled::Because::probe;
  }

  // Classes whose next piece does not fit into what is left of the packet. A smaller one of another class may.
  Classes full = 0;
  while (true) {
    const auto pending = static_cast<Classes>(pending_classes() & ~full);
    if (pending == 0) break;
    const std::size_t chosen = queue_.next(pending);
    const std::size_t start = out.written();
    const bool alone = (pending & (pending - 1)) == 0;
    const auto traffic_class = static_cast<MessageClass>(chosen);
    writes_critical_ = traffic_class == MessageClass::critical;
    write_class(traffic_class, out, sent, alone ? kNoBound : kTurnBytes);
    writes_critical_ = false;
    if (out.written() == start) {
      full = static_cast<Classes>(full | 1u << chosen);
      continue;
    }
    served_ = static_cast<Classes>(served_ | 1u << chosen);
    if (decisions_) {
      const bool preempts = chosen == 0 && queue_.preempts(pending);
      decisions_->back().because = alone      ? TraceScheduled::Because::alone
                                   : preempts ? TraceScheduled::Because::preempts
                                              : TraceScheduled::Because::share;
    }
    queue_.charge(chosen, out.written() - start, static_cast<Classes>(pending | full));
  }
  return out.written() != before;
}

void Outbox::keep_decision(MessageClass traffic_class, Source source, bool lost_first, std::size_t bytes) {
  if (!decisions_) return;
  decisions_->push_back({.packet = {},
                         .traffic_class = traffic_class,
                         .source = source,
                         .because = TraceScheduled::Because::alone,
                         .lost_first = lost_first,
                         .bytes = bytes});
}

void Outbox::write_source(Source source, MessageClass traffic_class, Writer& out, SentFrameSink sent,
                          std::size_t max_bytes) {
  switch (source) {
    case Source::messages: return messages_.write(traffic_class, out, sent, max_bytes);
    case Source::streams:
      if (streams_.has_lost_data(traffic_class)) streams_.write_lost_data(traffic_class, out, sent);
      return streams_.write_new_data(traffic_class, out, sent, max_bytes);
    case Source::datagrams: datagrams_->write(traffic_class, now_, out, sent);
  }
}

void Outbox::write_class(MessageClass traffic_class, Writer& out, SentFrameSink sent, std::size_t max_bytes) {
  std::array<bool, kSources> waits = {messages_.has_pending(traffic_class), streams_.has_pending(traffic_class),
                                      has_datagrams(traffic_class)};
  auto& sent_by = sent_by_[static_cast<std::size_t>(traffic_class)];
  const auto next = [&] {
    std::size_t least = kSources;
    for (std::size_t i = 0; i != kSources; ++i)
      if (waits[i] && (least == kSources || sent_by[i] < sent_by[least])) least = i;
    return least;
  };
  const bool alone = std::ranges::count(waits, true) <= 1;
  const std::uint64_t of_next = alone ? 0 : sent_by[next()];
  for (std::size_t i = 0; i != kSources; ++i)
    if (alone || !waits[i]) sent_by[i] = of_next;
  // What is left of a packet may be too little for the one and enough for another.
  for (std::size_t source = next(); source != kSources; source = next()) {
    const std::size_t start = out.written();
    const bool lost_first = decisions_ && has_lost(static_cast<Source>(source), traffic_class);
    const std::size_t turn = alone ? max_bytes : std::min(max_bytes, kTurnBytes);
    write_source(static_cast<Source>(source), traffic_class, out, sent, turn);
    if (out.written() != start) {
      keep_decision(traffic_class, static_cast<Source>(source), lost_first, out.written() - start);
      if (!alone) sent_by[source] += out.written() - start;
      return;
    }
    waits[source] = false;
  }
}

void Outbox::on_frame_acknowledged(const SentFrame& frame) {
  if (frame.kind == SentFrame::Kind::message || frame.kind == SentFrame::Kind::message_part ||
      frame.kind == SentFrame::Kind::expired)
    return messages_.on_frame_acknowledged(frame);
  streams_.on_frame_acknowledged(frame);
}

void Outbox::on_frame_lost(const SentFrame& frame) {
  switch (frame.kind) {
    case SentFrame::Kind::message:
    case SentFrame::Kind::message_part:
    case SentFrame::Kind::expired:
    case SentFrame::Kind::max_messages:
    case SentFrame::Kind::messages_blocked: return messages_.on_frame_lost(frame);
    case SentFrame::Kind::max_data: return credit_.on_max_data_lost(frame.value);
    case SentFrame::Kind::data_blocked:
      if (streams_.blocked_by_connection_credit()) credit_.on_data_blocked_lost(frame.value);
      return;
    default: return streams_.on_frame_lost(frame);
  }
}

}  // namespace mxp
