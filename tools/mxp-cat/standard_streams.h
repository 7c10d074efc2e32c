// stdin and stdout, and who of several sessions has them.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>

#include "mxp-cat/standard_input.h"
#include "mxp-cat/standard_output.h"
#include "mxp/event_loop.h"

namespace mxp::tools {

// A session that reads stdin.
class TurnTaker {
 public:
  virtual ~TurnTaker() = default;
  virtual void take_turn() = 0;
};

// stdin and stdout, which one connection has at a time; later ones (--keep-open) wait for their turn. Outlives the
// sessions.
class StandardStreams {
 public:
  explicit StandardStreams(EventLoop& loop) : output(loop), loop_(loop) {}
  ~StandardStreams();

  StandardInput input;
  StandardOutput output;

  // True: `session` has the turn now. False: its turn comes, with take_turn().
  bool ask_for_turn(TurnTaker& session);
  // `session` goes. If it has the turn, the next one gets it in a later turn of the loop: never from inside here, which
  // may be the end of all of them.
  void leave(TurnTaker& session);

 private:
  void give_turn();

  EventLoop& loop_;
  TurnTaker* owner_ = nullptr;
  std::deque<TurnTaker*> waiting_;
  std::optional<std::uint64_t> hand_over_timer_;
};

}  // namespace mxp::tools
