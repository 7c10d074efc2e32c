// mxp-netem: a lossy link for any UDP program. Parses, relays until told to stop, reports, returns the exit code.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <ctime>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "common/output.h"
#include "common/output_file.h"
#include "common/signals.h"
#include "common/tool_error.h"
#include "common/write_all.h"
#include "mxp-netem/capture.h"
#include "mxp-netem/options.h"
#include "mxp-netem/relay.h"
#include "mxp-netem/report.h"
#include "netem/spec.h"
#include "udp/clock.h"
#include "udp/socket_address.h"

namespace {

using namespace mxp;
using namespace mxp::tools;

constexpr std::string_view kTool = "mxp-netem";

Duration wall_clock_offset() {
  timespec wall{};
  ::clock_gettime(CLOCK_REALTIME, &wall);
  return std::chrono::seconds(wall.tv_sec) + std::chrono::nanoseconds(wall.tv_nsec) -
         monotonic_now().time_since_epoch();
}

std::string shown(const netem::LinkSpec& spec) {
  const std::string text = netem::to_string(spec);
  return text.empty() ? "perfect" : text;
}

// An IPv6 listener takes IPv4 clients, too, if it listens on all addresses (RelaySocket::listen).
IpVersions versions_in_capture(const NetemOptions& options) {
  const AddressFamily family = options.listen.family;
  if (family != options.target.family || (family == AddressFamily::ipv6 && is_any(options.listen))) {
    return IpVersions::both;
  }
  return family == AddressFamily::ipv6 ? IpVersions::ipv6 : IpVersions::ipv4;
}

IfExists if_exists(const NetemOptions& options) { return options.force ? IfExists::replace : IfExists::refuse; }

// Relays until the end and reports. `report` stays empty if it could not begin.
Result<RelayEnd> relay_until_the_end(const NetemOptions& options, const std::vector<std::string>& arguments,
                                     const SignalWatch& signals, nlohmann::json& report) {
  Output output{std::string(kTool), options.verbosity};
  std::optional<Capture> capture;
  if (!options.pcap.empty()) {
    const auto used = files_named_in(arguments, "--pcap");
    auto file = open_output_file(options.pcap, {.if_exists = if_exists(options), .used = used});
    if (!file) return std::unexpected(file.error());
    auto opened =
        Capture::open(std::move(*file), options.pcap, versions_in_capture(options),
                      fmt::format("up: {}; down: {}; seed {}", shown(options.up), shown(options.down), options.seed),
                      wall_clock_offset());
    if (!opened) return std::unexpected(opened.error());
    capture = std::move(*opened);
  }
  auto relay = Relay::open(options, capture ? &*capture : nullptr, output);
  if (!relay) return std::unexpected(relay.error());
  output.line(fmt::format("relaying {} -> {} seed {}", (*relay)->local().to_string(), options.target.to_string(),
                          options.seed));
  for (const auto& [name, spec] : {std::pair("up", &options.up), std::pair("down", &options.down)}) {
    if (const std::string note = correlation_note(name, *spec); !note.empty()) output.note(note);
  }

  const auto end = (*relay)->run(signals);
  output.summary(report_text(options, **relay));
  report = report_json(options, **relay);
  const std::string why = distortion_text((*relay)->health());
  if (end && options.strict && !why.empty()) {
    return fail(ErrorKind::threshold, fmt::format("--strict: the relay distorted the link: {}", why));
  }
  return end;
}

int report_failure(const ToolError& error) {
  print_error(kTool, error);
  return static_cast<int>(error.exit_code());
}

// The file of --stats, where options that were not understood name one: it must not keep the result of an earlier run.
std::string stats_in(const std::vector<std::string>& arguments) {
  std::string path;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    if (arguments[i] == "--stats" && i + 1 < arguments.size()) path = arguments[i + 1];
    if (arguments[i].starts_with("--stats=")) path = arguments[i].substr(8);
  }
  return path;
}

int report_stop(const ParseStop& stop, const std::vector<std::string>& arguments) {
  if (stop.code == ExitCode::ok) return 0;
  const ToolError error{stop.code == ExitCode::usage ? ErrorKind::usage : ErrorKind::network, stop.error};
  print_error(kTool, error);
  const std::string path = stats_in(arguments);
  const bool force = std::find(arguments.begin(), arguments.end(), "--force") != arguments.end();
  const std::string text = to_json(error).dump(2) + "\n";
  if (path == "-") {
    (void)write_all(STDOUT_FILENO, text, "stdout");
  } else if (!path.empty()) {
    const auto used = files_named_in(arguments, "--stats");
    const auto file = open_output_file(path, {.if_exists = force ? IfExists::replace : IfExists::refuse, .used = used});
    if (file) (void)write_all(file->get(), text, path);
  }
  return static_cast<int>(stop.code);
}

}  // namespace

int main(int argc, char** argv) {
  prepare_process();
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  const auto options = parse_netem_options(arguments);
  if (!options) return report_stop(options.error(), arguments);
  const SignalWatch signals;
  UniqueFd stats_file;
  if (!options->stats.empty() && options->stats != "-") {
    const auto used = files_named_in(arguments, "--stats");
    auto opened = open_output_file(options->stats, {.if_exists = if_exists(*options), .used = used});
    if (!opened) return report_failure(opened.error());
    stats_file = std::move(*opened);
  }
  const int stats_fd = options->stats == "-" ? STDOUT_FILENO : stats_file.get();
  nlohmann::json report = nlohmann::json::object();
  const auto end = relay_until_the_end(*options, arguments, signals, report);
  if (stats_fd >= 0) {
    if (!end) report.update(to_json(end.error()));
    if (auto written = write_all(stats_fd, report.dump(2) + "\n", options->stats == "-" ? "stdout" : options->stats);
        !written) {
      if (stats_file) cut_back(stats_fd, 0);
      return report_failure(written.error());
    }
  }
  if (!end) return report_failure(end.error());
  return static_cast<int>(*end == RelayEnd::interrupted ? ExitCode::interrupted : ExitCode::ok);
}
