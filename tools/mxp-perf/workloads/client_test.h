// The test that a client runs over its connections once the server is ready on all of them: bulk_test.h, rr_test.h,
// datagram_test.h, messages_test.h, isolation_test.h, streams_test.h, connect_test.h.
#pragma once

#include <algorithm>
#include <cstdint>
#include <expected>
#include <map>
#include <optional>
#include <string>

#include "mxp-perf/control.h"
#include "mxp-perf/options.h"
#include "mxp-perf/result.h"
#include "mxp/connection.h"

namespace mxp::perf {

// What a client keeps of one connection: how far it and the server have agreed.
struct ClientLoad {
  std::optional<Timestamp> asked;  // when the request went out
  StreamId control;
  std::uint64_t control_bytes = 0;  // sent on that stream
  ControlReader reader{kMaxReportLine};
  bool ready = false;
  std::optional<ServerReport> report;
};
using ClientLoads = std::map<Connection*, ClientLoad>;

// From the first to the last arrival of several reports.
class ArrivalSpan {
 public:
  void add(const ServerReport& report) {
    first_ns_ = std::min(first_ns_, report.first_ns);
    last_ns_ = std::max(last_ns_, report.last_ns);
  }
  // 0: there was one arrival at most.
  double seconds() const { return last_ns_ > first_ns_ ? static_cast<double>(last_ns_ - first_ns_) * 1e-9 : 0; }

 private:
  std::int64_t first_ns_ = INT64_MAX, last_ns_ = 0;
};
// Whether the server has reported on every connection.
inline bool all_reported(const ClientLoads& loads) {
  return std::ranges::all_of(loads, [](const auto& entry) { return entry.second.report.has_value(); });
}

class ClientTest {
 public:
  virtual ~ClientTest() = default;

  // Starts on all connections. The test's duration counts from `now`, which the client that will end it has read: with
  // a begin of its own that is a moment later, a test would at its end make what is not due yet. The error says what
  // the server does not allow.
  virtual std::expected<void, std::string> begin(Timestamp now) = 0;
  // Connections that the test opened itself: false if it did not open this one.
  virtual bool on_connected(Connection&) { return false; }
  virtual bool on_closed(Connection&, const CloseInfo&) { return false; }
  virtual void on_data(Connection&, StreamId, std::size_t, [[maybe_unused]] bool fin) {}
  virtual void on_streams_available(Connection&) {}
  virtual void on_writable(Connection&, StreamId) {}
  virtual void on_datagrams_writable(Connection&) {}
  virtual void on_message(const Message&) {}
  virtual void on_messages_writable(Connection&, MessageClass) {}
  // A turn of the client's clock, ten times a second.
  virtual void on_tick() {}
  // The duration is over: nothing new begins.
  virtual void stop() = 0;
  // The client has what it will have of the test, and closes: no connection is touched any more, since one that has
  // ended is gone when its callback returns.
  virtual void abandon() = 0;
  // Whether nothing is under way that still counts.
  virtual bool idle() const { return true; }
  // Whether the server may report what it has: it is asked to then, or after kSettleLimit.
  virtual bool settled() const { return true; }
  // It is being asked to.
  virtual void on_reports_asked() {}
  // The direction in which nothing came through although data were sent; rr: both.
  virtual std::optional<LoadDirection> stuck() const = 0;

  // The same in words.
  virtual std::string what_is_missing() const { return "no data came through"; }

  // What came through since the test began, including what --omit leaves out: bytes of bulk data, calls, or
  // datagrams.
  virtual std::uint64_t progress() const = 0;
  virtual std::string describe_rate(double progress_per_second) const = 0;
  // Adds what the test measured until now. Where the server's reports are missing, this end's own counts stand in.
  virtual void add_to(Result& result) = 0;
  // What MXP promises and did not keep, by the server's report.
  virtual std::optional<std::string> broken_promise() const { return std::nullopt; }
};

}  // namespace mxp::perf
