// What a run found out, and its two forms: JSON (names of the tools' contract, units in the names) and text.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "mxp-perf/environment/environment.h"
#include "mxp-perf/environment/process_figures.h"
#include "mxp-perf/histograms/hdr_histogram.h"
#include "mxp-perf/histograms/hlog_file.h"
#include "mxp-perf/verdict/noise.h"
#include "mxp-perf/workloads/workload.h"
#include "mxp/stats.h"
#include "mxp/time.h"

namespace mxp::perf {

// The version of all that --json writes (docs/schema/mxp-perf-result.schema.json): within it keys may be added, and
// none changes its meaning.
inline constexpr const char* kSchemaName = "mxp-perf/1";

struct Percentiles {
  double p50 = 0, p90 = 0, p99 = 0, p999 = 0, max = 0;  // microseconds
};
// "p50 1.0 us, p90 2.0, p99 3.0, p99.9 4.0, max 5.0"
std::string to_text(const Percentiles& percentiles);
// Of nanoseconds. REQUIRES: count() > 0.
Percentiles percentiles_us(const HdrHistogram& histogram);

// What came through in a span of the test: bytes of bulk data, datagrams, calls or messages, whatever the test counts.
struct IntervalRate {
  double begin_seconds = 0, end_seconds = 0;  // since the test began
  double per_second = 0;
};

// All values behind the percentiles of the same name.
struct NamedHistogram {
  std::string name;  // "latency", "service_time", "sender_late", "alone", "to_server", "to_client"
  HdrHistogram counts;
};

// What kept the run from being faster.
enum class Verdict : std::uint8_t { none, tool, network, peer };

// By how much less than it asked for a test may reach, and still count as one that kept its rate.
inline constexpr double kRateTolerance = 1.02;

// The calls of a test, streams and handshakes too, that are measured: those due within its duration, less what was to
// be left out.
struct CallCounts {
  std::optional<double> asked_per_second;  // open loop, as is rate_kept
  std::optional<bool> rate_kept;
  std::uint64_t due = 0;
  std::uint64_t answered = 0;
  std::uint64_t unanswered = 0;  // made or not; they count in the latency with the time they had waited
  std::uint64_t failed = 0;      // ended without an answer
  std::string first_failure = {};
};

// The datagrams of that test.
struct DatagramCounts {
  std::optional<double> asked_per_second = {};  // where a rate was given, as is rate_kept
  std::optional<bool> rate_kept = {};           // they came at that rate
  std::uint64_t sent = 0;
  std::uint64_t delivered = 0;
  std::uint64_t not_sent = 0;                   // found the queue full, or waited in it until the end
  std::optional<std::uint64_t> overtaken = {};  // delivered after one that was sent later; the server knows it

