// Finds out whether the peer can be reached at an address (RFC 9000 §8.2): we send eight random bytes there, and only
// who receives at that address can send them back.
//
// A challenge may be lost, so it is repeated, each time with new bytes, after one probe timeout, then after two, four
// and so on; a slow answer to one of the last three still counts. An attacker who forges a source address makes us send
// there, so this ends by itself: after six probe timeouts, which leaves the third challenge three of them for its
// answer, and not before a second, because the timeout is that of the old path and the new one may be slower. (RFC 9000
// §8.2.4 recommends three timeouts, with an assumed one of about a second where nothing is known of the path.)
//
// A wrong answer means nothing: it may belong to a challenge that was forgotten. The caller sends challenges in
// datagrams of at least 1200 bytes as far as the 3× limit allows, so that the path is known to carry those.
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>

#include "core/frames.h"
#include "mxp/config.h"
#include "mxp/require.h"
#include "mxp/time.h"

namespace mxp {

// One for each attempt on a path.
class PathValidation {
 public:
  enum class State : std::uint8_t { pending, validated, abandoned };

  // `probe_timeout`: the larger one of the path in use and the new path, without backoff; at least a millisecond.
  PathValidation(Timestamp now, Duration probe_timeout)
      : wait_(std::max(probe_timeout, kLeastTimeout)), next_(now), end_(now + std::max(kTimeouts * wait_, kLeast)) {}

  State state() const { return state_; }

  bool challenge_due(Timestamp now) const { return state_ == State::pending && now >= next_ && now < end_; }
  // `data`: fresh random bytes, now in a PATH_CHALLENGE on this path. REQUIRES: challenge_due(now).
  // `size` of its datagram.
  void on_challenge_sent(Timestamp now, const PathData& data, std::size_t size = kMinInitialSize) {
    MXP_REQUIRE(challenge_due(now));
    full_[sent_ % kOutstanding] = size >= kMinInitialSize;
    outstanding_[sent_++ % kOutstanding] = data;
    next_ = now + wait_;
    wait_ *= 2;  // at most ten times, then the end has come
  }

  // Wherever it came from (RFC 9000 §8.2.3). Returns whether this one was the proof; state() is validated then.
  bool on_response(const PathData& data) {
    if (state_ != State::pending) return false;
    const auto end = outstanding_.begin() + static_cast<std::ptrdiff_t>(std::min<std::size_t>(sent_, kOutstanding));
    const auto found = std::find(outstanding_.begin(), end, data);
    if (found == end) return false;
    proof_was_full_ = full_[static_cast<std::size_t>(found - outstanding_.begin())];
    state_ = State::validated;
    return true;
  }

  // Whether the challenge that was answered showed that the path carries 1200 bytes. REQUIRES: on_response() was true.
  bool proof_was_full() const { return proof_was_full_; }

  // When on_timeout() or another challenge is due; kNever when it is over.
  Timestamp deadline() const { return state_ == State::pending ? std::min(next_, end_) : kNever; }
  // When it ends in vain; kNever when it is over. For a side that may not send a challenge now.
  Timestamp gives_up_at() const { return state_ == State::pending ? end_ : kNever; }
  // Gives up when it is time. Returns whether it just did; challenge_due() says the rest.
  bool on_timeout(Timestamp now) {
    if (state_ != State::pending || now < end_) return false;
    state_ = State::abandoned;
    return true;
  }

 private:
  // Our choices; above.
  static constexpr std::size_t kOutstanding = 3;
  static constexpr int kTimeouts = 6;
  static constexpr Duration kLeast = std::chrono::seconds(1);
  static constexpr Duration kLeastTimeout = std::chrono::milliseconds(1);

  std::array<PathData, kOutstanding> outstanding_{};
  std::array<bool, kOutstanding> full_{};
  bool proof_was_full_ = false;
  std::size_t sent_ = 0;
  Duration wait_;  // until the next repetition
  Timestamp next_;
  Timestamp end_;
  State state_ = State::pending;
};

}  // namespace mxp
