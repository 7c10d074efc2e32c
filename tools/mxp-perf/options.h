// What mxp-perf was asked to do, all checks done.
#pragma once

#include <algorithm>
#include <expected>
#include <optional>
#include <string>
#include <vector>

#include "common/command_line.h"
#include "common/observe/options.h"
#include "mxp-perf/assertions.h"
#include "mxp-perf/capacity/capacity_options.h"
#include "mxp-perf/compare/compare_options.h"
#include "mxp-perf/histograms/merge_options.h"
#include "mxp-perf/loop/loop_run.h"
#include "mxp-perf/outputs/output_options.h"
#include "mxp-perf/report/report_options.h"
#include "mxp-perf/workloads/workload.h"
#include "mxp/address.h"
#include "mxp/config.h"
#include "mxp/time.h"
#include "mxp/url.h"

namespace mxp::perf {

enum class Command : std::uint8_t { server, client, run, limits, compare, merge, report, find_capacity };
// The least that --mtu takes: over IPv4 it holds 1200 bytes of UDP payload, and the full datagrams of a connection are
// never smaller than that (docs/protocol.md §6). Over IPv6 the same payload makes a packet of 1248 bytes, whatever is
// asked for.
inline constexpr std::size_t kLeastMtu = kMinInitialSize + ip_and_udp_headers(AddressFamily::ipv4);

// What a server sets beside its clients' wishes.
struct ServerLimits {
  std::optional<unsigned> max_clients;        // at a time
  std::optional<double> max_bits_per_second;  // bytes of a test, of all runs with one key
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
  Waiting waiting = Waiting::asleep;  // of the loops of this program
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
// Those of mxp-perf-mpi: of `client`, but for what speaks of one process alone. `arguments`: without the program's name.
// The time of --start-at is not looked at: it is by the clock of rank 0.
std::expected<Options, tools::ParseStop> parse_rank_options(const std::vector<std::string>& arguments);
// By this machine's clock.
std::optional<std::string> why_no_start(const Options& options);

}  // namespace mxp::perf
