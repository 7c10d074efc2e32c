#include "mxp-perf/workloads/rr_test.h"

#include <algorithm>

namespace mxp::perf {

RrTest::RrTest(const Workload& workload, EventLoop& loop, const ClientLoads& loads)
    : workload_(workload), loop_(loop), loads_(loads), caller_(workload.size, [&loop] { return loop.now(); }) {}

std::expected<void, std::string> RrTest::begin() {
  const Timestamp now = loop_.now();
  measured_from_ = now + workload_.omit;
  end_ = now + workload_.duration;
  for (const auto& [connection, load] : loads_)
    if (!caller_.add_connection(*connection, workload_.streams))
      return std::unexpected("the server allows too few streams");
  if (open_loop()) {
    caller_.begin_open_loop(now, measured_from_, workload_.calls_per_second);
    pump();
  } else {
    caller_.begin_closed_loop(measured_from_);
  }
  return {};
}

void RrTest::pump() {
  if (stopped_at_ || timer_set_) return;
  // Never looks past the planned end: a timer that fires late must not make more calls due.
  const auto next = caller_.call_due(std::min(loop_.now(), end_ - Duration(1)));
  if (!next) return;  // every stream is busy: the next answer goes on
  timer_set_ = true;
  loop_.at(*next, [this] {
    timer_set_ = false;
    pump();
  });
}

void RrTest::on_data(Connection& connection, StreamId id, std::size_t count) {
  heard_data_ = true;
  caller_.on_data(connection, id, count);
  if (open_loop()) pump();
}

void RrTest::stop() {
  stopped_at_ = end_;
  caller_.stop(end_);
}

std::optional<LoadDirection> RrTest::stuck() const {
  return heard_data_ ? std::nullopt : std::optional(LoadDirection::both);
}

std::string RrTest::describe_rate(double calls_per_second) const {
  return format_call_rate(calls_per_second) + " calls/s";
}

void RrTest::add_to(Result& result) {
  const Timestamp end = stopped_at_.value_or(loop_.now());
  result.seconds = std::max(0.0, std::chrono::duration<double>(end - measured_from_).count());
  // Calls that an interruption cut short say nothing. Unanswered calls count with their age only in a whole test.
  if (stopped_at_) caller_.count_unanswered(loop_.now());
  result.bytes = caller_.measured() * workload_.size;
  if (result.seconds > 0) result.messages_per_second = static_cast<double>(caller_.measured_by_end()) / result.seconds;
  if (stopped_at_) {
    result.calls = CallCounts{.due = caller_.due(), .answered = caller_.measured(), .unanswered = caller_.unanswered()};
    if (open_loop()) {
      result.calls->asked_per_second = workload_.calls_per_second;
      // A rate was kept when all its calls were answered, the last of them no later than a fiftieth of the test after
      // what the path needs by itself. A backlog that grew and was worked off after the end shows in the longer span.
      const double span =
          std::chrono::duration<double>(caller_.last_answer() - caller_.shortest() - measured_from_).count();
      constexpr double kTolerance = 1.02;
      result.calls->rate_kept = caller_.unanswered() == 0 && span <= result.seconds * kTolerance;
      const double seconds = *result.calls->rate_kept ? result.seconds : std::max(result.seconds, span);
      if (seconds > 0) result.messages_per_second = static_cast<double>(caller_.measured()) / seconds;
    }
  }
  if (caller_.latency().count() > 0) result.latency_us = caller_.latency().percentiles();
  if (caller_.service_time().count() > 0) result.service_time_us = caller_.service_time().percentiles();
}

}  // namespace mxp::perf
