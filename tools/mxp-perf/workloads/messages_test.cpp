#include "mxp-perf/workloads/messages_test.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "common/counted.h"
#include "common/resolve.h"
#include "mxp-perf/workloads/message_meter.h"

namespace mxp::perf {

namespace {

// At high rates, what becomes due within this time is sent together. Waking for each message would cost more than
// sending it, and a core at 500,000 a second. A message that waits for its batch has this wait in its latency.
constexpr Duration kLeastPause = std::chrono::microseconds(200);

}  // namespace

std::optional<Arrivals> MessagesTest::arrivals_of(const Workload& workload) {
  if (workload.messages_per_second <= 0) return std::nullopt;
  return Arrivals(workload.arrivals, workload.messages_per_second, random_seed());
}

std::expected<void, std::string> MessagesTest::begin(Timestamp now) {
  begin_ = now;
  end_ = begin_ + workload_.duration;
  source_.begin(begin_);
  for (const auto& [connection, load] : loads_) source_.add_connection(*connection);
  go_on();
  return {};
}

void MessagesTest::go_on() {
  if (open_loop()) return pump();
  for (const auto& [connection, load] : loads_) on_messages_writable(*connection, MessageClass::background);
}

void MessagesTest::on_message(const Message& message) {
  if (message.type != MessageType::response || unanswered_counted_) return;
  const auto call = source_.on_answer(message.id);
  if (!call) return;  // an answer to no call that waits is none
  const Timestamp now = loop_.now();
  if (call->due >= begin_ + workload_.omit) {
    round_trips_.record(now - call->due);
    service_times_.record(now - call->made);
  }
  if (!stopped_) go_on();
}

void MessagesTest::on_messages_writable(Connection& connection, MessageClass) {
  if (stopped_) return;
  if (open_loop()) pump();
  else source_.fill(connection, [this] { return loop_.now(); });
}

void MessagesTest::pump() {
  if (stopped_ || timer_set_) return;
  // Never looks past the planned end: a timer that fires late must not make more messages due.
  const auto next = source_.send_due(std::min(loop_.now(), end_ - Duration(1)), loop_.now());
  if (!next) return;  // every connection is full: on_messages_writable goes on
  timer_set_ = true;
  loop_.at(std::max(*next, loop_.now() + kLeastPause), [this] {
    timer_set_ = false;
    pump();
  });
}

void MessagesTest::stop() {
  if (open_loop() && !stopped_) (void)source_.send_due(std::min(loop_.now(), end_ - Duration(1)), loop_.now());
  stopped_ = true;
}

std::optional<LoadDirection> MessagesTest::stuck() const {
  return delivered() == 0 ? std::optional(LoadDirection::up) : std::nullopt;
}

std::string MessagesTest::describe_rate(double messages_per_second) const {
  return format_call_rate(messages_per_second) + " messages/s";
}

std::uint64_t MessagesTest::sum(std::uint64_t ConnectionStats::* counter) const {
  std::uint64_t total = 0;
  for (const auto& [connection, load] : loads_) total += connection->stats().*counter;
  return total;
}

bool MessagesTest::reported() const {
  return std::all_of(loads_.begin(), loads_.end(),
                     [](const auto& entry) { return entry.second.report && entry.second.report->messages; });
}

std::uint64_t MessagesTest::received(std::uint64_t MessageReport::* counter) const {
  std::uint64_t total = 0;
  for (const auto& [connection, load] : loads_) total += (*load.report->messages).*counter;
  return total;
}

void MessagesTest::add_to(Result& result) {
  MessageCounts counts{.taken = source_.taken(), .delivered = delivered(), .expired = expired()};
  counts.unknown = counts.taken - std::min(counts.taken, counts.delivered + counts.expired);
  std::uint64_t counted = counts.delivered;
  result.seconds = std::chrono::duration<double>(std::min(loop_.now(), end_) - begin_).count();
  if (reported()) {
    counts.received = received(&MessageReport::received);
    counted = 0;
    ArrivalSpan span;
    HdrHistogram ages(kReportFigures);
    for (const auto& [connection, load] : loads_) {
      const ServerReport& report = *load.report;
      if (report.messages->counted == 0) continue;
      counted += report.messages->counted;
      span.add(report);
      // Where both ends read the same clock, the time in a message says how old it is.
      if (report.messages->latencies && workload_.test == Test::messages && workload_.address_tells_clock &&
          tools::is_loopback(connection->remote_address()))
        (void)ages.add(*report.messages->latencies);  // of one shape, or the report would have been refused
    }
    result.seconds = span.seconds();
    if (workload_.test == Test::messages) result.histograms = {{"latency", ages}};
    if (ages.count() > 0) result.latency_us = percentiles_us(ages);
  }
  // What never came back must not make the result better.
  if (!std::exchange(unanswered_counted_, true))
    for (const auto& [id, call] : source_.waiting_calls())
      if (call.due >= begin_ + workload_.omit) round_trips_.record(loop_.now() - call.due);
  if (round_trips_.count() > 0) result.latency_us = round_trips_.percentiles();
  if (service_times_.count() > 0) result.service_time_us = service_times_.percentiles();
  if (workload_.test == Test::mixed)
    result.histograms = {{"latency", round_trips_.counts()}, {"service_time", service_times_.counts()}};
  if (open_loop()) {
    result.histograms.push_back({.name = "sender_late", .counts = source_.sender_late().counts()});
    if (source_.sender_late().count() > 0) result.sender_late_us = source_.sender_late().percentiles();
  }
  result.bytes = counted * workload_.size;
  if (result.seconds > 0) {
    result.messages_per_second = static_cast<double>(counted) / result.seconds;
    result.goodput_bits_per_second = static_cast<double>(result.bytes) * 8 / result.seconds;
  }
  if (open_loop()) {
    counts.asked_per_second = workload_.messages_per_second;
    counts.not_sent = source_.left_before(std::min(loop_.now(), end_));
    counts.rate_kept = counts.not_sent == 0 &&
                       result.messages_per_second.value_or(0) * kRateTolerance >= workload_.messages_per_second;
  }
  result.messages = counts;
}

std::optional<std::string> MessagesTest::broken_promise() const {
  // What was acknowledged before the server was asked had come there before it answered.
  if (!reported()) return std::nullopt;
  const std::uint64_t came = received(&MessageReport::received) + received(&MessageReport::kept);
  if (came >= delivered_when_asked_) return std::nullopt;
  const std::uint64_t lost = delivered_when_asked_ - came;
  return fmt::format("{} lost: acknowledged by the server's transport, and never told to its application",
                     tools::counted(lost, "message"));
}

}  // namespace mxp::perf
