// How long is the queue just now? The shortest round trip of the last moments, compared with the shortest of the last
// ten to twenty seconds. A mean over all packets of a round (loss_judge.h) answers later, and counts in what packets wait for
// their ACK behind a gap, which is some milliseconds where ACKs are rare. So this is what finds a queue of a millisecond
// or two, as the shortest sample does that RFC 9406 (HyStart++) asks for in each round.
//
// One connection, one thread. Cost: constant for each ACK.
#pragma once

#include <algorithm>
#include <chrono>

#include "mxp/time.h"

namespace mxp {

class QueueWatch {
 public:
  // Our choice: the last moments are a quarter to half of a round trip, in which two to four ACKs come.
  static constexpr int kMomentsDivisor = 4;
  // The shortest is that of the last ten to twenty seconds.
  static constexpr Duration kMemory = std::chrono::seconds(10);

  // A sample without the time that the peer held its ACK back.
  void on_sample(Timestamp now, Duration round_trip) {
    shortest_.update(now, kMemory, round_trip);
    moments_.update(now, shortest_.best() / kMomentsDivisor, round_trip);
  }
  Duration delay() const { return moments_.best() - shortest_.best(); }
  Duration shortest() const { return shortest_.best(); }

 private:
  // The shortest of the present and of the previous period.
  class Shortest {
   public:
    void update(Timestamp now, Duration period, Duration value) {
      if (now - began_at_ >= period) {
        previous_ = now - began_at_ < 2 * period ? present_ : Duration::max();
        present_ = Duration::max();
        began_at_ = now;
      }
      present_ = std::min(present_, value);
    }
    Duration best() const { return std::min(present_, previous_); }

   private:
    Timestamp began_at_{};
    Duration present_ = Duration::max();
    Duration previous_ = Duration::max();
  };

  Shortest shortest_;
  Shortest moments_;
};

}  // namespace mxp
