// Parsing with CLI11 under the tools' own exit codes: help and version are 0, any mistake is 2.
#pragma once

#include <CLI/CLI.hpp>
#include <expected>
#include <string>

#include "common/exit_codes.h"
#include "common/tool_error.h"

namespace mxp::tools {

// Parses `arguments` (without the program's name). The error case is not always a failure: --help and --version were
// answered on stdout, and the program ends with `code`. A usage error is in `error` and not yet printed.
struct ParseStop {
  ExitCode code = ExitCode::ok;
  std::string error;  // empty for --help and --version
};
std::expected<void, ParseStop> parse_command_line(CLI::App& app, std::vector<std::string> arguments);

// --version, and -v / -vv / --quiet as every tool has them. `verbosity`: -1 quiet, 0, 1, 2.
void add_version(CLI::App& app, const std::string& tool);
void add_verbosity(CLI::App& app, int& verbosity);
// --json[=FILE]: empty = not given, "-" = stdout.
void add_json(CLI::App& app, std::string& target, const std::string& description);

}  // namespace mxp::tools
