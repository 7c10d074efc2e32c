// When small messages wait for company. A packet costs its sender and its receiver far more than a small message does,
// so messages share packets: all that were sent in one turn of the driver go together. Beyond that, messages that do
// not fill a packet wait until 50 µs after the packet before them, by default. A message that comes alone goes at once;
// only a sender whose packets follow each other more closely than that has something to gain, and waits. What is
// critical, what was lost, and anything else that is due, goes at once and takes along what waits.
//
// An application that knows better corks the connection: until it uncorks, data of streams wait too, however long ago
// the last packet was, and once it has uncorked all of it goes, down to the last packet that is not full. As with
// TCP_CORK of Linux, a cork holds for 200 ms at most.
#pragma once

#include <algorithm>

#include "mxp/time.h"

namespace mxp {

class Coalescer {
 public:
  static constexpr Duration kLongestCork = std::chrono::milliseconds(200);

  // `delay` is SchedulerConfig::coalescing_delay.
  explicit Coalescer(Duration delay) : delay_(delay) {}

  void cork() {
    corked_ = true;
    flushing_ = false;  // what is left of the last burst goes with this one
    cork_ends_ = kNever;
  }
  // What the application wanted to send together is complete: nothing more would come that is worth waiting for.
  void uncork() {
    corked_ = false;
    flushing_ = true;
  }
  bool is_corked() const { return corked_; }

  void on_clock(Timestamp now) {
    if (!corked_) return;
    // The verb does not know the time.
    if (cork_ends_ == kNever) cork_ends_ = now + kLongestCork;
    if (cork_ends_ <= now) corked_ = false;
  }
  // A packet with data has gone.
  void on_sent(Timestamp now) { messages_until_ = now + delay_; }
  // Nothing is left to send.
  void on_all_sent() { flushing_ = false; }

  // Until when what may wait is held.
  Timestamp held_until() const { return corked_ ? cork_ends_ : messages_until_; }
  bool holds(Timestamp now) const { return !flushing_ && (corked_ || now < messages_until_); }

 private:
  const Duration delay_;
  Timestamp messages_until_{};
  Timestamp cork_ends_ = kNever;  // unknown until the next on_clock
  bool corked_ = false;
  bool flushing_ = false;  // from uncork() until all is sent
};

}  // namespace mxp
