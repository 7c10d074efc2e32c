// The client's side of a test of handshakes: connections are opened, and closed as soon as they are connected. Beside
// them there is one on which the test is agreed on, which does not count. Each handshake is a full one, with its
// public-key operations on both sides; its time is from the first message to the moment when data could be sent.
#pragma once

#include <unordered_map>
#include <unordered_set>

#include "mxp-perf/arrivals/call_loop.h"
#include "mxp-perf/workloads/client_test.h"
#include "mxp/event_loop.h"

namespace mxp::perf {

class ConnectTest final : public ClientTest {
 public:
  // `loads` gets its one entry before begin(); `key` is the server's.
  ConnectTest(const Workload& workload, EventLoop& loop, const ClientLoads& loads, const PublicKey& key);

  std::expected<void, std::string> begin(Timestamp now) override;
  bool on_connected(Connection& connection) override;
  bool on_closed(Connection& connection, const CloseInfo& info) override;
  void stop() override { calls_.stop(); }
  void abandon() override { calls_.abandon(); }
  bool idle() const override { return calls_.book().waiting() == 0; }
  std::optional<LoadDirection> stuck() const override;
  std::string what_is_missing() const override;
  std::uint64_t progress() const override { return calls_.book().answered(); }
  std::string describe_rate(double per_second) const override;
  void add_to(Result& result) override;

 private:
  bool connect(std::uint64_t number);
  // In a turn of its own, because a connection must not be opened inside a callback of another one.
  void go_on_later();

  EventLoop& loop_;
  const ClientLoads& loads_;
  const PublicKey& key_;
  std::unordered_map<Connection*, std::uint64_t> shaking_hands_;  // the number of each
  std::unordered_set<Connection*> closing_;
  CallLoop calls_;
  bool timer_set_ = false;
  TransportTotals transport_;  // of those that were connected
  std::string first_failure_;
};

}  // namespace mxp::perf
