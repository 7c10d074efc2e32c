// After a flow ran over a connection, in this order:
//
//   what it holds in memory is counted, which may close it or others
//   one that was half-open is so no longer, if it has been decided
//   its end is reported, once its CLOSE has gone to the carrier
//   the ids of its other attempts at a handshake are freed
//   a closed one is removed; any other gets the ids that its peer may use, and its next deadline
#include "endpoint/connection_table.h"

#include <utility>

#include "connection/flows.h"

namespace mxp {

ConnectionTable::ConnectionTable(const EndpointConfig& config, Random& random, Admission& admission,
                                 ConnectionBudget& budget, EndpointStats& stats)
    : admission_(admission),
      budget_(budget),
      stats_(stats),
      id_source_(make_id_source(config.connection_ids, random)) {}

void ConnectionTable::join(Entry& entry, ConnectionId id) {
  register_id(entry, id);
  budget_.join(entry);
  if (parts_of(entry).role == Role::server) {
    entry.half_open = true;
    ++half_open_;
  } else {
    entry.unanswered = true;
    ++unanswered_;
  }
}

const std::vector<Entry*>& ConnectionTable::take_due(Timestamp now) {
  due_.clear();
  while (!deadlines_.empty() && deadlines_.next() <= now) {
    Entry& entry = deadlines_.top();
    deadlines_.remove(entry);
    due_.push_back(&entry);
  }
  return due_;
}

void ConnectionTable::begin_attempt_if_due(Entry& entry, Timestamp now) {
  Parts& parts = parts_of(entry);
  if (!parts.attempts || parts.lifecycle.ending || !parts.attempts->next_is_due(now)) return;
  const ConnectionId id = fresh_id();
  parts.attempts->begin_next(now, id);
  register_id(entry, id);
}

void ConnectionTable::after_input(Entry& entry, Timestamp now) {
  if (has_something_to_send(parts_of(entry), now)) ready_.push_back(entry);
  after_drive(entry, now);
}

// A connection that has sent and has more to send, and one that broke off and has its CLOSE to send, queue again, behind
// the others. Any other one waits for the peer or for time; to drive it once more only to learn that would delay what it
// has just sent.
void ConnectionTable::after_transmit(Entry& entry, Timestamp now, const std::optional<Transmit>& sent) {
  if (sent ? has_something_to_send(parts_of(entry), now) : parts_of(entry).lifecycle.close_frame_due)
    ready_.push_back(entry);
  if (sent) recent_transmits_.note(entry, sent->remote);
  after_drive(entry, now);
}

void ConnectionTable::after_drive(Entry& entry, Timestamp now) {
  Parts& parts = parts_of(entry);
  count_memory(entry);
  leave_half_open_if_decided(entry);
  trace_if_never_accepted(parts, now);
  count_if_silent(entry);
  // A closing connection is reported once its CLOSE has gone to the carrier, so that a program may exit when it hears of
  // it.
  if (parts.lifecycle.ending && !parts.lifecycle.close_frame_due) {
    arm_discard(parts, now);
    report_ending(parts, now);
  } else if (parts.lifecycle.ending) {
    arm_giving_up(parts, now);
  }
  free_ids_of_attempts_if_over(entry);
  if (parts.lifecycle.state == ConnectionState::closed) return remove(entry, now);
  if (parts.ids && parts.lifecycle.state == ConnectionState::established) keep_ids(entry, now);
  deadlines_.set(entry, next_deadline(parts));
}

void ConnectionTable::count_memory(Entry& entry) {
  Parts& parts = parts_of(entry);
  const bool was_short = parts.memory_is_short;
  memory_.count(entry);
  // Windows that were held back may grow now, and the peer waits to hear of it.
  if (was_short && !parts.memory_is_short) ready_.push_back(entry);
}

void ConnectionTable::leave_half_open_if_decided(Entry& entry) {
  const Parts& parts = parts_of(entry);
  if (!entry.half_open || parts.lifecycle.state == ConnectionState::handshaking) return;
  entry.half_open = false;
  --half_open_;
  if (parts.lifecycle.state != ConnectionState::established) return;
  ++stats_.connections_accepted;
  admission_.on_confirmed(parts.path->remote);
  memory_.on_confirmed(entry);
}

// A client of which the application never heard is not reported to it at all.
void ConnectionTable::trace_if_never_accepted(Parts& parts, Timestamp now) {
  const bool never_accepted =
      parts.role == Role::server && parts.lifecycle.ending && parts.lifecycle.ending->before_established;
  if (never_accepted && !std::exchange(parts.lifecycle.reported, true)) trace_closed(parts, now);
}

// Without keys there is nothing to say, until a late message 2 brings them.
void ConnectionTable::count_if_silent(Entry& entry) {
  const Parts& parts = parts_of(entry);
  const bool silent = parts.lifecycle.ending && !parts.lifecycle.close_frame_due &&
                      (parts.lifecycle.state == ConnectionState::draining || !parts.keys);
  if (silent == std::exchange(entry.draining, silent)) return;
  if (silent) ++draining_;
  else --draining_;
}

// One attempt has become the connection, or the whole handshake is over.
void ConnectionTable::free_ids_of_attempts_if_over(Entry& entry) {
  if (!entry.unanswered || parts_of(entry).attempts) return;
  entry.unanswered = false;
  --unanswered_;
  forget_all_ids_but(entry, parts_of(entry).local_id);
}

// Of a connection that may move: as many as the peer takes, each of them once; and away with those that it retired.
void ConnectionTable::keep_ids(Entry& entry, Timestamp now) {
  ConnectionIds& ids = *parts_of(entry).ids;
  for (std::size_t room = ids.local.room(); room > 0; --room) {
    const ConnectionId id = fresh_id();
    register_id(entry, id);
    ids.local.issue(id);
    ready_.push_back(entry);
  }
  std::erase_if(ids.retired, [&](const ConnectionIds::Retired& retired) {
    if (retired.until > now) return false;
    index_.erase(retired.id);
    std::erase(entry.ids, retired.id);
    return true;
  });
}

void ConnectionTable::register_id(Entry& entry, ConnectionId id) {
  index_.insert(id, entry);
  entry.ids.push_back(id);
}

void ConnectionTable::forget_all_ids_but(Entry& entry, std::optional<ConnectionId> kept) {
  std::erase_if(entry.ids, [&](ConnectionId id) {
    if (id == kept) return false;
    index_.erase(id);
    return true;
  });
}

void ConnectionTable::remove(Entry& entry, Timestamp now) {
  parts_of(entry).trace(now, TraceForgotten{});
  if (entry.unanswered) --unanswered_;
  if (entry.draining) --draining_;
  forget_all_ids_but(entry, std::nullopt);
  budget_.leave(entry);
  deadlines_.remove(entry);
  ready_.remove(entry);
  recent_transmits_.forget(entry);
  entries_.erase(entry.place);
}

}  // namespace mxp
