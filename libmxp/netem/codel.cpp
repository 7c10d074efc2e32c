#include "netem/codel.h"

#include <algorithm>
#include <cmath>

namespace mxp::netem {

Timestamp Codel::next_drop_after(Timestamp time) const {
  return time + Duration(static_cast<Duration::rep>(
                    std::llround(static_cast<double>(interval_.count()) / std::sqrt(static_cast<double>(count_)))));
}

// RFC 8289 §5.6, dodequeue().
bool Codel::above_for_an_interval(const Head& head, Timestamp now) {
  largest_bytes_ = std::max(largest_bytes_, head.bytes);
  if (head.waited < target_ || head.bytes_behind <= largest_bytes_) {
    first_above_ = kUnset;
    return false;
  }
  if (first_above_ == kUnset) {
    first_above_ = now + interval_;
    return false;
  }
  return now >= first_above_;
}

// RFC 8289 §5.5, deque().
QueueFate Codel::judge(const Head& head, Timestamp now) {
  const bool above = above_for_an_interval(head, now);
  const Midway midway = midway_;
  midway_ = Midway::no;
  if (midway == Midway::sends_the_next) return QueueFate::send;
  if (dropping_) {
    if (!above) {
      dropping_ = false;
      return QueueFate::send;
    }
    if (midway == Midway::dropped_one) drop_next_ = next_drop_after(drop_next_);
    return now >= drop_next_ ? go_on_dropping(head) : QueueFate::send;
  }
  return above ? begin_dropping(head, now) : QueueFate::send;
}

QueueFate Codel::begin_dropping(const Head& head, Timestamp now) {
  dropping_ = true;
  // If dropping ended a short while ago, the rate that controlled the queue then is where to begin.
  const std::uint32_t delta = count_ - last_count_;
  count_ = delta > 1 && now - drop_next_ < 16 * interval_ ? delta : 1;
  drop_next_ = next_drop_after(now);
  last_count_ = count_;
  if (head.may_mark) return QueueFate::mark;
  midway_ = Midway::sends_the_next;
  return QueueFate::drop;
}

QueueFate Codel::go_on_dropping(const Head& head) {
  ++count_;
  if (head.may_mark) {
    drop_next_ = next_drop_after(drop_next_);
    return QueueFate::mark;
  }
  midway_ = Midway::dropped_one;
  return QueueFate::drop;
}

void Codel::on_empty() {
  first_above_ = kUnset;
  if (midway_ == Midway::dropped_one) dropping_ = false;
  midway_ = Midway::no;
}

}  // namespace mxp::netem
