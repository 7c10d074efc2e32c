// The client's side of a test of isolation: calls of the critical class at a rate, in the first half of the test alone
// and in the second half beside bulk data that take all that the path has. The two latencies side by side say what the
// bulk costs the calls.
//
// When a call was due follows from its number, which its answer brings back. A call that finds no room is made later,
// and counts from when it was due. One without an answer counts with the time that it has waited when the test is over:
// what never came back must not make the result better. --omit leaves out the beginning of both halves: bulk data that
// start look for the path's rate, which fills its queue for a moment.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <vector>

#include "mxp-perf/workloads/bulk.h"
#include "mxp-perf/workloads/client_test.h"
#include "mxp-perf/workloads/latency_histogram.h"
#include "mxp/event_loop.h"

namespace mxp::perf {

class IsolationTest final : public ClientTest {
 public:
  // `loads` gets its entries before begin().
  IsolationTest(const Workload& workload, EventLoop& loop, const ClientLoads& loads)
      : workload_(workload), loop_(loop), loads_(loads), payload_(workload.size, 0x5a) {}

  std::expected<void, std::string> begin(Timestamp now) override;
  void on_writable(Connection& connection, StreamId id) override;
  void on_message(const Message& message) override;
  void on_messages_writable(Connection&, MessageClass) override { pump(); }
  void stop() override;
  void abandon() override { stopped_ = true; }
  bool idle() const override { return waiting_.empty(); }
  std::optional<LoadDirection> stuck() const override;
  std::uint64_t progress() const override { return answered_; }
  std::string describe_rate(double calls_per_second) const override;
  void add_to(Result& result) override;

 private:
  // Makes the calls that are due, and sets the timer for the next one.
  void pump();
  Timestamp due_time(std::uint64_t number) const;
  void begin_bulk();
  void record(Timestamp due, Timestamp now, std::uint64_t count = 1);
  void count_unanswered(Timestamp now, std::uint64_t due);

  const Workload& workload_;
  EventLoop& loop_;
  const ClientLoads& loads_;
  std::vector<std::uint8_t> payload_;
  std::vector<Connection*> connections_;
  std::map<Connection*, BulkSender> senders_;
  Timestamp begin_{}, bulk_begins_{}, end_{};
  bool stopped_ = false;
  bool timer_set_ = false;
  std::uint64_t made_ = 0;
  std::uint64_t answered_ = 0;
  std::set<std::uint64_t> waiting_;  // made and not answered, by their numbers
  bool unanswered_counted_ = false;
  LatencyHistogram alone_, beside_bulk_;
};

}  // namespace mxp::perf
