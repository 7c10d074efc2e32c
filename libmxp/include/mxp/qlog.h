// qlog: what each connection does, event by event, in a file that people and tools can read.
//
//   auto qlog = QlogFolder::open({.folder = "traces", .clock = system_trace_clock()});
//   if (!qlog) return complain(qlog.error());
//   auto loop = EventLoop::create(socket, config, handler, qlog->get());
//
// Each connection gets a file <local connection id>_<client|server>.sqlog, mode 0600: JSON text sequences (RFC 7464),
// the first of which describes the trace. docs/observability.md lists the events. No secret is ever written, and what the
// peer wrote is escaped. Addresses, sizes and times of a connection are what the file is about: it shows who talked to
// whom, and when.
//
// A thread of its own writes the files; what waits for it is bounded (QlogConfig::most_bytes). Events beyond that are
// dropped, and the file says how many (`mxp:events_dropped`). The first write that fails for a file ends that file. A
// server's file is made when the client has confirmed: a handshake that comes to nothing leaves none.
//
// Outlives the loop or endpoint that it is given to. Threads: one object for each endpoint.
#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "mxp/error.h"
#include "mxp/trace.h"
#include "mxp/trace_clock.h"

#pragma GCC visibility push(default)
namespace mxp {

enum class QlogFlavour : std::uint8_t {
  ietf,  // draft-ietf-quic-qlog-main-schema, all events in the namespace mxp
  qvis,  // version 0.3, and the names of QUIC's events where ours mean the same: what the qvis tools open
};

// The schema of the namespace mxp, as the header of a file names it.
inline constexpr std::string_view kQlogEventSchema = "https://mxp.example/112026/mxp";

struct QlogConfig {
  std::string folder;  // it exists
  QlogFlavour flavour = QlogFlavour::ietf;
  TraceClock clock = {};
  std::string program = "mxp";                    // the name of the vantage point
  bool decisions = false;                         // those of the scheduler too: some events for each packet
  std::size_t most_bytes = std::size_t{8} << 20;  // that wait to be written, of all files. Our choice
  // Called from within on() or the destructor for the first file that fails, and at the end with their number if there
  // were more; must not call the endpoint.
  std::function<void(const IoError&)> on_error = {};
};

class QlogFolder final : public TraceSink {
 public:
  // Errors: the system's, if the folder cannot be opened or written to.
  static std::expected<std::unique_ptr<QlogFolder>, IoError> open(QlogConfig config);
  ~QlogFolder() override;
  QlogFolder(const QlogFolder&) = delete;
  QlogFolder& operator=(const QlogFolder&) = delete;

  void on(Timestamp now, ConnectionId connection, const TraceEvent& event) override;
  bool wants_decisions() const override;
  bool wants_frames() const override { return true; }

  // Waits until all that was told is in its files.
  void flush();
  std::uint64_t dropped() const;  // events, of all connections

 private:
  struct [[gnu::visibility("hidden")]] Impl;
  [[gnu::visibility("hidden")]] explicit QlogFolder(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace mxp
#pragma GCC visibility pop
