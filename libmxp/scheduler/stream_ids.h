// Which streams of one type (two-way or one-way) exist, without remembering each id (RFC 9000 §2.1, §4.6).
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>

#include "core/frames.h"
#include "core/range_set.h"
#include "mxp/require.h"

namespace mxp {

// Streams that we open. Every index below opened() that is not in the stream table has finished.
class LocalStreamIds {
 public:
  std::uint64_t opened() const { return opened_; }
  std::uint64_t limit() const { return limit_; }
  // The index of a new stream. nullopt if the peer allows no more now; this is remembered until the limit is raised.
  std::optional<std::uint64_t> open() {
    if (opened_ < limit_) return opened_++;
    wanted_ = true;
    if (blocked_at_ != limit_) {  // STREAMS_BLOCKED is sent once for each limit
      blocked_at_ = limit_;
      blocked_pending_ = true;
    }
    return std::nullopt;
  }
  // Returns whether an open() that failed may now succeed. It says so once, however often open() failed.
  bool raise(std::uint64_t limit) {
    if (limit <= limit_) return false;
    limit_ = limit;
    blocked_pending_ = false;
    return std::exchange(wanted_, false);
  }
  bool blocked_pending() const { return blocked_pending_; }
  void on_blocked_sent() { blocked_pending_ = false; }
  void on_blocked_lost(std::uint64_t limit) {
    blocked_pending_ = blocked_pending_ || (limit == limit_ && opened_ == limit_);
  }

 private:
  std::uint64_t opened_ = 0;
  std::uint64_t limit_ = 0;
  std::optional<std::uint64_t> blocked_at_;
  bool wanted_ = false;
  bool blocked_pending_ = false;
};

// Streams that the peer opens. The first frame of a stream opens all lower ones too. Those are kept as ranges of
// untouched indices: at most one range for each untouched stream, and so never more than may be open at once. An id at
// the limit costs one range (threat t37). An index below opened() that is neither untouched nor in the stream table
// belongs to a stream that has finished.
class RemoteStreamIds {
 public:
  enum class State : std::uint8_t { beyond_limit, unopened, untouched, touched };

  RemoteStreamIds() = default;
  explicit RemoteStreamIds(std::uint64_t max_open)
      : max_open_(std::min(max_open, kMaxStreamCount)), limit_(max_open_) {}

  std::uint64_t limit() const { return limit_; }
  std::uint64_t opened() const { return opened_; }
  // How many are open now, untouched ones included.
  std::uint64_t open_count() const { return opened_ - closed_; }
  std::size_t untouched_ranges() const { return untouched_.range_count(); }

  State state_of(std::uint64_t index) const {
    if (index >= limit_) return State::beyond_limit;
    if (index >= opened_) return State::unopened;
    return !untouched_.empty() && untouched_.contains(index) ? State::untouched : State::touched;
  }
  // REQUIRES: state_of(index) is unopened or untouched.
  void touch(std::uint64_t index) {
    MXP_REQUIRE(state_of(index) == State::unopened || state_of(index) == State::untouched);
    if (index >= opened_) {
      if (index > opened_) untouched_.add(opened_, index);
      opened_ = index + 1;
    } else {
      untouched_.remove(index, index + 1);
    }
  }
  void on_closed() { ++closed_; }
  void on_peer_blocked(std::uint64_t limit) { peer_blocked_ = peer_blocked_ || limit == limit_; }

  // MAX_STREAMS is due when half of the allowance has come back, or when the peer waits for any of it.
  bool raise_due() const {
    const std::uint64_t more = next_limit() - limit_;
    return raise_lost_ || (more != 0 && (more >= (max_open_ + 1) / 2 || peer_blocked_));
  }
  std::uint64_t raise() {
    limit_ = next_limit();
    peer_blocked_ = false;
    raise_lost_ = false;
    return limit_;
  }
  void on_raise_lost(std::uint64_t limit) { raise_lost_ = raise_lost_ || limit == limit_; }

 private:
  std::uint64_t next_limit() const { return std::min(closed_ + max_open_, kMaxStreamCount); }

  std::uint64_t max_open_ = 0;
  std::uint64_t limit_ = 0;   // as announced: indices below it may be opened
  std::uint64_t opened_ = 0;  // indices below it are open or were
  std::uint64_t closed_ = 0;
  RangeSet untouched_;
  bool peer_blocked_ = false;
  bool raise_lost_ = false;
};

}  // namespace mxp
