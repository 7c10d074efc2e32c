#include "connection/drain.h"

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

}  // namespace mxp
