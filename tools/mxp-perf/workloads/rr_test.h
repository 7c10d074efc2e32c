// The client's side of a call/response test.
#pragma once

#include "mxp-perf/arrivals/call_loop.h"
#include "mxp-perf/workloads/client_test.h"
#include "mxp-perf/workloads/rr_lines.h"
#include "mxp/event_loop.h"

namespace mxp::perf {

class RrTest final : public ClientTest {
 public:
  // `loads` gets its entries before begin().
  RrTest(const Workload& workload, EventLoop& loop, const ClientLoads& loads);

  std::expected<void, std::string> begin(Timestamp now) override;
  void on_data(Connection& connection, StreamId id, std::size_t count, bool fin) override;
  void on_writable(Connection& connection, StreamId id) override { lines_.on_writable(connection, id); }
  void stop() override { calls_.stop(); }
  void abandon() override { calls_.abandon(); }
  bool idle() const override { return calls_.book().waiting() == 0; }
  std::optional<LoadDirection> stuck() const override;
  std::uint64_t progress() const override { return calls_.book().answered(); }
  std::string describe_rate(double calls_per_second) const override;
  void add_to(Result& result) override;

 private:
  const Workload& workload_;
  const ClientLoads& loads_;
  RrLines lines_;
  CallLoop calls_;
  bool heard_data_ = false;
};

}  // namespace mxp::perf
