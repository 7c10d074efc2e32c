// The measuring side: connects, asks for a test, runs it, gathers what both ends saw.
#pragma once

#include <map>
#include <memory>

#include "common/output.h"
#include "common/signals.h"
#include "common/tool_error.h"
#include "mxp-perf/bulk.h"
#include "mxp-perf/control.h"
#include "mxp-perf/options.h"
#include "mxp-perf/result.h"
#include "mxp-perf/rr_caller.h"
#include "mxp/event_loop.h"
#include "mxp/handler.h"

namespace mxp::perf {

// A result, or why there is none. Both: the test was interrupted, and the result is what this end saw until then.
struct Outcome {
  std::optional<Result> result;
  std::optional<tools::ToolError> error;
};

class Client final : public Handler {
 public:
  Client(const Options& options, tools::Output& output)
      : options_(options), workload_(options.workload), output_(output) {}

  // Runs the whole test; blocks. `signals` ends it early with ErrorKind::interrupted.
  Outcome run(const SocketAddress& server, const PublicKey& server_key, const PrivateKey& identity,
              const tools::SignalWatch& signals);

  void on_connected(Connection& connection) override;
  std::size_t on_stream_data(Connection& connection, StreamId id, ByteView data, bool fin) override;
  void on_stream_writable(Connection& connection, StreamId id) override;
  void on_stream_finished(Connection& connection, StreamId id) override;
  void on_closed(Connection& connection, const CloseInfo& info) override;

 private:
  struct Session {
    StreamId control;
    ControlReader reader;
    bool ready = false;
    std::unique_ptr<BulkSender> sender;
    unsigned incoming_ended = 0;
    std::optional<ServerReport> report;
  };

  tools::Result<void> start(const SocketAddress& server, const PublicKey& server_key,
                            const tools::SignalWatch& signals);
  void fail(tools::ErrorKind kind, std::string message);
  void interrupt();
  void begin_when_all_ready();
  void begin_bulk();
  void begin_rr();
  void schedule_next_call();
  // The way on which no data came through although they were sent; rr: both.
  std::optional<Flow> stuck_way() const;
  void check_first_data();
  void stop_sending();
  void end_rr_when_idle();
  void on_line(Connection& connection, Session& session, const std::string& line);
  void finish_when_done();
  void tell_progress();
  bool complete(const Session& session) const;
  Result facts() const;
  Result make_result() const;
  Result make_partial_result() const;
  void add_calls(Result& result, Timestamp end) const;
  void begin_counting_acknowledged();
  std::uint64_t acknowledged() const;

  const Options& options_;
  const Workload& workload_;
  tools::Output& output_;
  EventLoop* loop_ = nullptr;
  std::map<Connection*, Session> sessions_;
  std::optional<tools::ToolError> error_;
  std::optional<Result> result_;
  BulkMeter meter_;
  // What an interrupted test sent counts by its acknowledgements: the server's report comes only at the end.
  std::optional<Timestamp> counting_since_;
  std::uint64_t acknowledged_before_ = 0;
  std::uint64_t control_bytes_ = 0;  // sent on the control streams
  bool heard_data_ = false;
  Timestamp waiting_since_{};  // for the first data
  std::unique_ptr<RrCaller> caller_;
  Timestamp started_{};
  Timestamp ended_{};
  Timestamp next_call_{};
  bool begun_ = false;
  bool stopping_ = false;
  double cpu_at_start_ = 0;
  std::uint64_t progress_bytes_ = 0;
};

}  // namespace mxp::perf
