// What holds back each stream of a connection, in time in proportion to what changes: a stream that waits together with
// a thousand others costs nothing while they wait.
//
// At the end of each run of packets (connection/transmit.cpp) the streams that have changed since the last one are
// looked at: those that were written to, that sent something, whose data were lost or acknowledged, that got credit. A
// stream
//
//   * with nothing to send waits for its application, or for credit of its own
//   * with something to send, and that was in the run, shares the fate of the connection: it follows the account of
//     what holds back streams that were served
//   * that had something to send when others were in the run, and it was not, waits because others were preferred. It
//     follows the account of those
//
// A stream that was served is in a list, so that the next run finds it if it is not in that one: each service costs one
// such visit at most. Credit of the connection holds back all of them at once, so it is for the two accounts to say.
// Lost data need no credit; streams that have nothing else to send follow the connection's own account.
#pragma once

#include "mxp/blocked.h"
#include "mxp/time.h"
#include "scheduler/blocked_time.h"
#include "scheduler/stream.h"

namespace mxp {

class HeldStreams {
 public:
  // What the end of a run has to say.
  struct Run {
    enum class Carried : std::uint8_t { nothing, data };
    enum class Credit : std::uint8_t { none, left };
    Timestamp now;
    BlockedBy reason;               // what keeps more of what waits from being sent
    const BlockedTime& connection;  // its account, in which `reason` is noted if there is anything to send
    Carried carried;                // data of anybody, chosen by the scheduler
    Credit credit;                  // of the connection, for new data
  };

  explicit HeldStreams(Timestamp now) : served_(now, BlockedBy::application), behind_(now, BlockedBy::traffic_class) {}

  // Something has changed that may matter.
  void on_changed(Stream& stream) {
    if (stream.changed) return;
    following_.remove(stream);
    stream.changed = true;
    changed_.push_back(stream);
  }
  void on_served(Stream& stream) {
    stream.served = true;
    on_changed(stream);
  }
  void forget(Stream& stream) { (stream.changed ? changed_ : following_).remove(stream); }
  void note(const Run& run);

  // Whether this object has to stay: it is of no use to streams that wait for their application or their own credit.
  bool is_needed() const { return !changed_.empty() || !following_.empty(); }
  bool is_needed_by(const Stream& stream) const { return stream.held.follows(behind_); }

 private:
  void judge(Stream& stream, const Run& run);

  BlockedTime served_;
  BlockedTime behind_;
  // A stream is in one of these lists at most.
  HeldList changed_;    // since the last run
  HeldList following_;  // have something to send, and share the connection's fate
};

}  // namespace mxp
