#include "connection/drain.h"

#include "connection/flows.h"
#include "core/frame_writer.h"

namespace mxp {

void Drain::begin(Timestamp deadline) {
  deadline_ = std::min(deadline_, deadline);
  refused_ = false;
  if (begun_here_) return;
  begun_here_ = true;
  here_ = std::max(here_, DrainStage::begun);
  want(State::begins);
}

bool Drain::on_frame(const DrainFrame& frame, std::uint64_t streams_of_peer) {
  constexpr DrainStage kStages[] = {DrainStage::begun, DrainStage::done, DrainStage::agreed};
  const DrainStage told = kStages[static_cast<std::size_t>(frame.state)];
  if (peer_ < DrainStage::done && told >= DrainStage::done) streams_when_done_ = streams_of_peer;
  peer_ = std::max(peer_, told);
  if (frame.state != State::begins || begun_there_) return false;
  begun_there_ = true;
  here_ = std::max(here_, DrainStage::begun);
  return true;
}

Drain::Next Drain::next() const {
  switch (here_) {
    case DrainStage::none: break;
    case DrainStage::begun: return Next::be_done;
    case DrainStage::done: return peer_ >= DrainStage::done && !refused_ ? Next::ask_application : Next::nothing;
    case DrainStage::agreed: return begun_here_ && peer_ == DrainStage::agreed ? Next::close : Next::nothing;
  }
  return Next::nothing;
}

void Drain::on_done() {
  here_ = DrainStage::done;
  want(State::done);
}

void Drain::on_consent(Consent consent) {
  refused_ = consent == Consent::refused;
  if (refused_) return;
  here_ = DrainStage::agreed;
  // It says that this side is done as well.
  pending_ = static_cast<std::uint8_t>(pending_ & ~(1u << static_cast<unsigned>(State::done)));
  want(State::agrees);
}

Duration Drain::time_left() const {
  if (deadline_ == kNever) return kLongestDrain;
  return std::clamp<Duration>(deadline_ - now_, Duration::zero(), kLongestDrain);
}

bool Drain::write_frames(Writer& out, SentFrameSink sent) {
  bool wrote = false;
  for (const State state : {State::begins, State::done, State::agrees}) {
    const unsigned bit = 1u << static_cast<unsigned>(state);
    if ((pending_ & bit) == 0) continue;
    if (!write_frame(out, DrainFrame{state, state == State::begins ? time_left() : Duration::zero()})) break;
    pending_ = static_cast<std::uint8_t>(pending_ & ~bit);
    sent({.kind = SentFrame::Kind::drain, .value = static_cast<std::uint64_t>(state)});
    wrote = true;
  }
  return wrote;
}

void Drain::on_lost(const SentFrame& frame) {
  const auto state = static_cast<State>(frame.value);
  if (state != State::done || here_ != DrainStage::agreed) want(state);
}

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
