#include "common/command_names.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "common/escape.h"
#include "mxp/version.h"

namespace mxp::tools {

std::expected<void, ParseStop> check_command(const CommandNames& names, std::span<const std::string> arguments) {
  const auto word = std::find_if(arguments.begin(), arguments.end(),
                                 [](const std::string& argument) { return !argument.starts_with('-'); });
  const std::string use = fmt::format("use {}{}", fmt::join(names.present, ", "), names.or_else);
  if (word == arguments.end() && names.present.empty()) return {};  // a tool that has none yet
  if (word == arguments.end()) {
    const auto asks = [](const std::string& argument) {
      return argument == "-h" || argument == "--help" || argument == "--version";
    };
    if (std::any_of(arguments.begin(), arguments.end(), asks)) return {};
    return std::unexpected(
        ParseStop{ExitCode::usage, fmt::format("a command is missing: {} (see {} --help)", use, names.tool)});
  }
  if (std::ranges::find(names.present, *word) != names.present.end()) return {};
  std::error_code unknown;
  if (!names.file_option.empty() && std::filesystem::exists(*word, unknown))
    return std::unexpected(ParseStop{ExitCode::usage, fmt::format("'{0}' is not a command: {1} {2} {0} reads it",
                                                                  escape(*word), names.tool, names.file_option)});
  if (std::ranges::find(names.absent, *word) != names.absent.end())
    return std::unexpected(
        ParseStop{ExitCode::usage, fmt::format("'{}' is not in {} {}: {}", *word, names.tool, kLibraryVersion, use)});
  return std::unexpected(ParseStop{ExitCode::usage, fmt::format("'{}' is not a command: {}", escape(*word), use)});
}

}  // namespace mxp::tools
