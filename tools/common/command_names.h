// The first word of a command line, for the tools that have commands: known, planned, or a mistake.
#pragma once

#include <expected>
#include <span>
#include <string>
#include <string_view>

#include "common/command_line.h"

namespace mxp::tools {

struct CommandNames {
  std::string_view tool;
  std::span<const std::string_view> present;
  std::span<const std::string_view> absent;  // part of the tools' contract, and not of this version
  std::string_view or_else;                  // ends the list of what is there: ", or a URL …"
  std::string_view file_option = {};         // with which the tool reads a file: a file in a command's place meant that
};

// Refuses what is not there before CLI11 sees the line, since it would answer "compare --help" with the help of the
// whole tool, and exit code 0. A line without a word is CLI11's if it asks for help or the version.
std::expected<void, ParseStop> check_command(const CommandNames& names, std::span<const std::string> arguments);

}  // namespace mxp::tools
