// How client and server agree on a test: the first two-way stream of each connection carries JSON, one object a line.
//
//   client: {"perf":4,"run":N,"test":"bulk","flow":"up","connections":1,"streams":1,"size":64,"per_second":0,"omit_ns":0,"duration_ns":10000000000}
//           with --start-at also "wait_ns":N, the time until then
//   server: {"ready":true}
//   client: {"begin":true}                       once the server is ready on every connection
//   ...     the test, on other streams; meanwhile, of a test of calls, one at a time:
//   client: {"time":N}                           its clock, in nanoseconds
//   server: {"time":N,"came":N,"left":N}         the same number, and the server's clock when it came and when this left
//   client: {"end":true}                         when the duration is over
//   server: {"bytes":N,"first_ns":N,"last_ns":N,...,"process":{"cpu_seconds":X,...}}   what arrived there within the duration
//           where the server sends, also "sender":{"packets_lost":N,...}; with messages also "messages":{"received":N,"counted":N,"latencies":"HISTFAAA…"}
//
// The server also reports by its own clock, at the end of the duration: on a path whose queue is long, the client's
// "end" would come much later.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "mxp-perf/environment/process_figures.h"
#include "mxp-perf/options.h"
#include "mxp-perf/result.h"
#include "mxp/connection.h"

namespace mxp::perf {

// Longer lines are refused: a peer must not make us buffer much.
inline constexpr std::size_t kMaxControlLine = 4096;
inline constexpr std::size_t kMaxReportLine = 64 * 1024;  // those of a server, which may hold a histogram

// Codes of our CLOSE. 0 and 1 are those of mxp-cat, and its others are not used here: so a user who points one tool at
// the other does not get a misleading message.
enum class AppCode : AppErrorCode { done = 0, interrupted = 1, bad_request = 100, busy = 101, too_much = 102 };

// Gathers the bytes of the control stream and cuts lines.
class ControlReader {
 public:
  explicit ControlReader(std::size_t longest_line = kMaxControlLine) : longest_line_(longest_line) {}

  // False when the line grows past the limit.
  bool add(ByteView data);
  std::optional<std::string> poll_line();

 private:
  std::size_t longest_line_;
  std::string buffer_;
};

// The line goes out whole: it is small, and the stream's buffer was empty. Returns its length.
std::size_t send_line(Connection& connection, StreamId id, const nlohmann::json& json);

nlohmann::json request_of(const Workload& workload);
// std::nullopt: it is not a request that this version serves.
std::optional<Workload> parse_request(const std::string& line);

// The lines that carry one word and nothing else.
enum class Mark : std::uint8_t { ready, begin, end };
nlohmann::json to_json(Mark mark);
bool is_mark(const std::string& line, Mark mark);

// Of the latencies that a server reports: bins of a per cent.
inline constexpr int kReportFigures = 2;

// What came as messages.
struct MessageReport {
  std::uint64_t received = 0;             // from the begin of the test to the report
  std::uint64_t counted = 0;              // within the time of the test, but for the first, which starts the clock
  std::uint64_t kept = 0;                 // wait in the connection: the application has not taken them
  std::optional<HdrHistogram> latencies;  // of those that are counted, from when they were due, in ns
};

// What the transport of a server that sends did on a connection: these figures are the sender's.
struct SenderReport {
  std::uint64_t packets_sent = 0;
  std::uint64_t packets_lost = 0;
  std::uint64_t bytes_retransmitted = 0;
  std::uint64_t congestion_window = 0;
  Duration smoothed_rtt{}, min_rtt{};  // zero: none was measured
  TimeByReason blocked{};
};
nlohmann::json to_json(const SenderReport& sender);

struct ServerReport {
  std::uint64_t bytes = 0;
  std::int64_t first_ns = 0;  // the server's own clock: only differences, and comparisons between its connections
  std::int64_t last_ns = 0;
  std::uint64_t datagrams = 0;   // that arrived
  std::uint64_t overtaken = 0;   // of them: came after one that was sent later
  std::uint64_t handshakes = 0;  // of --test connect, that came to their end at the server too
  std::uint64_t answers = 0;     // of calls and streams
  double held_seconds = 0;       // that the server's application took for all of them together
  ProcessFigures process;        // of the whole server process since this connection's test began
  std::optional<SenderReport> sender = {};
  std::optional<MessageReport> messages = {};
};
nlohmann::json to_json(const ServerReport& report);
// std::nullopt: it is not a report, or its numbers are out of range or its times run backwards.
std::optional<ServerReport> parse_report(const std::string& line);

// What is known at this end of what a server's report can say.
struct ReportBounds {
  std::uint64_t sent = 0;       // bytes of the test that went out on this connection
  std::uint64_t datagrams = 0;  // and datagrams
  std::uint64_t messages = 0;   // and messages
  Duration counted{};           // the time in which arrivals count
  Duration passed{};            // since the test began
};
// What in the report contradicts that, as a clause; std::nullopt if nothing does. A result must not rest on a number
// that cannot be true, whether the server is broken or lies.
std::optional<std::string> why_impossible(const ServerReport& report, const ReportBounds& bounds);

}  // namespace mxp::perf
