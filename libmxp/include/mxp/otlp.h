// Spans of OpenTelemetry: what each connection did, in a file of JSON Lines, one TracesData of OTLP/JSON a line, as a
// collector's file receiver takes it.
//
//   mxp.connection   from the first event to the last; client or server
//   mxp.handshake    its child, until the keys are confirmed or the attempt is over
//   mxp.loss_burst   its child: packets lost close after each other
//   mxp.schedule     its child: what the scheduler decided in a second, counted by reason and class
//
// A span is written when it ends. Bursts and seconds are bounded for each connection; those beyond are counted in the
// connection's span. docs/observability.md lists the attributes.
//
// A thread of its own writes the file; what waits for it is bounded, and spans beyond that are dropped and counted.
// Outlives the loop or endpoint that it is given to. Threads: one object for each endpoint.
#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "mxp/error.h"
#include "mxp/random.h"
#include "mxp/trace.h"
#include "mxp/trace_clock.h"
#include "mxp/trace_context.h"

#pragma GCC visibility push(default)
namespace mxp {

struct OtlpConfig {
  TraceClock clock = {};
  std::string service = "mxp";         // service.name
  std::optional<TraceContext> parent;  // of all connections; without it each of them begins a trace of its own
  bool decisions = true;               // mxp.schedule, which costs some events for each packet
  std::size_t most_bytes = std::size_t{4} << 20;  // that wait to be written. Our choice
  // Called from within on() or the destructor for the write that fails, which ends the file, and at the end if anything
  // was dropped; must not call the endpoint.
  std::function<void(const IoError&)> on_error = {};
};

class OtlpFile final : public TraceSink {
 public:
  // Appends to `path`; a new file gets mode 0600. Errors: the system's. `random` makes the ids; it and the endpoint's
  // may be the same.
  static std::expected<std::unique_ptr<OtlpFile>, IoError> open(const std::string& path, Random& random,
                                                                OtlpConfig config);
  // Writes to a descriptor, and closes it in the end.
  static std::unique_ptr<OtlpFile> to_descriptor(int fd, Random& random, OtlpConfig config);
  // Spans that have not ended are written with the time of the latest event, and say `mxp.unfinished`.
  ~OtlpFile() override;
  OtlpFile(const OtlpFile&) = delete;
  OtlpFile& operator=(const OtlpFile&) = delete;

  void on(Timestamp now, ConnectionId connection, const TraceEvent& event) override;
  bool wants_decisions() const override;
  std::uint64_t dropped() const;  // spans

 private:
  struct [[gnu::visibility("hidden")]] Impl;
  [[gnu::visibility("hidden")]] explicit OtlpFile(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace mxp
#pragma GCC visibility pop
