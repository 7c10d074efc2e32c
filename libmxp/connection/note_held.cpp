#include "connection/note_held.h"

namespace mxp {

void note_held(Parts& parts, Timestamp now, const HeldBy& held) {
  using Carried = HeldStreams::Run::Carried;
  if (parts.held.note(now, held.connection)) parts.trace(now, TraceBlocked{held.connection});
  const Outbox::Classes pending = parts.outbox.pending_classes(), served = parts.outbox.take_served();
  const Carried carried = served != 0 && held.run == HeldBy::Run::ordinary ? Carried::data : Carried::nothing;
  for (unsigned i = 0; i != kMessageClasses; ++i) {
    const auto traffic_class = static_cast<MessageClass>(i);
    const bool is_pending = (pending >> i & 1) != 0, was_served = (served >> i & 1) != 0;
    BlockedBy reason = held.pending;
    if (!is_pending) reason = parts.outbox.awaited(traffic_class);
    else if (!was_served && (carried == Carried::data || parts.held.is_behind(traffic_class)))
      reason = BlockedBy::traffic_class;
    if (was_served) parts.held.use(now, traffic_class);
    if (parts.held.note(now, traffic_class, reason)) parts.trace(now, TraceClassBlocked{traffic_class, reason});
  }
  parts.streams.note_held(now, held.pending, parts.held.connection(), carried);
}

void trace_held_back(const Parts& parts, Timestamp now) {
  const Timestamp until = parts.coalescer.held_until();
  if (parts.tells_decisions && until != parts.held_until)
    parts.trace(now, TraceHeldBack{until, parts.coalescer.is_corked()});
}

void trace_expired_messages(Parts& parts, Timestamp now) {
  if (!parts.tells_decisions) return;
  const std::uint64_t expired = parts.messages.sent().expired;
  if (expired == parts.traced_expired) return;
  parts.trace(now, TraceMessagesExpired{expired - parts.traced_expired});
  parts.traced_expired = expired;
}

}  // namespace mxp
