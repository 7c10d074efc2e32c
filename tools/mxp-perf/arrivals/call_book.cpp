#include "mxp-perf/arrivals/call_book.h"

#include <algorithm>
#include <chrono>

namespace mxp::perf {

void CallBook::on_made(std::uint64_t number, const Call& call, Timestamp room_since) {
  waiting_.emplace(number, call);
  if (call.due >= measured_from_) sender_late_.record(call.made - std::max(call.due, room_since));
}

bool CallBook::on_answer(std::uint64_t number, Timestamp now) {
  const auto found = waiting_.find(number);
  if (found == waiting_.end()) return false;
  const Call call = found->second;
  waiting_.erase(found);
  ++answered_;
  if (call.due < measured_from_ || unanswered_counted_) return true;
  latency_.record(now - call.due);
  service_time_.record(now - call.made);
  shortest_ = std::min(shortest_.value_or(Duration::max()), Duration(now - call.made));
  last_answer_ = now;
  if (!ended_) ++measured_by_end_;
  return true;
}

bool CallBook::on_failure(std::uint64_t number) {
  const auto found = waiting_.find(number);
  if (found == waiting_.end()) return false;
  ++failed_;
  if (found->second.due >= measured_from_) ++failed_measured_;
  waiting_.erase(found);
  return true;
}

void CallBook::count_unanswered(const Arrivals* open_loop, Timestamp end, Timestamp now) {
  if (unanswered_counted_) return;
  unanswered_counted_ = true;
  for (const auto& [number, call] : waiting_) {
    if (call.due < measured_from_) continue;
    latency_.record(now - call.due);
    ++unanswered_;
  }
  if (open_loop == nullptr) return;
  // There can be very many, so only every so many is recorded, and it stands for its neighbours.
  constexpr std::uint64_t kMostSteps = 10'000;
  const std::uint64_t left = open_loop->left_before(end);
  const std::uint64_t first = open_loop->left_before(measured_from_);
  if (left <= first) return;
  const std::uint64_t step = (left - first) / kMostSteps + 1;
  for (std::uint64_t index = first; index < left; index += step)
    latency_.record(now - open_loop->later(index), std::min(step, left - index));
  unanswered_ += left - first;
}

void CallBook::add_to(Result& result, Timestamp end, std::optional<double> asked_per_second) const {
  result.seconds = std::max(0.0, std::chrono::duration<double>(end - measured_from_).count());
  if (result.seconds > 0) result.messages_per_second = static_cast<double>(measured_by_end_) / result.seconds;
  if (unanswered_counted_) {
    CallCounts calls{.due = measured() + unanswered_ + failed_measured_,
                     .answered = measured(),
                     .unanswered = unanswered_,
                     .failed = failed_measured_};
    if (asked_per_second) {
      calls.asked_per_second = asked_per_second;
      // A rate was kept when all its calls were answered, the last of them no later than a fiftieth of the test after
      // what the path needs by itself. A backlog that grew and was worked off after the end shows in the longer span.
      const double span =
          std::chrono::duration<double>(last_answer_ - shortest_.value_or(Duration::zero()) - measured_from_).count();
      calls.rate_kept = calls.due == calls.answered && span <= result.seconds * kRateTolerance;
      const double seconds = *calls.rate_kept ? result.seconds : std::max(result.seconds, span);
      if (seconds > 0) result.messages_per_second = static_cast<double>(measured()) / seconds;
    }
    result.calls = calls;
  }
  result.histograms = {{"latency", latency_.counts()}, {"service_time", service_time_.counts()}};
  if (latency_.count() > 0) result.latency_us = latency_.percentiles();
  if (service_time_.count() > 0) result.service_time_us = service_time_.percentiles();
  if (!asked_per_second) return;
  result.histograms.push_back({.name = "sender_late", .counts = sender_late_.counts()});
  if (sender_late_.count() > 0) result.sender_late_us = sender_late_.percentiles();
}

}  // namespace mxp::perf
