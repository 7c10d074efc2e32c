// Takes the steps of a drain that are due (drain.h says which follow each other): whether nothing is left under way is
// the business of all parts, and the application is asked in between.
#include "connection/flows.h"

namespace mxp {

namespace {

// Of what this side began, nothing is left to do.
bool own_work_is_complete(const Parts& parts) {
  return !parts.streams.has_open_local() && parts.messages.all_sent_are_settled() && !parts.calls.any_waits() &&
         (!parts.datagrams || parts.datagrams->queue.all_outcomes_are_told());
}

// And neither of what the peer began, as far as it has come; and the application has taken everything.
bool nothing_is_under_way(const Parts& parts) {
  return own_work_is_complete(parts) && !parts.streams.has_open_remote() && parts.messages.kept() == 0 &&
         !parts.calls.any_is_open() && !parts.message_acks.owes();
}

// Agreement is not the end yet: an Ack of the peer may still come, and wait to be taken.
bool may_take(const Parts& parts, Drain::Next step) {
  switch (step) {
    case Drain::Next::nothing: break;
    case Drain::Next::be_done: return own_work_is_complete(parts);
    case Drain::Next::ask_application:
    case Drain::Next::close: return nothing_is_under_way(parts);
  }
  return false;
}

// drain() does not know the time, so a stage is traced in the next drive.
void trace_stage(Parts& parts, Timestamp now) {
  if (parts.drain.here() == parts.traced_drain) return;
  parts.traced_drain = parts.drain.here();
  parts.trace(now, TraceDrain{TraceDrain::Side::here, parts.traced_drain});
}

}  // namespace

void on_drain_frame(Parts& parts, Timestamp now, const DrainFrame& frame) {
  const DrainStage before = parts.drain.peer();
  const bool begins = parts.drain.on_frame(frame, parts.streams.opened_by_peer());
  if (parts.drain.peer() != before) parts.trace(now, TraceDrain{TraceDrain::Side::peer, parts.drain.peer()});
  if (begins) parts.events.on_drain(frame.time);
}

bool drain_step_is_due(const Parts& parts) { return may_take(parts, parts.drain.next()); }

void advance_drain(Parts& parts, Timestamp now) {
  if (!parts.drain.is_on() || parts.lifecycle.state != ConnectionState::established) return;
  parts.drain.on_clock(now);
  while (parts.lifecycle.state == ConnectionState::established) {
    trace_stage(parts, now);
    const Drain::Next step = parts.drain.next();
    if (!may_take(parts, step)) return;
    switch (step) {
      case Drain::Next::nothing: return;
      case Drain::Next::be_done: parts.drain.on_done(); break;
      case Drain::Next::ask_application: {
        const bool agrees = parts.events.on_drained();
        parts.drain.on_consent(agrees ? Drain::Consent::given : Drain::Consent::refused);
        break;
      }
      case Drain::Next::close: close_by_application(parts, AppErrorCode(0), kDrainedReason); break;
    }
  }
}

}  // namespace mxp
