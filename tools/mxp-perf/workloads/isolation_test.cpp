#include "mxp-perf/workloads/isolation_test.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace mxp::perf {

std::expected<void, std::string> IsolationTest::begin(Timestamp now) {
  begin_ = now;
  bulk_begins_ = begin_ + workload_.duration / 2;
  end_ = begin_ + workload_.duration;
  for (const auto& [connection, load] : loads_) {
    connections_.push_back(connection);
    senders_.try_emplace(connection, *connection);
  }
  loop_.at(bulk_begins_, [this] { begin_bulk(); });
  pump();
  return {};
}

void IsolationTest::begin_bulk() {
  if (stopped_) return;
  // Where the server allows fewer streams, those that it allows are busy all the same.
  for (auto& [connection, sender] : senders_) (void)sender.start(workload_.streams);
}

void IsolationTest::on_writable(Connection& connection, StreamId id) {
  if (const auto found = senders_.find(&connection); found != senders_.end()) found->second.on_writable(id);
}

Timestamp IsolationTest::due_time(std::uint64_t number) const {
  return begin_ + Duration(std::llround(static_cast<double>(number) * 1e9 / workload_.calls_per_second));
}

void IsolationTest::pump() {
  if (stopped_ || timer_set_) return;
  for (;;) {
    const Timestamp due = due_time(made_);
    if (due >= end_) return;
    if (due > loop_.now()) {
      timer_set_ = true;
      loop_.at(due, [this] {
        timer_set_ = false;
        pump();
      });
      return;
    }
    Connection& connection = *connections_[made_ % connections_.size()];
    if (!connection.send_message({.type = MessageType::call, .id = made_, .payload = payload_}))
      return;  // on_messages_writable goes on
    waiting_.insert(made_++);
  }
}

void IsolationTest::on_message(const Message& message) {
  // An answer to no call that waits is none. When the call was due follows from its number, whatever the answer says.
  if (message.type != MessageType::response || waiting_.erase(message.id) == 0 || unanswered_counted_) return;
  ++answered_;
  record(due_time(message.id), loop_.now());
}

void IsolationTest::record(Timestamp due, Timestamp now, std::uint64_t count) {
  if (due < (due < bulk_begins_ ? begin_ : bulk_begins_) + workload_.omit) return;
  (due < bulk_begins_ ? alone_ : beside_bulk_).record(now - due, count);
}

// Both those that were made and those that found no room until the end.
void IsolationTest::count_unanswered(Timestamp now, std::uint64_t due) {
  if (std::exchange(unanswered_counted_, true)) return;
  for (const std::uint64_t number : waiting_) record(due_time(number), now);
  // There can be very many, so only every so many is recorded, and it stands for its neighbours.
  constexpr std::uint64_t kMostSteps = 10'000;
  const std::uint64_t step = (due - made_) / kMostSteps + 1;
  for (std::uint64_t number = made_; number < due; number += step)
    record(due_time(number), now, std::min(step, due - number));
}

void IsolationTest::stop() {
  stopped_ = true;
  for (auto& [connection, sender] : senders_) sender.stop();
}

std::optional<LoadDirection> IsolationTest::stuck() const {
  return answered_ == 0 ? std::optional(LoadDirection::both) : std::nullopt;
}

std::string IsolationTest::describe_rate(double calls_per_second) const {
  return format_call_rate(calls_per_second) + " calls/s";
}

void IsolationTest::add_to(Result& result) {
  const Timestamp end = std::min(loop_.now(), end_);
  result.seconds = std::chrono::duration<double>(end - begin_).count();
  const double due = std::ceil(result.seconds * workload_.calls_per_second - 1e-6);
  CallCounts calls{.due = std::max(static_cast<std::uint64_t>(due), made_), .answered = answered_};
  calls.asked_per_second = workload_.calls_per_second;
  calls.unanswered = calls.due - calls.answered;
  calls.rate_kept = calls.unanswered == 0;
  count_unanswered(loop_.now(), calls.due);
  result.calls = calls;
  if (result.seconds > 0) result.messages_per_second = static_cast<double>(answered_) / result.seconds;
  result.histograms = {{"latency", beside_bulk_.counts()}, {"alone", alone_.counts()}};
  if (alone_.count() > 0) result.alone_latency_us = alone_.percentiles();
  if (beside_bulk_.count() > 0) result.latency_us = beside_bulk_.percentiles();
  ArrivalSpan span;
  for (const auto& [connection, load] : loads_) {
    if (!load.report || load.report->bytes == 0) continue;
    result.bytes += load.report->bytes;
    span.add(*load.report);
  }
  if (span.seconds() <= 0) return;
  result.seconds = span.seconds();  // those of the bulk data
  result.goodput_bits_per_second = static_cast<double>(result.bytes) * 8 / result.seconds;
}

}  // namespace mxp::perf
