#include "mxp-perf/arrivals/call_loop.h"

#include <algorithm>
#include <utility>

namespace mxp::perf {

CallLoop::CallLoop(const Workload& workload, EventLoop& loop, std::size_t most_waiting, Make make)
    : workload_(workload), loop_(loop), most_waiting_(most_waiting), make_(std::move(make)) {
  if (workload.calls_per_second > 0) arrivals_.emplace(workload.arrivals, workload.calls_per_second, random_seed());
}

void CallLoop::begin(Timestamp now) {
  end_ = now + workload_.duration;
  room_since_ = now;
  book_.begin(now + workload_.omit);
  if (arrivals_) arrivals_->begin(now);
  go_on();
}

bool CallLoop::make(Timestamp due) {
  const Timestamp now = loop_.now();
  if (std::exchange(blocked_, false)) room_since_ = now;
  if (book_.waiting() < most_waiting_ && make_(made_)) {
    book_.on_made(made_++, {.due = open_loop() ? due : now, .made = now}, room_since_);
    return true;
  }
  blocked_ = true;
  return false;
}

void CallLoop::make_due(Timestamp until) {
  while (arrivals_->next() <= until && make(arrivals_->next())) arrivals_->advance();
}

void CallLoop::go_on() {
  if (stopped_ || abandoned_) return;
  if (!open_loop()) {
    while (make({})) {
    }
    return;
  }
  if (timer_set_) return;
  // Never looks past the planned end: a timer that fires late must not make more calls due.
  make_due(std::min(loop_.now(), end_ - Duration(1)));
  if (blocked_) return;  // an answer goes on, or room
  timer_set_ = true;
  loop_.at(arrivals_->next(), [this] {
    timer_set_ = false;
    go_on();
  });
}

void CallLoop::stop() {
  if (stopped_) return;
  end_ = std::min(end_, loop_.now());  // where something ends it early, the rest of the calls were never due
  if (open_loop()) make_due(end_ - Duration(1));
  stopped_ = true;
  book_.end();
}

void CallLoop::add_to(Result& result) {
  const Timestamp now = loop_.now();
  if (stopped_) book_.count_unanswered(arrivals_ ? &*arrivals_ : nullptr, end_, now);
  book_.add_to(result, stopped_ ? end_ : now, open_loop() ? std::optional(workload_.calls_per_second) : std::nullopt);
}

}  // namespace mxp::perf
