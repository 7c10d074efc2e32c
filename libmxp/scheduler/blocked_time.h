// How long each thing has kept something from being sent: what to look at first when a transfer is slower than its
// path. One reason holds at a time. Only a change costs anything; the time since the last one is added where somebody
// asks.
//
// Many streams are held back by the same thing most of the time: by whatever holds their connection. To count that for
// each of them at each change would take time in proportion to their number. So a stream follows the connection's
// account for as long as it shares its fate: it takes away from its own account what the other one says at first, adds
// what it says at last, and what lies between is its own. A change costs the same, however many follow.
#pragma once

#include <cstddef>

#include "mxp/blocked.h"
#include "mxp/time.h"

namespace mxp {

class BlockedTime {
 public:
  // `so_far`: what held until now.
  BlockedTime(Timestamp now, BlockedBy reason, const TimeByReason& so_far = {})
      : totals_(so_far), since_(now), reason_(reason) {}

  BlockedBy reason() const { return reason_; }
  // From now on this is the reason; until now it was the one before. Returns whether it has changed.
  bool note(Timestamp now, BlockedBy reason) {
    if (reason == reason_) return false;
    totals_[static_cast<std::size_t>(reason_)] += now - since_;
    since_ = now;
    reason_ = reason;
    return true;
  }
  TimeByReason until(Timestamp now) const {
    TimeByReason out = totals_;
    out[static_cast<std::size_t>(reason_)] += now - since_;
    return out;
  }

 private:
  TimeByReason totals_;
  Timestamp since_;
  BlockedBy reason_;
};

// The account of one stream: it has a reason of its own, or follows another account.
class FollowingBlockedTime {
 public:
  // Begins, with nothing to send. Before that, and after stop, the verbs do nothing.
  void start(Timestamp now) {
    *this = {};
    since_ = now;
    state_ = State::running;
  }
  bool has_started() const { return state_ != State::not_started; }

  void set(Timestamp now, BlockedBy reason) {
    if (state_ != State::running || has(reason)) return;
    leave(now);
    since_ = now;
    reason_ = reason;
  }
  // `account` outlives the time until the next change, and must not be older than `now`.
  void follow(Timestamp now, const BlockedTime& account) {
    if (state_ != State::running || follows(account)) return;
    leave(now);
    followed_ = &account;
    const TimeByReason at_first = account.until(now);
    for (std::size_t i = 0; i != kBlockedReasons; ++i) totals_[i] -= at_first[i];
  }
  void stop(Timestamp now) {
    if (state_ != State::running) return;
    leave(now);
    state_ = State::stopped;
  }

  bool has(BlockedBy reason) const { return followed_ == nullptr && reason_ == reason; }
  bool follows(const BlockedTime& account) const { return followed_ == &account; }

  // Together as long as from start to stop, or to `now`.
  TimeByReason until(Timestamp now) const {
    FollowingBlockedTime copy = *this;
    copy.stop(now);
    return copy.totals_;
  }

 private:
  enum class State : std::uint8_t { not_started, running, stopped };

  void leave(Timestamp now) {
    if (followed_ == nullptr) {
      totals_[static_cast<std::size_t>(reason_)] += now - since_;
      return;
    }
    const TimeByReason at_last = followed_->until(now);
    for (std::size_t i = 0; i != kBlockedReasons; ++i) totals_[i] += at_last[i];
    followed_ = nullptr;
  }

  TimeByReason totals_{};  // while it follows, without what the other account said at first
  Timestamp since_{};      // of a reason of its own
  const BlockedTime* followed_ = nullptr;
  BlockedBy reason_ = BlockedBy::application;
  State state_ = State::not_started;
};

}  // namespace mxp
