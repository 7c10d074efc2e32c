// Both ends of one flow-control limit, of a stream or of the connection (RFC 9000 §4.1). Limits are absolute byte
// counts from the start, as on the wire.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>

#include "mxp/ids.h"
#include "mxp/require.h"
#include "mxp/time.h"

namespace mxp {

// What the peer lets us send.
class SendCredit {
 public:
  SendCredit() = default;
  explicit SendCredit(std::uint64_t limit) : limit_(limit) {}

  std::uint64_t limit() const { return limit_; }
  std::uint64_t used() const { return used_; }
  std::uint64_t available() const { return limit_ - used_; }
  // REQUIRES: count <= available().
  void use(std::uint64_t count) {
    MXP_REQUIRE(count <= available());
    used_ += count;
  }
  // A limit smaller than one already known is stale and changes nothing (RFC 9000 §4.1). Returns whether there is more
  // credit now.
  bool raise(std::uint64_t limit) {
    if (limit <= limit_) return false;
    limit_ = limit;
    return true;
  }
  // We have something to send and no credit. True once for each limit: then a *_BLOCKED frame is due (threat t36).
  bool note_blocked() {
    if (blocked_at_ == limit_) return false;
    blocked_at_ = limit_;
    return true;
  }
  // Whether a *_BLOCKED frame that said `limit` is still true.
  bool still_blocked_at(std::uint64_t limit) const { return limit == limit_ && available() == 0; }

 private:
  std::uint64_t limit_ = 0;
  std::uint64_t used_ = 0;
  std::optional<std::uint64_t> blocked_at_;
};

// What we let the peer send: the window runs ahead of what the application has consumed. The limit is raised when half
// of the window was consumed, so that two or three raises are under way in each window.
//
// The window follows the application: it grows to sixteen times what that consumed in the latest round trip, up to its
// maximum, and never shrinks. Sixteen, because a packet that was lost holds back all that comes
// after it: nothing is consumed meanwhile, so that no raise can help: the window must have been large enough before.
// A packet that is lost three times in a row takes more than three round trips to arrive, and in start-up a peer sends
// twice as much in each: that is 2 + 4 + 8 = 14 times what was consumed in the latest, and some reserve. What the
// application leaves unread makes nothing grow.
class ReceiveWindow {
 public:
  ReceiveWindow() = default;
  ReceiveWindow(std::uint64_t window, std::uint64_t max_window)
      : window_(std::min(window, kMaxVarint)),
        max_window_(std::clamp(max_window, window_, kMaxVarint)),
        limit_(window_) {}

  std::uint64_t limit() const { return limit_; }
  std::uint64_t window() const { return window_; }
  std::uint64_t consumed() const { return consumed_; }

  // `round_trip`: smoothed; zero: not known, so that the window stays as it is.
  void consume(std::uint64_t count, Timestamp now, Duration round_trip) {
    if (consumed_ == 0) measured_from_ = now;
    consumed_ += count;
    measured_ += count;
    const Duration took = now - measured_from_;
    if (took < std::max(round_trip, kShortestMeasurement)) return;
    const double in_round_trip =
        static_cast<double>(measured_) * (static_cast<double>(round_trip.count()) / static_cast<double>(took.count()));
    const double wanted = kRoundTrips * in_round_trip;
    if (wanted > static_cast<double>(window_))
      window_ = wanted < static_cast<double>(max_window_) ? static_cast<std::uint64_t>(wanted) : max_window_;
    measured_from_ = now;
    measured_ = 0;
  }
  // The peer said that it is blocked at this limit. Then whatever can be granted is due at once, because the rest of
  // the window may be held by data that the application leaves unread.
  void on_peer_blocked(std::uint64_t limit) { peer_blocked_ = peer_blocked_ || limit == limit_; }

  // Makes the window at least so large, as far as it may grow at all.
  void widen(std::uint64_t window) { window_ = std::max(window_, std::min(window, max_window_)); }
  std::uint64_t max_window() const { return max_window_; }

  bool raise_due() const {
    const std::uint64_t more = next_limit() - limit_;
    return more != 0 && (more >= (window_ + 1) / 2 || peer_blocked_);  // a raise by nothing is never due
  }
  // Returns the new limit, which the peer is told. REQUIRES: raise_due(), or the last raise was lost.
  std::uint64_t raise() {
    // A limit that is only told again, because it may have been lost, grants nothing: the peer is still blocked.
    const std::uint64_t limit = next_limit();
    if (limit != limit_) peer_blocked_ = false;
    limit_ = limit;
    return limit_;
  }

 private:
  // Our choice, for the reasons above.
  static constexpr double kRoundTrips = 16;
  // Where round trips are shorter, chance decides what is consumed in one.
  static constexpr Duration kShortestMeasurement = std::chrono::milliseconds(5);

  std::uint64_t next_limit() const { return std::max(limit_, std::min(consumed_ + window_, kMaxVarint)); }

  std::uint64_t window_ = 0;
  std::uint64_t max_window_ = 0;
  std::uint64_t limit_ = 0;
  std::uint64_t consumed_ = 0;
  // What was consumed since then.
  Timestamp measured_from_{};
  std::uint64_t measured_ = 0;
  bool peer_blocked_ = false;
};

}  // namespace mxp
