// Every decision about keys and peers, in a file of JSON Lines: which clients were accepted, which refused and why,
// which server was dialled, key updates, limits that were reached, how each connection ended. docs/observability.md lists the
// events. No secret is written; keys are public ones; what a peer wrote is escaped.
//
// Strangers can make decisions as fast as they send. Of those that a datagram forces for each reason, at most
// AuditConfig::most_per_second are written; the next line of the reason says how many were left out (`suppressed`).
//
// A thread of its own writes the file; what waits for it is bounded, and a line that follows lines which were dropped
// for that says how many (`dropped`). Outlives the loop or endpoint that it is given to. Threads: one object for each
// endpoint.
#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <string>

#include "mxp/error.h"
#include "mxp/trace.h"
#include "mxp/trace_clock.h"

#pragma GCC visibility push(default)
namespace mxp {

struct AuditConfig {
  TraceClock clock = {};
  std::uint64_t most_per_second = 10;             // for each reason of a drop. Our choice
  std::size_t most_bytes = std::size_t{1} << 20;  // that wait to be written. Our choice
  // Called from within on() or the destructor for the write that fails, which ends the file, and at the end if anything
  // was dropped; must not call the endpoint.
  std::function<void(const IoError&)> on_error = {};
};

class AuditLog final : public TraceSink {
 public:
  // Appends to `path`; a new file gets mode 0600. Errors: the system's.
  static std::expected<std::unique_ptr<AuditLog>, IoError> open(const std::string& path, AuditConfig config);
  // Writes to a descriptor, and closes it in the end.
  static std::unique_ptr<AuditLog> to_descriptor(int fd, AuditConfig config);
  ~AuditLog() override;
  AuditLog(const AuditLog&) = delete;
  AuditLog& operator=(const AuditLog&) = delete;

  void on(Timestamp now, ConnectionId connection, const TraceEvent& event) override;

 private:
  struct [[gnu::visibility("hidden")]] Impl;
  [[gnu::visibility("hidden")]] explicit AuditLog(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace mxp
#pragma GCC visibility pop
