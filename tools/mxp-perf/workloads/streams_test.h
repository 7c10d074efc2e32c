// The client's side of a test of short streams: each is opened, carries its bytes there and back, and is ended by both
// sides. One that is asked for and answered like this counts as a call: its time is from its opening to the end that
// comes back.
#pragma once

#include <unordered_map>
#include <vector>

#include "mxp-perf/arrivals/call_loop.h"
#include "mxp-perf/workloads/client_test.h"
#include "mxp-perf/workloads/rr_lines.h"
#include "mxp/event_loop.h"

namespace mxp::perf {

class StreamsTest final : public ClientTest {
 public:
  // `loads` gets its entries before begin().
  StreamsTest(const Workload& workload, EventLoop& loop, const ClientLoads& loads);

  std::expected<void, std::string> begin(Timestamp now) override;
  void on_data(Connection& connection, StreamId id, std::size_t count, bool fin) override;
  void on_writable(Connection& connection, StreamId id) override;
  void on_streams_available(Connection&) override { calls_.go_on(); }
  void stop() override { calls_.stop(); }
  void abandon() override { calls_.abandon(); }
  bool idle() const override { return calls_.book().waiting() == 0; }
  std::optional<LoadDirection> stuck() const override;
  std::uint64_t progress() const override { return calls_.book().answered(); }
  std::string describe_rate(double per_second) const override;
  void add_to(Result& result) override;

 private:
  struct ShortStream {
    std::uint64_t number = 0;
    std::uint64_t to_write = 0;
    std::uint64_t to_receive = 0;
  };

  bool open(std::uint64_t number);
  void write(Connection& connection, StreamId id, ShortStream& stream);

  const Workload& workload_;
  const ClientLoads& loads_;
  std::vector<std::uint8_t> payload_;
  std::vector<Connection*> connections_;
  std::size_t next_connection_ = 0;
  std::unordered_map<StreamKey, ShortStream, StreamKeyHash> streams_;
  CallLoop calls_;
  bool heard_data_ = false;
};

}  // namespace mxp::perf