  double delivered_share() const { return sent == 0 ? 0 : static_cast<double>(delivered) / static_cast<double>(sent); }
};

// Whether so many came as were made, and at the rate that was asked for; `seconds`: from the first arrival to the last.
// REQUIRES: counts.asked_per_second.
bool keeps_rate(const DatagramCounts& counts, double seconds);

// The messages of a test.
struct MessageCounts {
  std::optional<double> asked_per_second = {};  // open loop, as are the next two
  std::optional<bool> rate_kept = {};
  std::optional<std::uint64_t> not_sent = {};  // due, and never taken: there was no room
  std::uint64_t taken = 0;                     // by the connections of this end
  std::uint64_t delivered = 0;                 // acknowledged
  std::uint64_t expired = 0;
  std::uint64_t unknown = 0;                   // not acknowledged when the test ended
  std::optional<std::uint64_t> received = {};  // by the server's application, as it reports
};

// What questions about the server's clock tell (clock/clock_probe.h): each delay is right within the error's bound.
struct OneWayDelay {
  HdrHistogram to_server, to_client;
  std::optional<double> clock_offset_us = {};  // by which the server's clock is ahead; several clients have several
  double error_bound_us = 0;
  std::uint64_t probes = 0;
};

// The same work over TLS and TCP (baseline/tls_baseline.h): as far as its test has them.
struct TlsFigures {
  std::optional<double> goodput_bits_per_second = {};
  std::optional<double> messages_per_second = {};  // calls
  std::optional<double> handshakes_per_second = {};
  std::optional<Percentiles> latency_us = {};
};

// What the transport of this end did over all connections.
struct TransportTotals {
  unsigned connections = 0;
  std::uint64_t packets_sent = 0;
  std::uint64_t packets_received = 0;
  std::uint64_t packets_lost = 0;
  std::uint64_t bytes_sent = 0;
  std::uint64_t stream_bytes_retransmitted = 0;
  std::uint64_t messages_retransmitted = 0;
  std::uint64_t packets_spuriously_lost = 0;
  std::uint64_t probes_sent = 0;
  std::uint64_t congestion_window = 0;  // bytes, of all at the end
  std::uint64_t datagram_bytes = 0;     // of the full datagrams that this side builds by now; the largest of all
  Duration smoothed_rtt{};              // the mean of those that are known
  Duration min_rtt{};                   // the smallest
  Duration handshake_time{};            // the mean
  TimeByReason blocked{};               // what kept connections from sending more, of all of them together
  std::array<TimeByReason, kMessageClasses> blocked_of_class{};

  void add(const ConnectionStats& stats);

 private:
  Duration rtt_sum_{}, handshake_sum_{};
  unsigned with_rtt_ = 0;
};

struct Result {
  Test test = Test::bulk;
  std::size_t datagram_bytes = 0;  // UDP payload that --mtu allows
  unsigned connections = 1;
  unsigned streams = 1;     // 0: the test uses none
  double seconds = 0;       // first to last delivered byte
  std::uint64_t bytes = 0;  // delivered to the application
  std::optional<double> goodput_bits_per_second;
  std::optional<double> messages_per_second;
  std::optional<double> handshakes_per_second;
  std::optional<double> streams_per_second;
  std::optional<CallCounts> calls;
  std::optional<DatagramCounts> datagrams;
  std::optional<Percentiles> latency_us;       // from when a call was due
  std::optional<Percentiles> service_time_us;  // from when it was sent
  std::optional<Percentiles> sender_late_us;   // open loop: what this program itself was late with each
  std::optional<MessageCounts> messages;
  std::optional<Percentiles> alone_latency_us;   // isolation: before the bulk began
  std::optional<ProcessFigures> client, server;  // their processes and sockets
  std::uint64_t answers = 0;                     // of the server
  double held_seconds = 0;                       // that its application took for them
  double wall_seconds = 0;
  std::optional<double> udp_bits_per_second;  // limits at the same datagram size
  std::optional<double> sealed_bits_per_second;
  TransportTotals transport;
  TransportTotals server_transport;  // where the server sends: what made it wait
  std::vector<NamedHistogram> histograms;
  std::vector<IntervalRate> intervals;
  std::optional<WallTime> started_at;  // when data began to flow
  std::string suite;
  std::optional<OneWayDelay> one_way;
  std::optional<TlsFigures> tls;
  std::optional<double> asked_start;  // --start-at, in seconds of Unix time
  Environment environment;
  Noise noise;
  Verdict verdict = Verdict::none;  // verdict/verdict.h
  std::string verdict_reason;

  // Whether what was asked for came at its rate; nothing where there was none.
  std::optional<bool> rate_kept() const {
    if (calls) return calls->rate_kept;
    if (messages) return messages->rate_kept;
    return datagrams ? datagrams->rate_kept : std::nullopt;
  }
};

// "22806", "1.2"
std::string format_call_rate(double per_second);

nlohmann::json to_json(const Percentiles& percentiles);
nlohmann::json to_json(const Result& result);
std::string to_text(const Result& result);

}  // namespace mxp::perf
