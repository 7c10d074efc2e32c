// The sinks that the options ask for, as the one that an event loop takes. The latest events are always kept, for when
// a connection fails or somebody sends SIGUSR1.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "common/observe/dump_signal.h"
#include "common/observe/metrics_server.h"
#include "common/observe/options.h"
#include "common/observe/recent_dumps.h"
#include "common/output.h"
#include "common/tool_error.h"
#include "mxp/audit_log.h"
#include "mxp/event_loop.h"
#include "mxp/key_log_file.h"
#include "mxp/otlp.h"
#include "mxp/qlog.h"
#include "mxp/recent_events.h"
#include "mxp/trace_fan_out.h"
#include "mxp/transport_metrics.h"

namespace mxp::tools {

// What TRACEPARENT says, or nothing. One that is malformed is ignored, with a warning.
std::optional<TraceContext> trace_context_from_environment(Output& output);

// Outlives the loop. It starts threads: a process that forks makes it afterwards.
class Observation {
 public:
  // What does not work is an error that names the option. `output` outlives the result.
  static Result<std::unique_ptr<Observation>> create(const ObserveOptions& options, const std::string& tool,
                                                     Output& output);
  ~Observation();

  TraceSink& sink() { return sinks_; }
  // Listens for SIGUSR1 while the loop runs.
  void attach(EventLoop& loop);
  const std::optional<TraceContext>& trace_context() const { return trace_context_; }

 private:
  explicit Observation(Output& output) : output_(output) {}
  Result<void> open(const ObserveOptions& options, const std::string& tool);
  void dump(const std::string& why, const std::string& events);

  Output& output_;
  std::optional<TraceContext> trace_context_;
  RecentEvents recent_;
  std::unique_ptr<RecentDumps> recent_dumps_;
  DumpRate failures_;
  std::unique_ptr<KeyLogFile> key_log_;
  std::unique_ptr<QlogFolder> qlog_;
  std::unique_ptr<OtlpFile> otlp_;
  std::unique_ptr<AuditLog> audit_;
  std::optional<TransportMetrics> metrics_;
  std::unique_ptr<MetricsServer> metrics_server_;
  std::unique_ptr<TraceSink> pcap_;
  TraceFanOut sinks_;
  DumpSignal dump_signal_;
};

}  // namespace mxp::tools
