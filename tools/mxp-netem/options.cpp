#include "mxp-netem/options.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/random.h>

#include <limits>

#include "common/escape.h"
#include "common/resolve.h"
#include "common/units.h"
#include "mxp-netem/scenario/scenario_file.h"
#include "mxp-netem/spec_files.h"
#include "netem/words.h"

namespace mxp::tools {
namespace {

constexpr const char* kFooter =
    R"(SPEC, in the words and units of tc-netem(8): bare times are microseconds, bare rates bit/s
  delay TIME [JITTER [CORR%]] [distribution uniform|normal|pareto|paretonormal|FILE]
  loss [random] P% [CORR%] | loss gemodel P% [R% [1-H% [1-K%]]] | loss state P13 [P31 [P32 [P23 [P14]]]]
  ecn   duplicate P% [CORR%]   corrupt P% [CORR%]   reorder P% [CORR%] [gap N]
  rate RATE [OVERHEAD [CELLSIZE [CELLOVERHEAD]]]   limit PACKETS|auto
  slot MIN [MAX] [packets N] [bytes N]   slot distribution NAME DELAY JITTER [packets N] [bytes N]
  queue droptail | queue codel [target TIME] [interval TIME] [ecn]
  queue red [min BYTES] [max BYTES] [probability P%] [avpkt BYTES] [burst PACKETS] [ecn] [harddrop]
  order keep|time   mtu BYTES   trace FILE   rebind TIME   outage TIME every TIME
  marks keep|strip   droplist N|N-M|hN[,...]
Keywords may be cut short as in tc (dup, dist). Jitter is uniform unless a distribution is given.

Examples
  mxp-netem -l 127.0.0.1:7000 -t 127.0.0.1:9000 delay 40ms 5ms loss 1% rate 10mbit
  mxp-netem -l 7000 -t server:9000 --up "delay 20ms" --down "delay 20ms rate 50mbit limit auto" --seed 7
  mxp-netem -l 7000 -t server:9000 --scenario lte.toml --per-client
  mxp-netem -l 7000 -t server:9000 delay 20ms --http 8474
  mxp-netem -l 7000 -t server:9000 --replay bad-run.record
  mxp-netem -l 0 -t 127.0.0.1:9000 "loss gemodel 1% 25%" --pcap link.pcapng --stats - --duration 30s

Exit codes: 0 done, 1 network or file failure, 2 wrong usage, 6 the relay distorted the link (--strict), 130 interrupted)";

// What was typed.
struct LowOptions {
  std::string listen;
  std::string target;
  std::vector<std::string> spec;
  std::optional<std::string> up;
  std::optional<std::string> down;
  std::optional<std::uint64_t> seed;
  std::optional<Duration> duration;
  std::string scenario;
  bool per_client = false;
  bool tcp = false;
  std::string http;
  std::string stats;
  std::string pcap;
  std::string record;
  std::string replay;
  bool force = false;
  bool strict = false;
  bool spin = false;
  bool realtime = false;
  int verbosity = 0;
};

void declare(CLI::App& app, LowOptions& low) {
  app.footer(kFooter);
  app.add_option("-l,--listen", low.listen, "where clients send to; port 0 picks one; required without --http")
      ->type_name("[ADDR:]PORT");
  app.add_option("-t,--target", low.target, "where their datagrams go; required without --http")
      ->type_name("HOST:PORT");
  app.add_option("SPEC", low.spec,
                 "the link in both directions, as several words or one quoted string; none = a perfect link");
  app.add_option("--up", low.up, "the link from client to target, in place of SPEC")->type_name("SPEC");
  app.add_option("--down", low.down, "the link from target to client, in place of SPEC")->type_name("SPEC");
  app.add_option_function<std::string>(
         "--seed",
         [&low](const std::string& text) {
           // CLI11 takes -1, and what is too large, for the largest number that there is.
           low.seed = netem::whole_number<std::uint64_t>(text);
           if (!low.seed)
             throw CLI::ValidationError("--seed", fmt::format("'{}' is not a whole number from 0 to {}", text,
                                                              std::numeric_limits<std::uint64_t>::max()));
         },
         "same seed, same input: same decisions (random if not given, printed)")
      ->type_name("N");
  app.add_option("--scenario", low.scenario, "links that change over time, and clients with links of their own (TOML)")
      ->type_name("FILE");
  app.add_flag("--per-client", low.per_client, "a link for each client, in place of one that all share");
  app.add_flag("--tcp", low.tcp,
               "relay TCP on the same port too, with the link's delay and rate and without its losses");
  app.add_option("--http", low.http, "Toxiproxy's HTTP interface for links and relays, and /metrics (Prometheus)")
      ->type_name("[ADDR:]PORT");
  add_time(app, "--duration", low.duration, "end after this time with exit code 0");
  app.add_option("--stats", low.stats, "write what was asked and achieved as JSON at the end; - = stdout")
      ->type_name("FILE|-");
  app.add_option("--pcap", low.pcap, "capture both sides as pcapng, with the reason of each drop as a comment")
      ->type_name("FILE");
  app.add_option("--record", low.record, "write what becomes of each packet, for --replay")->type_name("FILE");
  app.add_option("--replay", low.replay, "do to each packet what a recorded run did; past its end the link decides")
      ->type_name("FILE");
  app.add_flag("--force", low.force, "overwrite the files of --stats, --pcap and --record");
  app.add_flag("--strict", low.strict,
               "exit 6 if the relay itself lost packets or sent the latest 1% of them 1 ms late or more");
  app.add_flag("--spin", low.spin, "never sleep: exact times at the price of a processor");
  app.add_flag("--realtime", low.realtime, "be scheduled before other programs, where the system allows it");
  add_verbosity(app, low.verbosity);
  add_version(app, "mxp-netem");
}

std::unexpected<ParseStop> stop(ExitCode code, std::string error) {
  return std::unexpected(ParseStop{code, std::move(error)});
}
std::unexpected<ParseStop> stop(const ToolError& error) { return stop(error.exit_code(), error.message); }

constexpr std::string_view kBoth = "SPEC";

Result<netem::LinkSpec> link_of(std::string_view option, const std::string& text, SpecFiles& files) {
  auto spec = netem::parse_link_spec(text);
  if (!spec) {
    // --up delay 40ms: the shell gives the option one word, and the others go elsewhere.
    const bool one_word = option != kBoth && text.find(' ') == std::string::npos;
    return fail(ErrorKind::usage,
                fmt::format("{}: {}{}", option, escape(spec.error()),
                            one_word ? fmt::format("; quote several words: {} 'delay 40ms'", option) : ""));
  }
  if (auto loaded = files.load(*spec); !loaded)
    return fail(loaded.error().kind, fmt::format("{}: {}", option, loaded.error().message));
  return *spec;
}

// 32 bits, so that the seed is short enough to be typed again.
std::uint64_t random_seed() {
  std::uint32_t seed = 0;
  while (::getrandom(&seed, sizeof seed, 0) != static_cast<ssize_t>(sizeof seed)) {
  }
  return seed;
}

// The headers count as those of the target's side.
void set_header_bytes(std::vector<LinkPlan>& plans, AddressFamily family) {
  const auto bytes = static_cast<std::uint32_t>(ip_and_udp_headers(family));
  for (LinkPlan& plan : plans) {
    plan.timeline.up.header_bytes = plan.timeline.down.header_bytes = bytes;
    for (netem::TimelineEvent& event : plan.timeline.events) {
      if (event.spec) event.spec->header_bytes = bytes;
    }
  }
}

// The links, from the scenario or from SPEC, --up and --down; `both` is SPEC as one text.
Result<void> plan_links(const LowOptions& low, const std::string& both, Options& options) {
  if (!low.scenario.empty()) {
    if (low.up || low.down || !both.empty())
      return fail(ErrorKind::usage, "--scenario says what the links are: leave SPEC, --up and --down out");
    auto scenario = read_scenario(low.scenario);
    if (!scenario) return std::unexpected(scenario.error());
    options.plans = std::move(scenario->plans);
    options.scenario = std::move(scenario->files);
  } else {
    SpecFiles files;
    auto up = link_of(low.up ? "--up" : kBoth, low.up.value_or(both), files);
    if (!up) return std::unexpected(up.error());
    auto down = link_of(low.down ? "--down" : kBoth, low.down.value_or(both), files);
    if (!down) return std::unexpected(down.error());
    LinkPlan& plan = options.plans.emplace_back();
    plan.timeline.up = std::move(*up);
    plan.timeline.down = std::move(*down);
  }
  if (low.per_client) options.plans.back().sharing = LinkSharing::one_for_each;
  set_header_bytes(options.plans, options.target.family);
  return {};
}

Result<void> load_recording(Options& options) {
  if (options.replay.empty()) return {};
  constexpr std::size_t kLargest = 512u << 20;  // our choice: ten million packets
  const auto content = read_whole_file(options.replay, "the recording", kLargest);
  if (!content) return std::unexpected(content.error());
  auto recording = netem::Recording::parse(*content);
  if (!recording)
    return fail(ErrorKind::usage, fmt::format("--replay: {}: {}", escape(options.replay), recording.error()));
  options.recording = std::make_shared<const netem::Recording>(std::move(*recording));
  return {};
}

Result<void> read_addresses(const LowOptions& low, Options& options) {
  if (!low.http.empty()) {
    // Whoever reaches the interface rules the relay, so it is for this machine unless an address is given.
    const bool port_only = low.http.find_first_not_of("0123456789") == std::string::npos;
    const auto http = parse_listen_address(port_only ? "127.0.0.1:" + low.http : low.http);
    if (!http) return std::unexpected(http.error());
    options.http = *http;
  }
  options.relays = low.http.empty() || !low.listen.empty() || !low.target.empty();
  if (!options.relays) return {};
  if (low.listen.empty()) return fail(ErrorKind::usage, "--listen is required");
  if (low.target.empty()) return fail(ErrorKind::usage, "--target is required");
  const auto target = parse_host_port(low.target);
  if (!target) return std::unexpected(target.error());
  const auto listen = parse_listen_address(low.listen);
  if (!listen) return std::unexpected(listen.error());
  options.target = *target;
  options.listen = *listen;
  return {};
}

// From what was typed to what is meant.
std::expected<Options, ParseStop> interpret(const LowOptions& low) {
  Options options{.seed = low.seed ? *low.seed : random_seed(),
                  .duration = low.duration,
                  .stats = low.stats,
                  .pcap = low.pcap,
                  .record = low.record,
                  .replay = low.replay,
                  .if_exists = low.force ? IfExists::replace : IfExists::refuse,
                  .tcp = low.tcp,
                  .strict = low.strict,
                  .spin = low.spin,
                  .realtime = low.realtime,
                  .verbosity = static_cast<Verbosity>(low.verbosity)};
  if (!low.pcap.empty() && low.listen.empty()) return stop(ExitCode::usage, "--pcap needs --listen and --target");
  if (!low.record.empty() && low.listen.empty()) return stop(ExitCode::usage, "--record needs --listen and --target");
  if (low.record == "-") return stop(ExitCode::usage, "--record needs a file: stdout is for --stats");
  if (!low.record.empty() && (low.record == low.stats || low.record == low.pcap || low.record == low.replay))
    return stop(ExitCode::usage, "--record needs a file of its own");
  if (low.realtime && low.spin)
    return stop(ExitCode::usage, "--realtime excludes --spin, with which nothing else would run on its processor");
  if (low.pcap == "-") return stop(ExitCode::usage, "--pcap needs a file: stdout is for --stats");
  if (!low.pcap.empty() && low.pcap == low.stats) return stop(ExitCode::usage, "--pcap and --stats name the same file");

  const std::string both = fmt::format("{}", fmt::join(low.spec, " "));
  if (low.up && low.down && !both.empty()) {
    return stop(ExitCode::usage, "--up and --down replace SPEC in both directions: leave one of the three out");
  }
  if (const auto addressed = read_addresses(low, options); !addressed) return stop(addressed.error());
  if (!options.relays && (!both.empty() || low.up || low.down || !low.scenario.empty() || low.tcp || low.per_client ||
                          !low.replay.empty()))
    return stop(ExitCode::usage,
                "SPEC, --up, --down, --scenario, --per-client, --tcp and --replay need --listen and --target");
  if (const auto loaded = load_recording(options); !loaded) return stop(loaded.error());
  if (const auto planned = plan_links(low, both, options); !planned) return stop(planned.error());
  return options;
}

}  // namespace

std::expected<Options, ParseStop> parse_options(std::vector<std::string> arguments) {
  CLI::App app("Relays UDP through an emulated link: delay, loss, reordering, rate. Needs no privileges.", "mxp-netem");
  LowOptions low;
  declare(app, low);
  if (const auto parsed = parse_command_line(app, std::move(arguments)); !parsed)
    return std::unexpected(parsed.error());
  return interpret(low);
}

}  // namespace mxp::tools
