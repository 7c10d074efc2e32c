// The client's side of a call/response test: when calls are due, and what the answers say.
#pragma once

#include <memory>

#include "mxp-perf/workloads/client_test.h"
#include "mxp-perf/workloads/rr_caller.h"
#include "mxp/event_loop.h"

namespace mxp::perf {

class RrTest final : public ClientTest {
 public:
  // `loads` gets its entries before begin().
  RrTest(const Workload& workload, EventLoop& loop, const ClientLoads& loads);

  std::expected<void, std::string> begin() override;
  void on_data(Connection& connection, StreamId id, std::size_t count) override;
  void on_writable(Connection& connection, StreamId id) override { caller_.on_writable(connection, id); }
  void stop() override;
  bool idle() const override { return caller_.outstanding() == 0; }
  std::optional<LoadDirection> stuck() const override;
  std::uint64_t progress() const override { return caller_.answered(); }
  std::string describe_rate(double calls_per_second) const override;
  void add_to(Result& result) override;

 private:
  bool open_loop() const { return workload_.calls_per_second > 0; }
  // Makes the calls that are due, and sets the timer for the next one.
  void pump();

  const Workload& workload_;
  EventLoop& loop_;
  const ClientLoads& loads_;
  RrCaller caller_;
  Timestamp measured_from_{};
  Timestamp end_{};
  std::optional<Timestamp> stopped_at_;
  bool timer_set_ = false;
  bool heard_data_ = false;
};

}  // namespace mxp::perf
