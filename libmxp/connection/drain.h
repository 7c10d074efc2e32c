// An end in order: both sides stop beginning new work, finish what they have begun, ask their applications, and close
// (docs/protocol.md §7.1). QUIC has only the abrupt end (RFC 9000 §10.2); the idea is that of GOAWAY (RFC 9114 §5.2),
// with an agreement at its end instead of a guess that everything has arrived.
//
// Each side climbs from stage to stage, never back, and tells the other of each:
//
//   none ──drain() here, or `begins` from the peer──► begun ──all that it began is complete──► done
//        ──the peer is done too, nothing is under way here, the application agrees──► agreed
//
// Why this loses nothing: once the peer is done, all that it began has been acknowledged, so it is here, and nothing
// new follows. Whoever agrees after that has therefore seen everything, and its application has taken it. So when both
// have agreed, nothing is under way in either direction. A side that has called drain() closes then, and at its
// deadline in any case.
//
// This part keeps the stages and writes the frames. What is under way, the flow asks of the other parts
// (advance_drain).
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>

#include "core/cursor.h"
#include "core/frames.h"
#include "core/sent_frame.h"
#include "mxp/drain.h"
#include "mxp/time.h"
#include "scheduler/sent_frame_sink.h"

namespace mxp {

class Drain {
 public:
  using State = DrainFrame::State;

  // The application wants the end. Of several deadlines the nearest holds. A consent that was refused is asked for
  // again.
  void begin(Timestamp deadline);
  // A frame of the peer. What is known already is ignored, as is a state below one that is known: frames are repeated,
  // and overtake each other. `streams_of_peer` is how many the peer has opened so far. Returns whether it is the first
  // to say that the peer begins.
  bool on_frame(const DrainFrame& frame, std::uint64_t streams_of_peer);
  // Whether the peer may have opened so many streams: none since it was done.
  bool may_have_opened(std::uint64_t streams_of_peer) const {
    return peer_ < DrainStage::done || streams_of_peer == streams_when_done_;
  }
  void on_clock(Timestamp now) { now_ = now; }

  // Whether this side begins no new work.
  bool is_on() const { return here_ != DrainStage::none; }
  DrainStage here() const { return here_; }
  DrainStage peer() const { return peer_; }
  // When the connection is closed in any case; kNever where only the peer has begun.
  Timestamp deadline() const { return deadline_; }

  // Whether only the peer's CLOSE is left to come. If it never comes, it was lost, and nothing else was.
  bool awaits_close() const { return here_ == DrainStage::agreed && begun_there_; }

  // What this side does next, if the other parts allow it.
  enum class Next : std::uint8_t { nothing, be_done, ask_application, close };
  Next next() const;
  void on_done();
  // The application was asked. After a refusal it is not asked again before begin().
  enum class Consent : std::uint8_t { given, refused };
  void on_consent(Consent consent);

  // Frames to write.
  bool has_pending() const { return pending_ != 0; }
  // Returns whether there was any.
  bool write_frames(Writer& out, SentFrameSink sent);
  // The fate of what `sent` was told.
  void on_lost(const SentFrame& frame);

 private:
  void want(State state) { pending_ = static_cast<std::uint8_t>(pending_ | 1u << static_cast<unsigned>(state)); }
  Duration time_left() const;

  DrainStage here_ = DrainStage::none;
  DrainStage peer_ = DrainStage::none;
  bool begun_here_ = false;  // drain() was called on this side
  bool begun_there_ = false;
  bool refused_ = false;
  std::uint8_t pending_ = 0;  // bits by State
  std::uint64_t streams_when_done_ = 0;
  Timestamp deadline_ = kNever;
  Timestamp now_{};
};

}  // namespace mxp
