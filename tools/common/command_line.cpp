#include "common/command_line.h"

#include <fmt/format.h>

#include <algorithm>

#include "mxp/version.h"

namespace mxp::tools {

std::expected<void, ParseStop> parse_command_line(CLI::App& app, std::vector<std::string> arguments) {
  std::reverse(arguments.begin(), arguments.end());  // CLI11 takes them from the back
  try {
    app.parse(std::move(arguments));
    return {};
  } catch (const CLI::Success& answered) {  // --help, --version
    app.exit(answered);
    return std::unexpected(ParseStop{ExitCode::ok, ""});
  } catch (const CLI::ParseError& error) {
    std::string message = error.what();
    while (!message.empty() && message.back() == '\n') message.pop_back();
    return std::unexpected(ParseStop{ExitCode::usage, fmt::format("{} (see {} --help)", message, app.get_name())});
  }
}

void add_version(CLI::App& app, const std::string& tool) {
  app.set_version_flag("--version", fmt::format("{} {} (wire version {:#010x})", tool, kLibraryVersion, kWireVersion));
}

void add_verbosity(CLI::App& app, int& verbosity) {
  CLI::Option* quiet = app.add_flag_callback("--quiet", [&verbosity] { verbosity = -1; }, "say nothing but errors");
  app.add_flag_function(
         "-v", [&verbosity](std::int64_t count) { verbosity = static_cast<int>(std::min<std::int64_t>(count, 2)); },
         "say more; -vv says most")
      ->excludes(quiet);
}

void add_json(CLI::App& app, std::string& target, const std::string& description) {
  // A flag and not an option, so that "--json URL" does not take the URL for a file.
  app.add_flag("--json{-}", target, description)->type_name("[=FILE]");
}

}  // namespace mxp::tools
