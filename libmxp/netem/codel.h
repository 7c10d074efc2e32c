// CoDel: controlled delay (RFC 8289). It looks at how long each packet has waited when its turn on the wire comes. When
// none waited less than `target` for an `interval`, it drops, and goes on dropping at times that come closer together
// with the square root of their number, until one waited less.
//
// The pseudo-code of RFC 8289 §5 as a state machine over the packet at the head of the queue: whoever owns the queue
// asks about each head in turn and drops it or sends it.
#pragma once

#include <cstdint>

#include "mxp/time.h"

namespace mxp::netem {

enum class QueueFate : std::uint8_t { send, mark, drop };

class Codel {
 public:
  Codel(Duration target, Duration interval) : target_(target), interval_(interval) {}

  struct Head {
    Duration waited{};               // in the queue
    std::uint64_t bytes = 0;         // of this packet
    std::uint64_t bytes_behind = 0;  // of all packets behind it
    bool may_mark = false;
  };
  // `now`: when the wire is free for it. Never goes back.
  QueueFate judge(const Head& head, Timestamp now);
  // The queue ran empty.
  void on_empty();

 private:
  bool above_for_an_interval(const Head& head, Timestamp now);
  QueueFate begin_dropping(const Head& head, Timestamp now);
  QueueFate go_on_dropping(const Head& head);
  Timestamp next_drop_after(Timestamp time) const;

  Duration target_;
  Duration interval_;
  std::uint64_t largest_bytes_ = 0;  // seen so far: a queue of one packet is no standing queue
  Timestamp first_above_ = kUnset;   // when the waiting will have been above the target for an interval
  Timestamp drop_next_{};
  std::uint32_t count_ = 0;       // drops since dropping began
  std::uint32_t last_count_ = 0;  // `count_` as dropping last began
  bool dropping_ = false;
  // What the pseudo-code has in mind between two packets that it takes in one call.
  enum class Midway : std::uint8_t { no, sends_the_next, dropped_one } midway_ = Midway::no;

  static constexpr Timestamp kUnset = Timestamp::min();
};

}  // namespace mxp::netem
