// What mxp-perf was asked to do, all checks done.
#pragma once

#include <algorithm>
#include <expected>
#include <optional>
#include <string>
#include <vector>

#include "common/command_line.h"
#include "common/observe/options.h"
#include "mxp-perf/arrivals/arrivals.h"
#include "mxp-perf/assertions.h"
#include "mxp-perf/capacity/capacity_options.h"
#include "mxp-perf/compare/compare_options.h"
#include "mxp-perf/histograms/merge_options.h"
#include "mxp-perf/outputs/output_options.h"
#include "mxp-perf/report/report_options.h"
#include "mxp/address.h"
#include "mxp/config.h"
#include "mxp/message_options.h"
#include "mxp/time.h"
#include "mxp/url.h"

namespace mxp::perf {

enum class Command : std::uint8_t { server, client, run, limits, compare, merge, report, find_capacity };
enum class Test : std::uint8_t { bulk, rr, messages, datagrams, isolation, mixed, streams, connect };
std::string_view to_string(Test test);
// The test of this name, if there is one.
std::optional<Test> test_of(std::string_view name);

// Which way bulk data flow, seen from the client.
enum class LoadDirection : std::uint8_t { up, down, both };
std::string_view to_string(LoadDirection flow);

// What one test may ask for: a server keeps these bounds as well (tools/mxp-perf/control.h).
inline constexpr unsigned kMaxConnections = 1000;
inline constexpr unsigned kMaxStreams = 1000;         // of a connection
inline constexpr unsigned kMaxStreamsInAll = 10'000;  // each may hold 16 KiB, however small its share of the memory is
inline constexpr std::uint64_t kMaxSize = 1u << 20;   // bytes of a call
// Bytes of a datagram: at least its number, at most what every path carries (Connection::max_datagram_size).
inline constexpr std::uint64_t kLeastDatagram = 8, kLargestDatagram = 1170;
inline constexpr std::uint64_t kMaxMessageSize = kMaxShortMessage;  // our choice: short ones are what is measured
inline constexpr Duration kMaxDuration = std::chrono::hours(1);
inline constexpr Duration kMinDuration = std::chrono::milliseconds(1);
inline constexpr double kMinRate = 1e-3, kMaxRate = 1e7;  // calls, messages or datagrams per second
inline constexpr double kIsolationRate = 1000;            // calls per second, unless said otherwise
// Calls, streams or handshakes that may wait for their answers at a time in open loop, unless said otherwise. rr: as
// many as may have a stream, kMaxStreamsInAll.
inline constexpr unsigned kOutstanding = 1000;
inline constexpr Duration kMaxDelay = std::chrono::seconds(10);  // --delay of a server
inline constexpr std::uint64_t kLeastMaxRate = 8'000;            // --max-rate of a server, bit/s
inline constexpr Duration kMinInterval = std::chrono::milliseconds(10);

struct Workload {
  std::uint64_t run = 0;  // which client this is, of those with one key; random
  Test test = Test::bulk;
  LoadDirection flow = LoadDirection::up;
  Duration duration = std::chrono::seconds(10);
  Duration omit{};          // measured from the first delivered byte on; what comes before it does not count
  std::uint64_t size = 64;  // bytes of a call and of its response, of a message, or of a datagram
  // Over all connections. rr, streams, connect: open loop; 0 = closed loop, one outstanding for each stream, or as many
  // handshakes as `outstanding`. Datagrams: 0 = as fast as they go.
  double calls_per_second = 0;
  double messages_per_second = 0;           // open loop: over all connections; 0 = as many as are taken
  ArrivalLaw arrivals = ArrivalLaw::fixed;  // open loop
  unsigned outstanding = kOutstanding;      // that may wait for their answers at a time: open loop, mixed and connect
  unsigned connections = 1;
  Duration wait{};  // that the client will take from the server's "ready" to the begin, for --start-at
  // Whether a server at an address of this machine reads the same clock as we do: not behind an emulated link.
  bool address_tells_clock = true;
  unsigned streams = 1;  // per connection; open loop: at first, since calls that would wait for one open more

  bool uses_streams() const {
    return test == Test::bulk || test == Test::rr || test == Test::isolation || test == Test::streams;
  }
  // rr, streams, connect: how many calls may wait for their answers at a time.
  std::size_t most_waiting() const {
    return calls_per_second > 0 || test == Test::connect ? outstanding : std::size_t{connections} * streams;
  }
};

// The least that --mtu takes: over IPv4 it holds 1200 bytes of UDP payload, and the full datagrams of a connection are
// never smaller than that (docs/protocol.md §6). Over IPv6 the same payload makes a packet of 1248 bytes, whatever is
// asked for.
inline constexpr std::size_t kLeastMtu = kMinInitialSize + ip_and_udp_headers(AddressFamily::ipv4);

// What a server sets beside its clients' wishes.
struct ServerLimits {
  std::optional<unsigned> max_clients;        // at a time
  std::optional<double> max_bits_per_second;  // bytes of the test in each direction, of one client
  std::optional<Duration> max_time;           // of one test
  Duration answer_delay{};                    // each answer is held back for so long
};

struct Options {
  Command command = Command::run;
  Workload workload;
  SocketAddress listen;
  Url url;
  std::string identity_file;
  std::string authorized_keys_file;
  ServerLimits server_limits;
  std::size_t mtu = 1500;  // of the IP packet
  CongestionControl congestion_control = CongestionControl::bbr;
  std::vector<Suite> suites = {Suite::aes_256_gcm, Suite::chacha20_poly1305};
  bool measure_limits = true;
  std::vector<Assertion> assertions;
  Duration interval{};             // 0 = no interval lines
  std::optional<double> start_at;  // in seconds of Unix time
  bool tls_baseline = false;       // the same work over TLS as well
  std::string link;                // emulated, as mxp-netem takes it; "" = none
  std::string json;                // "" = none, "-" = stdout
  OutputOptions outputs;
  CapacityOptions capacity;
  CompareOptions compare;
  MergeOptions merge;
  ReportOptions report;
  tools::ObserveOptions observe;
  int verbosity = 0;

  // UDP payload of the largest datagrams that a connection builds under this MTU.
  std::size_t udp_payload(AddressFamily family) const {
    return std::max(kMinInitialSize, mtu - ip_and_udp_headers(family));
  }
};

std::expected<Options, tools::ParseStop> parse_options(int argc, char** argv);

}  // namespace mxp::perf
