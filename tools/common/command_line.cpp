#include "common/command_line.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <regex>
#include <sstream>

#include "common/escape.h"
#include "common/write_all.h"
#include "mxp/version.h"

namespace mxp::tools {

namespace {

// CLI11 shows what a flag without a value stands for, as "--json{-}", which no reader of a help text can use.
class HelpFormatter : public CLI::Formatter {
 public:
  std::string make_option_name(const CLI::Option* option, bool is_positional) const override {
    std::string name = CLI::Formatter::make_option_name(option, is_positional);
    return name.substr(0, name.find('{'));
  }
};

// "--recv: 1 required DIR missing" is CLI11's way to say it.
std::string readable(const std::string& message) {
  static const std::regex missing("(\\S+): \\d+ required (.+) missing");
  std::smatch found;
  if (!std::regex_match(message, found, missing)) return message;
  return fmt::format("{} needs a value: {}", found[1].str(), found[2].str());
}

}  // namespace

std::expected<void, ParseStop> parse_command_line(CLI::App& app, std::vector<std::string> arguments) {
  std::reverse(arguments.begin(), arguments.end());  // CLI11 takes them from the back
  try {
    app.parse(std::move(arguments));
    return {};
  } catch (const CLI::Success& answered) {  // --help, --version
    std::ostringstream text;
    app.exit(answered, text, text);
    const int error = write_all_or_errno(STDOUT_FILENO, text.str());
    // Whoever closed a pipe (`| head`) has read enough.
    if (error == 0 || error == EPIPE) return std::unexpected(ParseStop{ExitCode::ok, ""});
    return std::unexpected(ParseStop{ExitCode::failure, write_error("stdout", error).message});
  } catch (const CLI::ExtrasError&) {  // whose own text has them in reverse order
    const std::vector<std::string> extra = app.remaining(true);
    return std::unexpected(
        ParseStop{ExitCode::usage, fmt::format("not expected: {} (see {} --help)",
                                               escape(fmt::format("{}", fmt::join(extra, " "))), app.get_name())});
  } catch (const CLI::ParseError& error) {
    std::string message = error.what();
    while (!message.empty() && message.back() == '\n') message.pop_back();
    message = escape(message, message.size());  // it repeats what was typed, or what a script got from somebody else
    return std::unexpected(
        ParseStop{ExitCode::usage, fmt::format("{} (see {} --help)", readable(message), app.get_name())});
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
  app.formatter(std::make_shared<HelpFormatter>());
  app.add_flag("--json{-}", target, description)->type_name("[=FILE]");
}

}  // namespace mxp::tools
