#include "scheduler/outbox.h"

#include <limits>

namespace mxp {
namespace {

// How much a class may send before the next one is chosen, if several have something: at least this, and at most a
// packet more.
constexpr std::size_t kTurnBytes = 1200;
constexpr std::size_t kNoBound = std::numeric_limits<std::size_t>::max();

}  // namespace

template <typename Has>
Outbox::Classes::Set Outbox::classes_that(Has has) {
  unsigned set = 0;
  for (unsigned i = 0; i != kMessageClasses; ++i)
    if (has(static_cast<MessageClass>(i))) set |= 1u << i;
  return static_cast<Classes::Set>(set);
}

Outbox::Classes::Set Outbox::pending_classes() const {
  return classes_that([this](MessageClass traffic_class) {
    return streams_.has_pending(traffic_class) || has_datagrams(traffic_class);
  });
}

Outbox::Classes::Set Outbox::classes_with_new_data() const {
  return classes_that([this](MessageClass traffic_class) { return streams_.has_new_data(traffic_class); });
}

bool Outbox::write_frames(Writer& out, SentFrameSink sent, Order order) {
  const std::size_t before = out.written();
  credit_.write_frames(out, sent);
  if (streams_.has_control()) streams_.write_control(out, sent);
  if (order == Order::new_first)
    for (unsigned i = 0; i != kMessageClasses; ++i)
      streams_.write_new_data(static_cast<MessageClass>(i), out, sent, kNoBound);

  // Classes whose next piece does not fit into what is left of the packet. A smaller one of another class may.
  Classes::Set full = 0;
  while (true) {
    const auto pending = static_cast<Classes::Set>(pending_classes() & ~full);
    if (pending == 0) break;
    const std::size_t chosen = queue_.next(pending);
    const std::size_t start = out.written();
    const bool alone = (pending & (pending - 1)) == 0;
    write_class(static_cast<MessageClass>(chosen), out, sent, alone ? kNoBound : kTurnBytes);
    if (out.written() == start) full = static_cast<Classes::Set>(full | 1u << chosen);
    else queue_.charge(chosen, out.written() - start, pending);
  }
  return out.written() != before;
}

void Outbox::write_class(MessageClass traffic_class, Writer& out, SentFrameSink sent, std::size_t max_bytes) {
  if (streams_.has_lost_data(traffic_class)) streams_.write_lost_data(traffic_class, out, sent);
  if (!has_datagrams(traffic_class)) return streams_.write_new_data(traffic_class, out, sent, max_bytes);
  const std::size_t start = out.written();
  if (datagrams_first_) datagrams_->write(traffic_class, now_, out, sent);
  streams_.write_new_data(traffic_class, out, sent, max_bytes);
  datagrams_->write(traffic_class, now_, out, sent);
  if (out.written() != start) datagrams_first_ = !datagrams_first_;  // else the packet was full
}

void Outbox::on_frame_lost(const SentFrame& frame) {
  switch (frame.kind) {
    case SentFrame::Kind::max_data: return credit_.on_max_data_lost(frame.value);
    case SentFrame::Kind::data_blocked:
      if (streams_.blocked_by_connection_credit()) credit_.on_data_blocked_lost(frame.value);
      return;
    default: return streams_.on_frame_lost(frame);
  }
}

}  // namespace mxp
