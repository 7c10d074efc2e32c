#include "mxp-netem/stats_file.h"

#include <unistd.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "common/json_output.h"
#include "common/output_file.h"
#include "common/write_all.h"
#include "mxp-netem/spec_files.h"

namespace mxp::tools {
namespace {

// The value of --stats among arguments that were not understood; empty if there is none. The last one counts.
std::string stats_in(std::span<const std::string> arguments) {
  constexpr std::string_view kOption = "--stats";
  std::string path;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string_view word = arguments[i];
    if (word == kOption && i + 1 < arguments.size()) path = arguments[i + 1];
    if (word.starts_with(kOption) && word.substr(kOption.size()).starts_with('=')) {
      path = word.substr(kOption.size() + 1);
    }
  }
  return path;
}

}  // namespace

std::vector<UsedFile> files_in_use(const Options& options, std::span<const std::string> arguments,
                                   std::string_view option) {
  std::vector<UsedFile> used = files_named_in(arguments, option);
  for (const LinkPlan& plan : options.plans) {
    add_spec_files(used, plan.timeline.up);
    add_spec_files(used, plan.timeline.down);
  }
  if (!options.replay.empty()) used.push_back({.called = "--replay", .path = options.replay});
  for (const std::string& file : options.scenario) used.push_back({.called = "the scenario", .path = file});
  return used;
}

Result<StatsFile> StatsFile::open(const Options& options, std::span<const std::string> arguments) {
  StatsFile file;
  if (options.stats.empty()) return file;
  if (options.stats == "-") {
    file.fd_ = STDOUT_FILENO;
    file.name_ = "stdout";
    return file;
  }
  const auto used = files_in_use(options, arguments, "--stats");
  auto opened = open_output_file(options.stats, {.if_exists = options.if_exists, .used = used});
  if (!opened) return std::unexpected(opened.error());
  file.owned_ = std::move(*opened);
  file.fd_ = file.owned_.get();
  file.name_ = options.stats;
  return file;
}

Result<void> StatsFile::write(const nlohmann::json& report) {
  if (fd_ < 0) return {};
  auto written = write_all(fd_, json_document(report), name_);
  if (!written && owned_) cut_back(fd_, 0);
  return written;
}

int report_stop(std::string_view tool, const ParseStop& stop, std::span<const std::string> arguments) {
  if (stop.code == ExitCode::ok) return 0;
  const ToolError error{stop.code == ExitCode::usage ? ErrorKind::usage : ErrorKind::network, stop.error};
  print_error(tool, error);
  Options options;
  options.stats = stats_in(arguments);
  if (std::find(arguments.begin(), arguments.end(), "--force") != arguments.end()) {
    options.if_exists = IfExists::replace;
  }
  // The error has been printed. That it could not also be written to the file would only distract from it.
  if (auto file = StatsFile::open(options, arguments)) (void)file->write(to_json(error));
  return static_cast<int>(stop.code);
}

}  // namespace mxp::tools
