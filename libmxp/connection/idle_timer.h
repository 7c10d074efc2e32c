// Idle timeout and keepalive (RFC 9000 §10.1): the clock starts again with every packet received, and with the first
// ack-eliciting packet sent after one. The timer also says when a connection rests: when nothing has gone either way
// for a while, it gives back the memory that only its traffic needed.
#pragma once

#include <algorithm>
#include <chrono>

#include "mxp/time.h"

namespace mxp {

class IdleTimer {
 public:
  IdleTimer(Duration keepalive, Timestamp now) : keepalive_(keepalive), since_(now), last_sent_(now) {}

  // The smaller of both sides' timeouts holds; zero means that this side wants none.
  void set_timeout(Duration ours, Duration theirs) {
    if (ours == Duration::zero()) timeout_ = theirs;
    else if (theirs == Duration::zero()) timeout_ = ours;
    else timeout_ = std::min(ours, theirs);
  }
  void on_packet_received(Timestamp now) {
    since_ = now;
    sent_since_received_ = false;
    rested_ = false;
  }
  void on_ack_eliciting_sent(Timestamp now) {
    last_sent_ = now;
    if (!sent_since_received_) since_ = now;
    sent_since_received_ = true;
    rested_ = false;
  }
  // Not sooner than three probe timeouts, so that a lost packet is not taken for a dead peer. A peer that answers
  // slowly on purpose makes probe timeouts long, so three of them count for at most a minute (threat t56).
  Timestamp deadline(Duration probe_timeout) const {
    if (timeout_ == Duration::zero()) return kNever;
    return since_ + std::max<Duration>(timeout_, std::min<Duration>(3 * probe_timeout, kLongestExtension));
  }
  Timestamp keepalive_deadline() const {
    return keepalive_ == Duration::zero() ? kNever : std::max(since_, last_sent_) + keepalive_;
  }
  // When to give memory back; kNever once that is done, until a packet goes either way.
  Timestamp rest_deadline() const { return rested_ ? kNever : std::max(since_, last_sent_) + kRestAfter; }
  void on_rested() { rested_ = true; }

 private:
  // Our choice: longer than the pauses in a conversation, so that a busy connection does not free and allocate again
  // and again.
  static constexpr Duration kRestAfter = std::chrono::seconds(2);
  static constexpr Duration kLongestExtension = std::chrono::seconds(60);  // our choice

  Duration timeout_{};
  Duration keepalive_;
  Timestamp since_;
  Timestamp last_sent_;
  bool sent_since_received_ = false;
  bool rested_ = false;
};

}  // namespace mxp
