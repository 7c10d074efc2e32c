// Makes the calls of a test. Closed loop: so many at a time, the next one when one is answered. Open loop: a call is
// made when it is due; where as many wait for their answers as may, or the test has no room, it is made later and counts
// from when it was due.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>

#include "mxp-perf/arrivals/arrivals.h"
#include "mxp-perf/arrivals/call_book.h"
#include "mxp-perf/options.h"
#include "mxp/event_loop.h"

namespace mxp::perf {

class CallLoop {
 public:
  // Begins the call of this number; false: there is no room for it now.
  using Make = std::function<bool(std::uint64_t number)>;
  // `most_waiting`: calls that may wait for their answers at a time.
  CallLoop(const Workload& workload, EventLoop& loop, std::size_t most_waiting, Make make);

  // The duration counts from `now`.
  void begin(Timestamp now);
  // Makes what can be made: after an answer, or when there is room again.
  void go_on();
  // False: no call of this number waits. The next one is made by go_on().
  bool on_answer(std::uint64_t number) { return book_.on_answer(number, loop_.now()); }
  bool on_failure(std::uint64_t number) { return book_.on_failure(number); }
  // The duration is over: what was due by then is made as far as there is room, and nothing else.
  void stop();
  // Makes no call any more.
  void abandon() { abandoned_ = true; }

  const CallBook& book() const { return book_; }
  // What was measured until now. Calls that an interruption cut short say nothing: those without an answer count only
  // after stop().
  void add_to(Result& result);

 private:
  bool open_loop() const { return arrivals_.has_value(); }
  bool make(Timestamp due);
  void make_due(Timestamp until);

  const Workload& workload_;
  EventLoop& loop_;
  std::size_t most_waiting_;
  Make make_;
  std::optional<Arrivals> arrivals_;
  CallBook book_;
  Timestamp end_{};
  Timestamp room_since_{};
  bool blocked_ = false;
  bool timer_set_ = false;
  bool stopped_ = false, abandoned_ = false;
  std::uint64_t made_ = 0;
};

}  // namespace mxp::perf
