// The measuring side. It connects, asks the server for a test on every connection, runs it once all are ready, and
// gathers what both ends saw:
//
//   connecting  handshakes, requests, "ready" on each connection
//   running     the test (client_test.h), until its duration is over
//   ending      the last answers and the server's reports, for kEndLimit at most
//   over        there is a result, or the reason why not, or both: the result of a test that was cut short
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "common/dialer.h"
#include "common/observe/observation.h"
#include "common/output.h"
#include "common/signals.h"
#include "common/tool_error.h"
#include "mxp-perf/clock/clock_probe.h"
#include "mxp-perf/clock/unix_time.h"
#include "mxp-perf/loop/loop_run.h"
#include "mxp-perf/options.h"
#include "mxp-perf/result.h"
#include "mxp-perf/workloads/client_test.h"
#include "mxp-perf/workloads/interval_rates.h"
#include "mxp/event_loop.h"
#include "mxp/handler.h"

namespace mxp::perf {

// A result, or why there is none. Both: the test was cut short, and the result is what this end saw until then.
struct ClientResult {
  std::optional<Result> result;
  std::optional<tools::ToolError> error;
};

class Client final : public Handler {
 public:
  // Both outlive it.
  // `partners`: processes beside the two ends that work for the test, such as an emulated link.
  Client(const Options& options, tools::Output& output, std::vector<pid_t> partners = {});

  // Runs the whole test; blocks. Where the server has several addresses, the one that answers first is that of all
  // connections. `signals` ends the test early with ErrorKind::interrupted; `observation` watches the connections.
  // REQUIRES: `addresses` is not empty.
  ClientResult run(std::vector<SocketAddress> addresses, const PublicKey& server_key, const PrivateKey& identity,
                   const tools::SignalWatch& signals, tools::Observation& observation);

  // Hears of what came through in each interval.
  std::function<void(const IntervalRate&)> on_interval = [](const IntervalRate&) {};

  void on_connected(Connection& connection) override;
  std::size_t on_stream_data(Connection& connection, StreamId id, ByteView data, bool fin) override;
  void on_stream_writable(Connection& connection, StreamId id) override;
  void on_stream_reset(Connection& connection, StreamId id, AppErrorCode code) override;
  void on_streams_available(Connection& connection, StreamType) override;
  void on_datagrams_writable(Connection& connection) override;
  bool on_message(Connection& connection, const Message& message) override;
  void on_messages_writable(Connection& connection, MessageClass traffic_class) override;
  void on_closed(Connection& connection, const CloseInfo& info) override;

 private:
  enum class Phase : std::uint8_t { connecting, running, ending, over };

  // client.cpp: the phases
  void connect_more();
  bool take_answer(Connection& connection);
  void begin();
  void end();
  void ask_for_reports();
  void finish_when_done();
  void finish_without_reports();
  void finish(ClientResult result, AppCode code, std::string_view reason);
  void fail(tools::ErrorKind kind, std::string message);
  void interrupt();
  Result measured();
  OwnTimes own_times(const Result& result) const;

  // client_watch.cpp: the control streams, and what is said of silence
  void send_control(Connection& connection, ClientLoad& load, const nlohmann::json& line);
  void on_control(Connection& connection, ClientLoad& load, ByteView data, bool fin);
  void on_line(const Connection& connection, ClientLoad& load, const std::string& line);
  void tick();
  void check_requests();
  void tell_interval();
  Duration interval() const;
  void begin_on_time();
  void ask_for_clock();
  std::uint64_t packets_received() const;

  const Options& options_;
  const Workload& workload_;
  tools::Output& output_;
  const std::vector<pid_t> partners_;
  SocketAddress server_;         // once it has answered
  std::size_t udp_payload_ = 0;  // of the largest datagrams that this side builds
  const PublicKey* server_key_ = nullptr;
  EventLoop* loop_ = nullptr;
  LoopRun* running_ = nullptr;       // of that loop
  tools::Dialer* dialer_ = nullptr;  // looks for the address of the server
  Phase phase_ = Phase::connecting;
  ClientLoads loads_;
  unsigned ready_ = 0;     // connections on which the server is
  unsigned reported_ = 0;  // connections on which it has reported
  bool asked_for_reports_ = false;
  std::unique_ptr<ClientTest> test_;
  IntervalRates intervals_;
  Timestamp begun_{};
  MachineReading machine_at_begin_;
  ClockProbe clock_;
  ProcessFigures figures_at_begin_;
  WallTime begun_at_{};
  std::uint64_t packets_at_end_ = 0;
  ClientResult outcome_;
};

}  // namespace mxp::perf
