#include "mxp-cat/standard_streams.h"

namespace mxp::tools {

StandardStreams::~StandardStreams() {
  if (hand_over_timer_) loop_.cancel(*hand_over_timer_);
}

bool StandardStreams::ask_for_turn(TurnTaker& session) {
  if (owner_ == nullptr && waiting_.empty()) {
    owner_ = &session;
    return true;
  }
  waiting_.push_back(&session);
  return false;
}

void StandardStreams::leave(TurnTaker& session) {
  std::erase(waiting_, &session);
  if (owner_ != &session) return;
  owner_ = nullptr;
  output.when_drained({});
  if (!waiting_.empty() && !hand_over_timer_) hand_over_timer_ = loop_.at(loop_.now(), [this] { give_turn(); });
}

void StandardStreams::give_turn() {
  hand_over_timer_.reset();
  if (owner_ != nullptr || waiting_.empty()) return;
  owner_ = waiting_.front();
  waiting_.pop_front();
  owner_->take_turn();
}

}  // namespace mxp::tools
