// What became of the calls of a test: how long each took, and how many had no answer. A call is whatever is asked and
// answered: a request, a stream that is opened and ended by both sides, a handshake.
//
//   latency       from when it was due to its answer: what a user who comes at that time would see. A call without an
//                 answer counts with the time that it has waited, whether it was made or not: otherwise a pause of the
//                 server would hide the calls that were not made because of it (coordinated omission).
//   service time  from when it was made to its answer
//   sender late   from when it was due, or from when there was room for it if that is later, to when it was made: what
//                 this program itself added
#pragma once

#include <cstdint>
#include <optional>
#include <unordered_map>

#include "mxp-perf/arrivals/arrivals.h"
#include "mxp-perf/result.h"
#include "mxp-perf/workloads/latency_histogram.h"
#include "mxp/time.h"

namespace mxp::perf {

class CallBook {
 public:
  struct Call {
    Timestamp due{}, made{};
  };

  // Those due before `measured_from` are not measured.
  void begin(Timestamp measured_from) { measured_from_ = measured_from; }
  // `room_since`: since when it could have been made, if it had been due.
  void on_made(std::uint64_t number, const Call& call, Timestamp room_since);
  // False: no call of this number waits.
  bool on_answer(std::uint64_t number, Timestamp now);
  // It has ended without an answer.
  bool on_failure(std::uint64_t number);
  // The duration is over: what is answered from now on was not answered within it.
  void end() { ended_ = true; }
  // Once: calls that wait, and those that were due before `end` and never made (`open_loop`), count with the time that
  // they have waited.
  void count_unanswered(const Arrivals* open_loop, Timestamp end, Timestamp now);

  std::size_t waiting() const { return waiting_.size(); }
  std::uint64_t answered() const { return answered_; }  // from the begin on
  std::uint64_t failed() const { return failed_; }
  // Of the calls that are measured:
  std::uint64_t measured() const { return service_time_.count(); }  // answered
  const LatencyHistogram& latency() const { return latency_; }
  const LatencyHistogram& service_time() const { return service_time_; }
  const LatencyHistogram& sender_late() const { return sender_late_; }

  // The span of the test that is measured, and what came of it. `asked_per_second`: open loop.
  void add_to(Result& result, Timestamp end, std::optional<double> asked_per_second) const;

 private:
  std::unordered_map<std::uint64_t, Call> waiting_;
  Timestamp measured_from_{};
  bool ended_ = false;
  std::uint64_t answered_ = 0, failed_ = 0;
  std::uint64_t measured_by_end_ = 0;
  std::uint64_t unanswered_ = 0;
  std::uint64_t failed_measured_ = 0;
  bool unanswered_counted_ = false;
  Timestamp last_answer_{};
  std::optional<Duration> shortest_;  // service time
  LatencyHistogram latency_, service_time_, sender_late_;
};

}  // namespace mxp::perf
