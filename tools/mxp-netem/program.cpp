// mxp-netem: a lossy link for any UDP program. Parses, relays until told to stop, reports, returns the exit code.
#include "mxp-netem/program.h"

#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "common/escape.h"
#include "common/output.h"
#include "common/output_file.h"
#include "common/signals.h"
#include "common/tool_error.h"
#include "mxp-netem/api/api_loop.h"
#include "mxp-netem/arrival_clock.h"
#include "mxp-netem/capture.h"
#include "mxp-netem/options.h"
#include "mxp-netem/realtime.h"
#include "mxp-netem/record_file.h"
#include "mxp-netem/relay.h"
#include "mxp-netem/report.h"
#include "mxp-netem/stats_file.h"
#include "netem/spec.h"
#include "udp/socket_address.h"

namespace mxp::tools {
namespace {

constexpr std::string_view kTool = "mxp-netem";

Duration wall_clock_offset() {
  const ClockReading now = read_clocks();
  return now.wall - now.monotonic.time_since_epoch();
}

std::string shown(const netem::LinkSpec& spec) {
  const std::string text = netem::to_string(spec);
  return text.empty() ? "perfect" : text;
}

// An IPv6 listener takes IPv4 clients, too, if it listens on all addresses (RelaySocket::listen).
IpVersions versions_in_capture(const Options& options) {
  const AddressFamily family = options.listen.family;
  if (family != options.target.family || (family == AddressFamily::ipv6 && is_any(options.listen))) {
    return IpVersions::both;
  }
  return family == AddressFamily::ipv6 ? IpVersions::ipv6 : IpVersions::ipv4;
}

// With --http. The reports of the proxies that requests made stand under their names.
Result<RelayEnd> serve_with_api(const Options& options, Relay* relay, const SignalWatch& signals, Output& output,
                                nlohmann::json& report) {
  ApiLoop loop(options, relay, output);
  auto end = loop.run(signals);
  report["schema"] = kReportSchema;
  for (const auto& proxy : loop.proxies()) {
    if (&proxy->relay() == relay) continue;
    report["proxies"][proxy->name()] = report_json(proxy->options(), proxy->relay());
    output.summary(fmt::format("{}:\n{}", escape(proxy->name()), report_text(proxy->options(), proxy->relay())));
  }
  return end;
}

// Relays until the end and reports. `report` stays empty if it could not begin.
Result<RelayEnd> relay_until_the_end(const Options& options, const std::vector<std::string>& arguments,
                                     const SignalWatch& signals, nlohmann::json& report) {
  if (options.realtime)
    if (auto done = become_realtime(); !done) return std::unexpected(done.error());
  Output output{std::string(kTool), options.verbosity};
  const auto open_output = [&](std::string_view option, const std::string& path) -> Result<UniqueFd> {
    const auto used = files_in_use(options, arguments, option);
    auto file = open_output_file(path, {.if_exists = options.if_exists, .used = used});
    if (!file && signals.received() != 0)
      return fail(ErrorKind::interrupted, "interrupted");  // while a pipe was opened
    return file;
  };
  std::optional<Capture> capture;
  if (!options.pcap.empty()) {
    auto file = open_output("--pcap", options.pcap);
    if (!file) return std::unexpected(file.error());
    auto opened = Capture::open(
        std::move(*file), options.pcap, versions_in_capture(options),
        fmt::format("up: {}; down: {}; seed {}", shown(options.up()), shown(options.down()), options.seed),
        wall_clock_offset());
    if (!opened) return std::unexpected(opened.error());
    capture = std::move(*opened);
  }
  std::optional<RecordFile> record;
  if (!options.record.empty()) {
    auto file = open_output("--record", options.record);
    if (!file) return std::unexpected(file.error());
    auto opened = RecordFile::open(std::move(*file), options.record);
    if (!opened) return std::unexpected(opened.error());
    record = std::move(*opened);
  }
  std::unique_ptr<Relay> relay;
  if (options.relays) {
    auto opened = Relay::open(options, capture ? &*capture : nullptr, output);
    if (!opened) return std::unexpected(opened.error());
    relay = std::move(*opened);
    if (record) relay->record_to(*record);
    output.line(
        fmt::format("relaying {} -> {} seed {}", relay->local().to_string(), options.target.to_string(), options.seed));
    for (const auto& [name, spec] : {std::pair("up", &options.up()), std::pair("down", &options.down())}) {
      if (const std::string note = correlation_note(name, *spec); !note.empty()) output.note(note);
    }
  }
  auto end = options.http ? serve_with_api(options, relay.get(), signals, output, report) : relay->run(signals);
  if (!relay) return end;
  if (const auto written = relay->output_status(); end && !written) end = std::unexpected(written.error());
  output.summary(report_text(options, *relay));
  report.update(report_json(options, *relay));
  const std::string why = distortion_text(relay->health());
  if (end && options.strict && !why.empty()) {
    return fail(ErrorKind::threshold, fmt::format("--strict: the relay distorted the link: {}", why));
  }
  return end;
}

int report_failure(const ToolError& error) {
  print_error(kTool, error);
  return static_cast<int>(error.exit_code());
}

}  // namespace

int run_netem(int argc, char** argv) {
  prepare_process();
  const SignalWatch signals;
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  const auto options = parse_options(arguments);
  if (!options) return report_stop(kTool, options.error(), arguments);
  auto stats = StatsFile::open(*options, arguments);
  if (!stats) return report_failure(stats.error());
  nlohmann::json report = nlohmann::json::object();
  const auto end = relay_until_the_end(*options, arguments, signals, report);
  const bool interrupted = end && *end == RelayEnd::interrupted;
  if (!end) report.update(to_json(end.error()));
  if (interrupted) report.update(to_json(ToolError{ErrorKind::interrupted, "interrupted"}));
  const auto written = stats->write(report);
  if (!written) print_error(kTool, written.error());
  if (!end) return report_failure(end.error());
  if (!written) return static_cast<int>(written.error().exit_code());
  return static_cast<int>(interrupted ? ExitCode::interrupted : ExitCode::ok);
}

}  // namespace mxp::tools
