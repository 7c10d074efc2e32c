// The client's side of the tests with messages: sends events, or a mix with calls, on every connection, and sums what
// both ends counted.
#pragma once

#include "mxp-perf/workloads/client_test.h"
#include "mxp-perf/workloads/latency_histogram.h"
#include "mxp-perf/workloads/message_source.h"
#include "mxp/event_loop.h"

namespace mxp::perf {

class MessagesTest final : public ClientTest {
 public:
  // `loads` gets its entries before begin().
  MessagesTest(const Workload& workload, EventLoop& loop, const ClientLoads& loads)
      : workload_(workload),
        loop_(loop),
        loads_(loads),
        source_(workload.test == Test::mixed ? MessageSource::Mix::mixed : MessageSource::Mix::events, workload.size,
                workload.outstanding, arrivals_of(workload)) {}

  std::expected<void, std::string> begin(Timestamp now) override;
  void on_message(const Message& message) override;
  void on_messages_writable(Connection& connection, MessageClass) override;
  void stop() override;
  void abandon() override { stopped_ = true; }
  bool idle() const override { return source_.waiting_calls().empty(); }
  bool settled() const override { return delivered() + expired() >= source_.taken(); }
  void on_reports_asked() override { delivered_when_asked_ = delivered(); }
  std::optional<LoadDirection> stuck() const override;
  std::uint64_t progress() const override { return delivered(); }
  std::string describe_rate(double messages_per_second) const override;
  void add_to(Result& result) override;
  std::optional<std::string> broken_promise() const override;

 private:
  static std::optional<Arrivals> arrivals_of(const Workload& workload);
  bool open_loop() const { return workload_.messages_per_second > 0; }
  // Sends as much as there is room for, or is due.
  void go_on();
  // Sends what is due, and sets the timer for what comes next.
  void pump();
  std::uint64_t sum(std::uint64_t ConnectionStats::* counter) const;
  std::uint64_t delivered() const { return sum(&ConnectionStats::messages_acknowledged); }
  std::uint64_t expired() const { return sum(&ConnectionStats::messages_expired); }
  bool reported() const;
  // By the server's application, as it reports, with what still waits for that.
  std::uint64_t received(std::uint64_t MessageReport::* counter) const;

  const Workload& workload_;
  EventLoop& loop_;
  const ClientLoads& loads_;
  MessageSource source_;
  LatencyHistogram
      round_trips_;  // of calls, from when they were due to their answers, or to the end of waiting for them
  LatencyHistogram service_times_;  // of answered calls, from when they were made
  bool unanswered_counted_ = false;
  std::uint64_t delivered_when_asked_ = 0;
  Timestamp begin_{}, end_{};
  bool stopped_ = false;
  bool timer_set_ = false;
};

}  // namespace mxp::perf
