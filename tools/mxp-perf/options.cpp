#include "mxp-perf/options.h"

#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>

#include "common/command_names.h"
#include "common/congestion_names.h"
#include "common/escape.h"
#include "common/resolve.h"
#include "common/suite_list.h"
#include "common/units.h"
#include "common/write_all.h"
#include "mxp-perf/baseline/tls_baseline.h"
#include "mxp-perf/capacity/capacity.h"
#include "mxp-perf/clock/unix_time.h"
#include "mxp-perf/histograms/merge.h"
#include "mxp-perf/outputs/iperf3_json.h"
#include "mxp-perf/report/report.h"
#include "mxp-perf/schema/schema_text.h"
#include "mxp-perf/schema/series_json.h"
#include "mxp-perf/workloads/workload_options.h"
#include "netem/spec.h"

namespace mxp::perf {

namespace {

constexpr std::string_view kSchemaOption = "--json-schema";  // needs no command, and prevails wherever it stands

// What the command line said.
struct LowOptions {
  std::string listen, url, cc = "bbr";
  std::optional<std::string> suites, max_rate, baseline;
  std::vector<std::string> assertions;
  std::optional<Duration> interval;
  bool no_limits = false, json_schema = false, busy_poll = false;
  LowWorkload workload;
  LowCompareOptions compare;
  std::uint64_t mtu = 1500;
};

constexpr const char* kExamples =
    "Examples:\n"
    "  mxp-perf run --test bulk                          goodput over loopback, at 1500-byte packets\n"
    "  mxp-perf run --test bulk --mtu 65535              the same at the loopback's own MTU\n"
    "  mxp-perf run --test rr --json=rr.json             call/response round trips, 64 bytes each way\n"
    "  mxp-perf run --test messages --rate 100000        messages one way, and how old they are when they come\n"
    "  mxp-perf run --test rr --rate 5000 --arrivals poisson   calls that come as those of many users do\n"
    "  mxp-perf run --test connect --parallel 8          full handshakes, eight at a time\n"
    "  mxp-perf run --test bulk --baseline tls           the same over TLS 1.3 and TCP as well\n"
    "  mxp-perf run --test isolation --duration 4s       what bulk data cost urgent calls on the same connection\n"
    "  mxp-perf run --test isolation --link 'delay 25ms loss 1% rate 100mbit'    the same over such a link\n"
    "  mxp-perf server 9000                              then, elsewhere: mxp-perf client mxp://KEY@HOST:9000 --test "
    "bulk\n"
    "  mxp-perf run --assert 'goodput>=1gbit'            exit code 6 when it is not reached\n"
    "  mxp-perf compare a.json b.json --max-regression 5%    exit code 6 when b is worse\n"
    "  mxp-perf compare --runs 10 old/mxp-perf new/mxp-perf -- --test rr    run both in turn\n"
    "  mxp-perf report a.json b.json -o report.html      a page of both for a browser\n"
    "  mxp-perf find-capacity mxp://KEY@HOST:9000 --p99 1ms --loss 0.1%    the highest rate of calls within both\n"
    "  mxp-perf merge a.hlog b.hlog --hgrm all.hgrm      the percentiles of two clients together\n"
    "  mxp-perf limits                                   what this machine allows\n"
    "Exit codes: 0 done, 1 network or local I/O, 2 usage or input, 3 not allowed, 4 no answer to the handshake,\n"
    "5 the server ended the test or is no mxp-perf server, 6 an --assert did not hold, no rate kept the\n"
    "bounds, or NEW is worse, 130 interrupted";

constexpr const char* kRankExamples =
    "Examples:\n"
    "  mpirun -n 4 mxp-perf-mpi mxp://KEY@HOST:9000 --test rr --rate 20000 --json=all.json --hlog all.hlog\n"
    "  srun --mpi=pmix -n 4 mxp-perf-mpi mxp://KEY@HOST:9000 --test bulk\n"
    "Exit codes: 0 done, 1 network or local I/O, or the run is not valid, 2 usage or input, or the ranks differ,\n"
    "3 not allowed, 4 no answer to the handshake, 5 the server ended the test or is no mxp-perf server,\n"
    "6 an --assert did not hold, 130 interrupted";

constexpr std::string_view kPresent[] = {"server",  "client", "run",    "limits",
                                         "compare", "merge",  "report", "find-capacity"};
constexpr tools::CommandNames kCommands{.tool = "mxp-perf", .present = kPresent, .absent = {}, .or_else = ""};

void add_link_option(CLI::App& app, Options& options) {
  app.add_option("--link", options.link, "an emulated link in between, in both directions, as mxp-netem takes it")
      ->type_name("SPEC");
}

// Of a test that runs once.
void add_test_options(CLI::App& app, Options& options, LowOptions& low) {
  add_workload_options(app, options.workload, low.workload, kRunDefaults);
  add_link_option(app, options);
  app.add_option(
      "--rate", low.workload.rate,
      "rr, streams, connect, messages, mixed, isolation (default 1000): calls, streams, handshakes or messages per "
      "second in all (open loop: latency counts from when one was due, and calls that would wait for a free stream "
      "open more); datagrams: so many per second in all");
  app.add_flag("--reverse", low.workload.reverse, "bulk: the server sends");
  app.add_flag("--bidir", low.workload.bidir, "bulk: both send");
  app.add_option("--baseline", low.baseline,
                 "run: the same work over TLS 1.3 and TCP as well, for bulk, rr and connect")
      ->check(CLI::IsMember({"tls"}));
  app.add_option("--start-at", options.start_at, "begin at this time, in seconds since 1970 (date +%s.%N)");
  tools::add_time(app, "--interval", low.interval, "a line of progress on stderr at this interval");
  app.add_option("--assert", low.assertions,
                 "exit 6 unless it holds: goodput>=RATE, p50|p90|p99|p999|max<=TIME, "
                 "calls|messages|streams|handshakes>=N (per second)");
  app.add_flag("--no-limits", low.no_limits, "do not measure what the machine allows beside the test");
  add_run_options(app, options.outputs);
  add_histogram_options(app, options.outputs);
}

void add_transport_options(CLI::App& app, Options& options, LowOptions& low) {
  app.add_option("--mtu", low.mtu, "largest IP packets to build (default 1500)")
      ->check(CLI::Range(std::uint64_t{kLeastMtu}, std::uint64_t{65535}));
  app.add_option("--cc", low.cc,
                 "congestion control: bbr (default), cubic, newreno, or none (a fixed huge window, for calibration)")
      ->check(CLI::IsMember(tools::congestion_names(tools::OfferNone::yes)));
  app.add_option("--suite", low.suites, "aes256 or chacha20, or both in order of preference, comma-separated");
  app.add_flag("--busy-poll", low.busy_poll,
               "never sleep: look for work again and again, which costs a processor for each side (run: both)");
  app.add_option("--identity", options.identity_file, "private key file; without it a key in memory");
  tools::add_observe_options(app, options.observe);
}

void add_server_options(CLI::App& app, Options& options, LowOptions& low) {
  app.add_option("address", low.listen, "[ADDR:]PORT; port 0 picks one")->required();
  app.add_option("--authorized-keys", options.authorized_keys_file, "only these clients");
  ServerLimits& limits = options.server_limits;
  app.add_option("--max-clients", limits.max_clients, "clients that are served at a time; another one is refused")
      ->check(CLI::Range(1u, 100'000u));
  app.add_option(
      "--max-rate", low.max_rate,
      "bytes of a test that all runs with one key may send and get, as a rate: flow control holds it, and a test of "
      "datagrams that is faster is refused");
  tools::add_time(app, "--max-time", limits.max_time, "duration of a test; a longer one is refused");
  tools::add_time(app, "--delay", limits.answer_delay, "hold back each answer for so long, as a slow application would",
                  {.most = kMaxDelay});
}

void add_client_options(CLI::App& app, Options& options, LowOptions& low) {
  app.add_option("url", low.url, "mxp://KEY@HOST:PORT, as the server prints it")->required();
  add_test_options(app, options, low);
  add_transport_options(app, options, low);
}

// What every command takes.
void add_common_options(CLI::App& app, const char* tool, Options& options, LowOptions& low) {
  tools::add_version(app, tool);
  app.fallthrough();
  tools::add_verbosity(app, options.verbosity);
  tools::add_json(app, options.json, "the result as JSON to FILE, or to stdout");
  app.add_flag(std::string(kSchemaOption), low.json_schema, "print the JSON Schema of what --json writes, and exit");
}

// What a test can write at all.
std::optional<std::string> check_outputs(const Options& options, const LowOptions& low) {
  const OutputOptions& outputs = options.outputs;
  if (outputs.json_stream && options.json == "-")
    return "--json and --json-stream would mix on stdout: use --json=FILE";
  for (const auto& [option, name] :
       {std::pair("--hlog", outputs.hlog), {"--hgrm", outputs.hgrm}, {"--iperf3-json", outputs.iperf3}})
    if (name == "-") return fmt::format("{} takes the name of a file, and - is none", option);
  if (options.command == Command::report && !options.json.empty())
    return "--json is not for report, which writes a page: -o FILE";
  if (options.command == Command::compare && options.json == "-" && low.compare.format != "text" &&
      low.compare.format != "json")
    return fmt::format("--json and --format {} would mix on stdout: use --json=FILE", low.compare.format);
  if (options.command != Command::client && options.command != Command::run) return std::nullopt;
  if (!outputs.iperf3.empty() && !has_iperf3_form(options.workload.test))
    return fmt::format("--iperf3-json is not for --test {}: iperf3 knows bytes alone", low.workload.test);
  if ((!outputs.hlog.empty() || !outputs.hgrm.empty()) && !has_latency(options.workload.test))
    return fmt::format("--hlog and --hgrm are not for --test {}, which has no latency", low.workload.test);
  return std::nullopt;
}

std::optional<std::string> interpret(Options& options, const LowOptions& low) {
  if (auto error = interpret_workload(options.workload, low.workload)) return error;
  if (auto error = check_outputs(options, low)) return error;
  if (options.command == Command::compare)
    if (auto error = interpret_compare(options.compare, low.compare)) return error;
  if (!options.link.empty()) {
    const auto spec = netem::parse_link_spec(options.link);
    if (!spec) return fmt::format("--link: {}", tools::escape(spec.error()));
    // The address is then that of the link, wherever the server may be.
    options.workload.address_tells_clock = options.command == Command::run;
  }
  options.waiting = low.busy_poll ? Waiting::spinning : Waiting::asleep;
  options.tls_baseline = low.baseline.has_value();
  if (options.tls_baseline)
    if (auto why = why_no_baseline(options)) return why;
  if (low.interval && (*low.interval < kMinInterval || *low.interval > kMaxDuration))
    return "--interval takes " + time_range(kMinInterval, kMaxDuration);
  options.interval = low.interval.value_or(Duration::zero());
  options.mtu = static_cast<std::size_t>(low.mtu);
  options.congestion_control = tools::congestion_control(low.cc);
  options.measure_limits = !low.no_limits;
  if (low.suites) {
    auto suites = tools::parse_suites(*low.suites);
    if (!suites) return suites.error().message;
    options.suites = *std::move(suites);
  }
  for (const std::string& text : low.assertions) {
    auto assertion = parse_assertion(text);
    if (!assertion) return assertion.error();
    options.assertions.push_back(std::move(*assertion));
  }
  if (options.command == Command::find_capacity)
    if (auto error = interpret_capacity(options)) return error;
  if (low.max_rate) {
    const auto rate = tools::parse_bits_per_second(*low.max_rate);
    if (!rate) return "--max-rate: " + rate.error();
    if (*rate < kLeastMaxRate) return "--max-rate takes 8kbit and more";
    options.server_limits.max_bits_per_second = static_cast<double>(*rate);
  }
  if (options.server_limits.max_time && *options.server_limits.max_time < kMinDuration)
    return "--max-time takes " + time_range(kMinDuration, kMaxDuration);
  options.workload.run = random_seed();
  if (options.command == Command::server) {
    auto listen = tools::parse_listen_address(low.listen, tools::Families::both);
    if (!listen) return listen.error().message;
    options.listen = *listen;
  }
  if (options.command == Command::client || options.command == Command::find_capacity) {
    auto url = parse_url(low.url);
    if (!url) return url.error();
    if (!url->key) return "the URL names no server key: mxp://KEY@HOST:PORT, as the server prints it";
    options.url = std::move(*url);
  }
  return std::nullopt;
}

tools::ParseStop print_schema() {
  const auto written = tools::write_all(STDOUT_FILENO, tools::embedded::perf_result_schema(), "stdout");
  if (!written) return {written.error().exit_code(), written.error().message};
  return {tools::ExitCode::ok, ""};
}

}  // namespace

std::expected<Options, tools::ParseStop> parse_options(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  if (std::ranges::find(arguments, kSchemaOption) != arguments.end()) return std::unexpected(print_schema());
  if (const auto known = tools::check_command(kCommands, arguments); !known) return std::unexpected(known.error());
  Options options;
  LowOptions low;
  CLI::App app("Measures MXP: goodput, round trips, and what the machine allows beside them.", "mxp-perf");
  app.footer(kExamples);
  app.require_subcommand(1);
  add_common_options(app, "mxp-perf", options, low);

  CLI::App* server = app.add_subcommand("server", "serve clients until interrupted");
  add_server_options(*server, options, low);
  add_transport_options(*server, options, low);

  CLI::App* client = app.add_subcommand("client", "run a test against a server");
  add_client_options(*client, options, low);

  CLI::App* find_capacity = app.add_subcommand("find-capacity", "the highest rate that still keeps a bound");
  find_capacity->add_option("url", low.url, "mxp://KEY@HOST:PORT, as the server prints it")->required();
  add_capacity_options(*find_capacity, options.capacity);
  add_workload_options(*find_capacity, options.workload, low.workload, kTrialDefaults);
  add_link_option(*find_capacity, options);
  add_transport_options(*find_capacity, options, low);

  CLI::App* run = app.add_subcommand("run", "server and client on loopback, in processes of their own");
  add_test_options(*run, options, low);
  add_transport_options(*run, options, low);

  CLI::App* limits = app.add_subcommand(
      "limits", "what this machine allows: raw UDP, sealed pipeline, AEAD, X25519, ping-pong, timer");
  limits->add_option("--mtu", low.mtu, "size of IP packets (default: 1500 and 65535)")
      ->check(CLI::Range(std::uint64_t{kLeastMtu}, std::uint64_t{65535}));

  const CLI::App* compare = add_compare_command(app, options.compare, low.compare);
  const CLI::App* merge = add_merge_command(app, options.merge, options.outputs);
  const CLI::App* report = add_report_command(app, options.report);

  auto parsed = tools::parse_command_line(app, arguments);
  if (!parsed) return std::unexpected(parsed.error());
  options.command = server->parsed()          ? Command::server
                    : client->parsed()        ? Command::client
                    : run->parsed()           ? Command::run
                    : compare->parsed()       ? Command::compare
                    : merge->parsed()         ? Command::merge
                    : find_capacity->parsed() ? Command::find_capacity
                    : report->parsed()        ? Command::report
                                              : Command::limits;
  if (options.command == Command::find_capacity && find_capacity->count("--test") == 0)
    low.workload.test = kTrialDefaults.test;
  if (options.command == Command::find_capacity && find_capacity->count("--duration") == 0)
    options.workload.duration = kTrialDuration;
  // Each trial has a rate: options that need one are right.
  if (options.command == Command::find_capacity && has_rate(*test_of(low.workload.test)))
    low.workload.rate = options.capacity.least_rate;
  if (options.command == Command::limits && limits->count("--mtu") == 0) low.mtu = 0;
  auto error = interpret(options, low);
  if (!error) error = why_no_start(options);
  if (error) return std::unexpected(tools::ParseStop{tools::ExitCode::usage, *error});
  return options;
}

std::optional<std::string> why_no_start(const Options& options) {
  if (!options.start_at) return std::nullopt;
  const double ahead = *options.start_at - unix_seconds();
  if (ahead >= 0 && ahead <= std::chrono::duration<double>(kMaxDuration).count()) return std::nullopt;
  return "--start-at takes a time within the next hour, in seconds since 1970";
}

std::expected<Options, tools::ParseStop> parse_rank_options(const std::vector<std::string>& arguments) {
  if (std::ranges::find(arguments, kSchemaOption) != arguments.end()) return std::unexpected(print_schema());
  Options options{.command = Command::client};
  LowOptions low;
  CLI::App app(
      "Runs a test of MXP from all processes of an MPI job against one server: the load of many as one result.",
      "mxp-perf-mpi");
  app.footer(kRankExamples);
  add_common_options(app, "mxp-perf-mpi", options, low);
  add_client_options(app, options, low);
  // Taken and without effect, or refused with a reason of their own: command lines of `client` serve here, too.
  for (const char* name : {"--no-limits", "--json-stream", "--iperf3-json", "--baseline"})
    app.get_option(name)->group("");
  auto parsed = tools::parse_command_line(app, arguments);
  if (!parsed) return std::unexpected(parsed.error());
  if (options.outputs.json_stream || !options.outputs.iperf3.empty())
    return std::unexpected(
        tools::ParseStop{tools::ExitCode::usage, "--json-stream and --iperf3-json are not for mxp-perf-mpi"});
  if (auto error = interpret(options, low)) return std::unexpected(tools::ParseStop{tools::ExitCode::usage, *error});
  options.measure_limits = false;  // ranks of one machine would measure each other
  return options;
}

}  // namespace mxp::perf
