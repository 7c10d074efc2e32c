#include "mxp-perf/options.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "common/command_names.h"
#include "common/resolve.h"
#include "common/suite_list.h"
#include "common/units.h"

namespace mxp::perf {

std::string_view to_string(Test test) { return test == Test::bulk ? "bulk" : "rr"; }

std::string_view to_string(Flow flow) {
  switch (flow) {
    case Flow::up: return "up";
    case Flow::down: return "down";
    case Flow::both: return "both";
  }
  return "up";
}

namespace {

// As typed.
struct Typed {
  std::string listen, url, test = "bulk", cc = "cubic";
  std::optional<std::string> suites;
  std::vector<std::string> assertions;
  std::optional<double> rate;
  bool reverse = false, bidir = false, no_limits = false;
  std::uint64_t mtu = 1500;
};

constexpr const char* kExamples =
    "Examples:\n"
    "  mxp-perf run --test bulk                          goodput over loopback, at 1500-byte packets\n"
    "  mxp-perf run --test bulk --mtu 65535              the same at the loopback's own MTU\n"
    "  mxp-perf run --test rr --json=rr.json             call/response round trips, 64 bytes each way\n"
    "  mxp-perf server 9000                              then, elsewhere: mxp-perf client mxp://KEY@HOST:9000 --test "
    "bulk\n"
    "  mxp-perf run --assert 'goodput>=1gbit'            exit code 6 when it is not reached\n"
    "  mxp-perf limits                                   what this machine allows";

constexpr std::string_view kPresent[] = {"server", "client", "run", "limits"};
constexpr std::string_view kAbsent[] = {"compare", "report", "merge", "find-capacity"};
constexpr tools::CommandNames kCommands{.tool = "mxp-perf", .present = kPresent, .absent = kAbsent, .or_else = ""};

void add_test_options(CLI::App& app, Options& options, Typed& typed) {
  app.add_option("--test", typed.test, "bulk: bytes one way as fast as they go; rr: call and response")
      ->check(CLI::IsMember({"bulk", "rr"}))
      ->capture_default_str();
  tools::add_time(app, "--duration", options.workload.duration, "how long to send (default 10s)");
  tools::add_time(app, "--omit", options.workload.omit, "leave out so much of the beginning");
  tools::add_size(app, "--size", options.workload.size, "rr: bytes of each call and response (default 64)");
  app.add_option("--rate", typed.rate,
                 "rr: calls per second in all (open loop: latency counts from when a call was due)");
  app.add_option("--parallel", options.workload.connections, "connections (default 1)")->check(CLI::Range(1u, 1000u));
  app.add_option("--streams", options.workload.streams, "streams per connection (default 1)")
      ->check(CLI::Range(1u, 1000u));
  app.add_flag("--reverse", typed.reverse, "bulk: the server sends");
  app.add_flag("--bidir", typed.bidir, "bulk: both send");
  tools::add_time(app, "--interval", options.interval, "a line of progress on stderr each so often");
  app.add_option("--assert", typed.assertions,
                 "exit 6 unless it holds: goodput>=RATE, p50|p90|p99|p999|max<=TIME, calls>=N (per second)");
  app.add_flag("--no-limits", typed.no_limits, "do not measure what the machine allows beside the test");
}

void add_transport_options(CLI::App& app, Options& options, Typed& typed) {
  app.add_option("--mtu", typed.mtu, "size of IP packets to build (default 1500)")
      ->check(CLI::Range(std::uint64_t{kLeastMtu}, std::uint64_t{65535}));
  app.add_option("--cc", typed.cc, "congestion control: cubic, or none (a fixed huge window, for calibration)")
      ->check(CLI::IsMember({"cubic", "none"}));
  app.add_option("--suite", typed.suites, "aes256 or chacha20, or both in order of preference, comma-separated");
  app.add_option("--identity", options.identity_file, "private key file; without it a key in memory");
}

std::optional<std::string> settle(Options& options, const Typed& typed) {
  options.workload.test = typed.test == "rr" ? Test::rr : Test::bulk;
  if (typed.reverse && typed.bidir) return "--reverse and --bidir exclude each other";
  options.workload.flow = typed.bidir ? Flow::both : typed.reverse ? Flow::down : Flow::up;
  if (options.workload.test == Test::rr && (typed.reverse || typed.bidir))
    return "--reverse and --bidir are for --test bulk: rr goes both ways by itself";
  if (typed.rate && options.workload.test != Test::rr) return "--rate is for --test rr";
  if (typed.rate && !(*typed.rate > 0 && *typed.rate <= 1e7))
    return "--rate takes calls per second, more than 0 and at most 10,000,000";
  options.workload.calls_per_second = typed.rate.value_or(0);
  if (options.workload.duration <= Duration::zero()) return "--duration must be longer than 0";
  if (options.workload.size == 0 || options.workload.size > (1u << 20)) return "--size takes 1 byte to 1M";
  if (options.workload.omit >= options.workload.duration) return "--omit must be shorter than --duration";
  options.mtu = static_cast<std::size_t>(typed.mtu);
  options.congestion_control = typed.cc == "none" ? CongestionControl::none : CongestionControl::cubic;
  options.measure_limits = !typed.no_limits;
  if (typed.suites) {
    auto suites = tools::parse_suites(*typed.suites);
    if (!suites) return suites.error().message;
    options.suites = *std::move(suites);
  }
  for (const std::string& text : typed.assertions) {
    auto assertion = parse_assertion(text);
    if (!assertion) return assertion.error();
    options.assertions.push_back(std::move(*assertion));
  }
  if (options.command == Command::server) {
    auto listen = tools::parse_listen_address(typed.listen);
    if (!listen) return listen.error().message;
    options.listen = *listen;
  }
  if (options.command == Command::client) {
    auto url = parse_url(typed.url);
    if (!url) return url.error();
    if (!url->key) return "the URL names no server key: mxp://KEY@HOST:PORT, as the server prints it";
    options.url = std::move(*url);
  }
  return std::nullopt;
}

}  // namespace

std::expected<Options, tools::ParseStop> parse_options(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  if (const auto known = tools::check_command(kCommands, arguments); !known) return std::unexpected(known.error());
  Options options;
  Typed typed;
  CLI::App app("Measures MXP: goodput, round trips, and what the machine allows beside them.", "mxp-perf");
  app.footer(kExamples);
  app.require_subcommand(1);
  tools::add_version(app, "mxp-perf");
  app.fallthrough();
  tools::add_verbosity(app, options.verbosity);
  tools::add_json(app, options.json, "the result as JSON to FILE, or to stdout");

  CLI::App* server = app.add_subcommand("server", "serve clients until interrupted");
  server->add_option("address", typed.listen, "[ADDR:]PORT; port 0 picks one")->required();
  server->add_option("--authorized-keys", options.authorized_keys_file, "only these clients");
  add_transport_options(*server, options, typed);

  CLI::App* client = app.add_subcommand("client", "run a test against a server");
  client->add_option("url", typed.url, "mxp://KEY@HOST:PORT, as the server prints it")->required();
  add_test_options(*client, options, typed);
  add_transport_options(*client, options, typed);

  CLI::App* run = app.add_subcommand("run", "server and client on loopback, in processes of their own");
  add_test_options(*run, options, typed);
  add_transport_options(*run, options, typed);

  CLI::App* limits = app.add_subcommand(
      "limits", "what this machine allows: raw UDP, sealed pipeline, AEAD, X25519, ping-pong, timer");
  limits->add_option("--mtu", typed.mtu, "size of IP packets (default: 1500 and 65535)")
      ->check(CLI::Range(std::uint64_t{kLeastMtu}, std::uint64_t{65535}));

  auto parsed = tools::parse_command_line(app, arguments);
  if (!parsed) return std::unexpected(parsed.error());
  options.command = server->parsed()   ? Command::server
                    : client->parsed() ? Command::client
                    : run->parsed()    ? Command::run
                                       : Command::limits;
  if (options.command == Command::limits && limits->count("--mtu") == 0) typed.mtu = 0;
  if (auto error = settle(options, typed)) return std::unexpected(tools::ParseStop{tools::ExitCode::usage, *error});
  return options;
}

}  // namespace mxp::perf
