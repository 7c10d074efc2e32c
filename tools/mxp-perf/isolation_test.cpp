#include "mxp-perf/isolation_test.h"

#include <algorithm>
#include <cmath>

#include "mxp-perf/message_meter.h"

namespace mxp::perf {

std::expected<void, std::string> IsolationTest::begin() {
  begin_ = loop_.now();
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
    write_stamp(payload_, due);
    Connection& connection = *connections_[made_ % connections_.size()];
    if (!connection.send_message({.type = MessageType::call, .id = made_, .payload = payload_}))
      return;  // on_messages_writable goes on
    ++made_;
  }
}

void IsolationTest::on_message(const Message& message) {
  const auto due = read_stamp(message.payload);
  const Timestamp now = loop_.now();
  // An answer without the time of one of our calls is none.
  if (message.type != MessageType::response || !due || *due < begin_ || *due > now || answered_ == made_) return;
  ++answered_;
  (*due < bulk_begins_ ? alone_ : beside_bulk_).record(now - *due);
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
  result.calls = calls;
  if (result.seconds > 0) result.messages_per_second = static_cast<double>(answered_) / result.seconds;
  if (alone_.count() > 0) result.alone_latency_us = alone_.percentiles();
  if (beside_bulk_.count() > 0) result.latency_us = beside_bulk_.percentiles();
  std::int64_t first = INT64_MAX, last = 0;
  for (const auto& [connection, load] : loads_) {
    if (!load.report || load.report->bytes == 0) continue;
    result.bytes += load.report->bytes;
    first = std::min(first, load.report->first_ns);
    last = std::max(last, load.report->last_ns);
  }
  if (last <= first) return;
  result.seconds = static_cast<double>(last - first) * 1e-9;  // those of the bulk data
  result.goodput_bits_per_second = static_cast<double>(result.bytes) * 8 / result.seconds;
}

}  // namespace mxp::perf
