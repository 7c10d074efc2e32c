#include "mxp-dump/options.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <span>

#include "common/command_names.h"
#include "common/escape.h"
#include "common/units.h"
#include "mxp-dump/files/commands.h"
#include "mxp-dump/filter/field_table.h"
#include "mxp-dump/output/json_schema.h"

namespace mxp::dump {
namespace {

constexpr const char* kFooter = R"(Examples:
  mxp-dump why incident.pcapng --keylog keys.log          what is wrong, the likeliest first
  mxp-dump -r incident.pcapng                             one line for each packet of MXP
  mxp-dump -r incident.pcapng --keylog keys.log           the same, down to the frames
  mxp-dump -r incident.pcapng --stats summary --json      packets, loss, handshake time as JSON
  sudo mxp-dump -i eth0 -f 'udp port 9000' -w out.pcap    capture; printed too with -T text
  tcpdump -i eth0 -w - udp | mxp-dump -r - -T json        one JSON object a line
  mxp-dump -r x.pcap --keylog keys.log -Y 'mxp.stream == 4 && mxp.lost'
  mxp-dump -r x.pcap -T fields -e time -e src -e length   tab-separated columns
  mxp-dump -r x.pcap --keylog keys.log --qlog traces      qlog, a file for each connection
  mxp-dump -r x.pcap --keylog keys.log --html x.html      a page with findings and plots

MXP is recognised from its handshake on. A connection that was joined in its middle is recognised by the ids in --keylog,
or with --port. In the summary `lost` counts packets that were captured and never acknowledged, `not_captured` those
that were sent and are not in the capture, `unknown` numbers of which the capture tells neither; `retransmitted` counts packets that repeat
stream data or a handshake message; `handshake_ms` is the time from message 1 to message 2, `confirmation_ms` to the
client's first packet after it (medians of all connections). What the capture does not tell is absent.

Environment: MXPKEYLOGFILE names the key log where --keylog is not given.
Exit: 0 done, 1 local failure, 2 wrong usage or an unreadable, truncated or malformed file, 7 nothing matched (--exit-nomatch), 130 interrupted)";

constexpr std::array<std::string_view, 5> kPresent = {"why", "join", "redact", "inject-keys", "strip-keys"};
constexpr tools::CommandNames kCommands = {
    .tool = "mxp-dump", .present = kPresent, .absent = {}, .or_else = ", -r FILE or -i INTERFACE", .file_option = "-r"};

// The options as they were typed; the strings are still to be understood.
struct LowOptions {
  std::string read, interface, user, filter, display, write, keylog, format, stats, json, upper_pdu, qlog, qlog_flavour,
      html;
  std::vector<std::string> fields;
  std::uint64_t count = 0;
  std::uint16_t port = 0;
  bool force = false, exit_nomatch = false;
  Rotation rotation;
  int verbosity = 0;
};

std::unexpected<tools::ParseStop> refuse(std::string why) {
  return std::unexpected(tools::ParseStop{tools::ExitCode::usage, std::move(why) + " (see mxp-dump --help)"});
}

std::expected<void, tools::ParseStop> require_file(const Options& options, std::string_view who) {
  if (options.interface.empty() && options.read_path != "-") return {};
  return refuse(fmt::format(
      "whether a packet was lost only later packets tell: {} needs a file, so save the capture first", who));
}

std::expected<void, tools::ParseStop> read_display_filter(const LowOptions& low, const CLI::App& app,
                                                          Options& options) {
  if (app.count("--display-filter") > 0) {
    auto filter = DisplayFilter::parse(low.display);
    if (!filter) return refuse(fmt::format("-Y, column {}: {}", filter.error().column, filter.error().message));
    options.needs_fates = filter->needs_fates();
    options.display_filter = std::make_shared<const DisplayFilter>(std::move(*filter));
  }
  for (const std::string& field : low.fields)
    if (find_field(field) == find_field("lost")) options.needs_fates = true;
  return options.needs_fates ? require_file(options, "mxp.lost") : std::expected<void, tools::ParseStop>();
}

std::expected<void, tools::ParseStop> read_whole_outputs(const LowOptions& low, const CLI::App& app, Options& options) {
  if (app.count("--qlog") > 0 && low.qlog.empty()) return refuse("--qlog needs the name of a folder");
  if (!low.qlog_flavour.empty() && low.qlog.empty()) return refuse("--qlog-flavour needs --qlog DIR");
  if (app.count("--html") > 0 && low.html.empty()) return refuse("--html needs the name of a file");
  if (low.html == "-") return refuse("--html needs the name of a file; /dev/stdout is one");
  if (low.qlog.empty() && low.html.empty()) return {};
  const std::string_view option = low.qlog.empty() ? "--html" : "--qlog";
  if (auto done = require_file(options, option); !done) return done;
  if (options.display_filter)
    return refuse(
        fmt::format("{} shows whole connections, and -Y would leave out some of their packets: write those "
                    "of interest with -Y … -w FILE, and use that file",
                    option));
  options.qlog_folder = low.qlog;
  options.html_path = low.html;
  options.qlog_flavour = low.qlog_flavour == "qvis" ? QlogFlavour::qvis : QlogFlavour::ietf;
  options.needs_fates = true;
  return {};
}

std::expected<Options, tools::ParseStop> interpret(const LowOptions& low, const CLI::App& app) {
  Options options;
  if (app.count("--read") > 0 && low.read.empty()) return refuse("-r needs the name of a file");
  if (app.count("--interface") > 0 && low.interface.empty()) return refuse("-i needs the name of an interface");
  if (low.read.empty() == low.interface.empty()) return refuse("give either -r FILE or -i INTERFACE");
  options.read_path = low.read;
  options.interface = low.interface;
  options.user = low.user;
  options.capture_filter = low.filter;
  options.write_path = low.write;
  options.force = low.force;
  options.rotation = low.rotation;
  options.json = low.json;
  options.max_packets = low.count;
  options.port = low.port;
  options.exit_nomatch = low.exit_nomatch;
  options.verbosity = low.verbosity;

  options.key_log = choose_key_log(low.keylog);

  const Format format = low.format == "json" ? Format::json : low.format == "fields" ? Format::fields : Format::text;
  if (!low.fields.empty() && format != Format::fields) return refuse("-e needs -T fields");
  if (format == Format::fields && low.fields.empty()) return refuse("-T fields needs at least one -e FIELD");
  for (const std::string& field : low.fields) {
    if (find_field(field) == nullptr)
      return refuse(fmt::format("unknown field \"{}\", the nearest is {}; there are: {}", tools::escape(field),
                                nearest_field(field), field_names()));
  }
  options.fields = low.fields;
  if (auto done = read_display_filter(low, app, options); !done) return std::unexpected(done.error());
  if (auto done = read_whole_outputs(low, app, options); !done) return std::unexpected(done.error());
  const bool writes = !low.write.empty() || !low.upper_pdu.empty() || !low.qlog.empty() || !low.html.empty();
  if (!low.stats.empty()) {
    options.statistics_kind = statistics_kind(low.stats).value_or(StatisticsKind::summary);
    if (format == Format::fields) return refuse("--stats prints text or JSON, not fields");
    // --json alone asks for the statistics on stdout; with =FILE they go there, and the text to stdout.
    if (low.json != "-") options.statistics = format;
  } else if (!writes || !low.format.empty()) {
    options.packets = format;
  }
  if (low.write == "-" && (options.packets || options.statistics || low.json == "-"))
    return refuse("-w - puts the capture on stdout, where nothing else can go");
  if (!low.user.empty() && low.interface.empty()) return refuse("--user needs -i INTERFACE");
  if (low.rotation.any() && (low.write.empty() || low.write == "-"))
    return refuse("--rotate-size and --rotate-time need -w FILE");
  if (low.rotation.max_files > 0 && !low.rotation.any())
    return refuse("--rotate-files needs --rotate-size or --rotate-time");
  options.upper_pdu_path = low.upper_pdu;
  if (low.upper_pdu == "-") return refuse("--to-upper-pdu needs the name of a file");
  if (low.force && !writes) return refuse("--force needs -w FILE, --to-upper-pdu FILE, --qlog DIR or --html FILE");
  return options;
}

}  // namespace

