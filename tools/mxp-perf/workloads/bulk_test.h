// The client's side of a bulk test: sends on every connection, counts what comes, and sums what both ends saw.
#pragma once

#include <map>

#include "mxp-perf/workloads/bulk.h"
#include "mxp-perf/workloads/client_test.h"
#include "mxp/event_loop.h"

namespace mxp::perf {

class BulkTest final : public ClientTest {
 public:
  // `loads` gets its entries before begin().
  BulkTest(const Workload& workload, EventLoop& loop, const ClientLoads& loads);

  std::expected<void, std::string> begin(Timestamp now) override;
  void on_data(Connection& connection, StreamId id, std::size_t count, bool fin) override;
  void on_writable(Connection& connection, StreamId id) override;
  void on_tick() override { note_acknowledged(); }
  void stop() override;
  void abandon() override { abandoned_ = true; }
  bool idle() const override { return true; }  // what is under way at the end is backlog
  std::optional<LoadDirection> stuck() const override;
  std::uint64_t progress() const override { return meter_.total() + acknowledged(); }
  std::string describe_rate(double bytes_per_second) const override;
  void add_to(Result& result) override;

 private:
  // Bulk bytes of ours that the server has acknowledged.
  std::uint64_t acknowledged() const;
  void note_acknowledged();
  bool sends() const { return workload_.flow != LoadDirection::down; }

  const Workload& workload_;
  EventLoop& loop_;
  const ClientLoads& loads_;
  BulkMeter meter_;
  std::map<Connection*, BulkSender> senders_;
  // Our own count of what we sent, for a test whose end the server does not report.
  std::optional<Timestamp> counting_since_;
  std::uint64_t acknowledged_before_ = 0;
  std::uint64_t last_acknowledged_ = 0;
  Timestamp last_progress_{};
  bool abandoned_ = false;
};

}  // namespace mxp::perf
