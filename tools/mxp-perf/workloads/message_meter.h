// The receiving end of a test with messages: how many came, and how old they were. A message begins with the time at
// which it was due, as the sender's monotonic clock had it; on one machine both ends read the same clock.
#pragma once

#include <cstdint>
#include <cstring>
#include <optional>
#include <vector>

#include "mxp-perf/control.h"
#include "mxp-perf/workloads/bulk.h"
#include "mxp-perf/workloads/latency_histogram.h"
#include "mxp/bytes.h"
#include "mxp/time.h"

namespace mxp::perf {

// Smaller payloads carry no time.
inline constexpr std::size_t kStampSize = sizeof(std::int64_t);

// REQUIRES: at least kStampSize bytes.
inline void write_stamp(MutableBytes payload, Timestamp due) {
  const std::int64_t ns = due.time_since_epoch().count();
  std::memcpy(payload.data(), &ns, sizeof ns);
}
// Only meaningful where write_stamp of this machine wrote it.
inline std::optional<Timestamp> read_stamp(ByteView payload) {
  std::int64_t ns = 0;
  if (payload.size() < kStampSize) return std::nullopt;
  std::memcpy(&ns, payload.data(), sizeof ns);
  return Timestamp(Duration(ns));
}

class MessageMeter {
 public:
  MessageMeter(Duration omit, Duration duration) : window_(omit, duration) {}

  void on_message(Timestamp now, ByteView payload) {
    window_.on_bytes(now, 1);
    if (!window_.is_open(now)) return;
    const auto due = read_stamp(payload);
    // What no clock of this machine said is no time: the payload is the peer's.
    // The difference is taken only where it cannot overflow.
    if (due && *due <= now && *due > now - kMaxDuration) latency_.record(now - *due);
  }
  // Within the window, which counts messages in the place of bytes.
  const BulkMeter& window() const { return window_; }
  MessageReport report() const {
    MessageReport report{.received = window_.total(), .counted = window_.bytes(), .latencies = {}};
    if (latency_.count() > 0) report.latencies = latency_.counts();
    return report;
  }

 private:
  BulkMeter window_;
  LatencyHistogram latency_{kReportFigures};
};

}  // namespace mxp::perf