std::expected<Options, tools::ParseStop> parse_options(int argc, char** argv) {
  // What is a command has its own line (program.cpp). Only the first word can be meant as one; later words belong to options.
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  if (!arguments.empty() && !arguments.front().starts_with('-')) {
    if (auto known = tools::check_command(kCommands, std::span(arguments).first(1)); !known)
      return std::unexpected(known.error());
  }
  LowOptions low;
  CLI::App app("Shows the packets of MXP in a capture, with a key log down to their frames", "mxp-dump");
  app.option_defaults()->multi_option_policy(CLI::MultiOptionPolicy::Throw);
  app.add_option("-r,--read", low.read, "read a pcap or pcapng file, also compressed with gzip or zstd; - is stdin")
      ->type_name("FILE");
  app.add_option("-i,--interface", low.interface, "capture from a network interface; \"any\" is all")
      ->type_name("NAME");
  app.add_option("-f,--filter", low.filter, "look only at what this capture filter (BPF) lets through")
      ->type_name("BPF");
  app.add_option("-Y,--display-filter", low.display,
                 "show, write and count only the packets that match, e.g. 'mxp.stream == 4 && mxp.lost'")
      ->type_name("FILTER");
  app.add_option("--user", low.user,
                 "with -i as root: who to become once interface and files are open (the user of sudo, or nobody)")
      ->type_name("NAME");
  app.add_option("-w,--write", low.write,
                 "write a pcap file: with -i all that is captured, with -r the packets of MXP; nothing is printed then "
                 "unless -T or --stats is given")
      ->type_name("FILE");
  app.add_option("--to-upper-pdu", low.upper_pdu,
                 "write the packets, decrypted where the keys fit, to a pcapng file for Wireshark; nothing is printed "
                 "then unless -T or --stats is given")
      ->type_name("FILE");
  app.add_option("--qlog", low.qlog,
                 "write what each connection did to DIR, a file for each; nothing is printed then unless -T or --stats "
                 "is given")
      ->type_name("DIR");
  app.add_option("--qlog-flavour", low.qlog_flavour, "ietf (default), or qvis: what the qvis tools open")
      ->check(CLI::IsMember({"ietf", "qvis"}))
      ->type_name("FLAVOUR");
  app.add_option(
         "--html", low.html,
         "write one page that shows the capture in a browser, without a network: findings, plots of the busiest "
         "connections; nothing is printed then unless -T or --stats is given")
      ->type_name("FILE");
  app.add_flag("--force", low.force, "replace an existing file of -w, --to-upper-pdu, --qlog or --html");
  tools::add_size(app, "--rotate-size", low.rotation.max_bytes,
                  "with -w NAME.pcap: write NAME-00001.pcap, NAME-00002.pcap, …, none larger than this")
      ->type_name("SIZE");
  tools::add_time(app, "--rotate-time", low.rotation.span, "the same with a new file each time this has gone by",
                  {.zero = tools::TimeRange::Zero::refused, .least = std::chrono::milliseconds(1)})
      ->type_name("TIME");
  app.add_option("--rotate-files", low.rotation.max_files, "keep only the latest N of these files")
      ->check(CLI::Range(1u, 1'000'000u))
      ->type_name("N");
  app.add_option("--keylog", low.keylog, "traffic secrets, as MXPKEYLOGFILE makes the tools log them")
      ->type_name("FILE");
  app.add_option("-T,--format", low.format, "what is printed: text (default), json (one object a line) or fields")
      ->check(CLI::IsMember({"text", "json", "fields"}))
      ->type_name("FORMAT");
  app.add_option("-e,--field", low.fields, "a column of -T fields; repeat it")
      ->type_name("FIELD")
      ->allow_extra_args(false)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  app.add_option("-c,--count", low.count, "stop after N packets of MXP")
      ->check(CLI::Range(std::uint64_t{1}, std::numeric_limits<std::uint64_t>::max()))
      ->type_name("N");
  app.add_option("--port", low.port, "take UDP on this port for MXP, for connections joined in their middle")
      ->check(CLI::Range(1, 65535))
      ->type_name("PORT");
  app.add_option("--stats", low.stats,
                 "instead of packets print statistics: summary, connections, streams, loss or rtt")
      ->check(CLI::IsMember({"summary", "connections", "streams", "loss", "rtt"}))
      ->type_name("WHAT");
  app.add_flag_callback(
      "--json-schema",
      [] {
        const std::string schema = json_schema();
        std::fwrite(schema.data(), 1, schema.size(), stdout);
        throw CLI::Success();
      },
      "print the JSON Schema of the lines of -T json, and exit");
  tools::add_json(app, low.json, "the summary, or what --stats asks for, as JSON; without FILE on stdout");
  app.add_flag("--exit-nomatch", low.exit_nomatch, "exit 7 if there is no MXP, or -Y matches nothing");
  tools::add_verbosity(app, low.verbosity);
  tools::add_version(app, "mxp-dump");
  app.add_subcommand("why", "what is wrong with each connection of a capture, and where its time went");
  list_file_commands(app);
  app.footer(kFooter);
  if (auto parsed = tools::parse_command_line(app, arguments); !parsed) return std::unexpected(parsed.error());
  auto options = interpret(low, app);
  if (options) options->arguments = arguments;
  return options;
}

}  // namespace mxp::dump
