// How client and server agree on a test: the first two-way stream of each connection carries JSON, one object a line.
//
//   client: {"perf":1,"test":"bulk","flow":"up","streams":1,"size":64,"omit_ns":0,"duration_ns":10000000000}
//   server: {"ready":true}
//   … the test on other streams …
//   client: {"end":true}                                                     rr only; in bulk the ends of the streams
//   say it server: {"bytes":…,"first_ns":…,"last_ns":…,"cpu_seconds":…}             what arrived there
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "mxp-perf/options.h"
#include "mxp/connection.h"

namespace mxp::perf {

// Longer lines are refused: the peer must not make us buffer.
inline constexpr std::size_t kMaxControlLine = 4096;

// Codes of our CLOSE.
enum class AppCode : AppErrorCode { done = 0, bad_request = 1, interrupted = 2 };

// Gathers the bytes of the control stream and cuts lines.
class ControlReader {
 public:
  // False when the line grows past the limit.
  bool add(ByteView data);
  std::optional<std::string> poll_line();

 private:
  std::string buffer_;
};

// The line goes out whole: it is small, and the stream's buffer was empty. Returns its length.
std::size_t send_line(Connection& connection, StreamId id, const nlohmann::json& json);

nlohmann::json request_of(const Workload& workload);
// Nothing: not a request that this version serves.
std::optional<Workload> parse_request(const std::string& line);

struct ServerReport {
  std::uint64_t bytes = 0;
  std::int64_t first_ns = 0;  // the server's own clock: only differences, and comparisons between its connections
  std::int64_t last_ns = 0;
  double cpu_seconds = 0;  // of the whole server process since the first request that is still running
};
nlohmann::json to_json(const ServerReport& report);
std::optional<ServerReport> parse_report(const std::string& line);

// Processor time of this process so far, both user and system.
double cpu_seconds();

}  // namespace mxp::perf
