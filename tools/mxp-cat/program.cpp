// mxp-cat: ad-hoc sessions. Parse, build, run, one error line, the exit code.
#include "mxp-cat/program.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "common/json_output.h"
#include "common/output.h"
#include "common/signals.h"
#include "common/tool_error.h"
#include "mxp-cat/connect.h"
#include "mxp-cat/keys_command.h"
#include "mxp-cat/listen.h"
#include "mxp-cat/low_options.h"
#include "mxp-cat/options.h"

namespace mxp::tools {
namespace {

Result<void> run(const Options& options, Output& output, JsonOutput& json) {
  switch (options.command) {
    case Command::keygen: return run_keygen(options, output);
    case Command::pubkey: return run_pubkey(options);
    case Command::listen: return run_listen(options, output, json);
    case Command::connect: return run_connect(options, output, json);
  }
  return {};
}

int report(const ToolError& error, JsonOutput& json) {
  print_error("mxp-cat", error);
  (void)json.write_line(to_json(error));  // the exit code tells it too
  return static_cast<int>(error.exit_code());
}

// Where the options were not understood: a mode in which stdout is free can be seen all the same.
StdoutUse stdout_use(const std::vector<std::string>& arguments) {
  const auto frees_stdout = [](std::string_view word) {
    return word == "--echo" || word.starts_with("--send") || word.starts_with("--recv");
  };
  return std::any_of(arguments.begin(), arguments.end(), frees_stdout) ? StdoutUse::free : StdoutUse::carries_data;
}

}  // namespace

int run_cat(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  prepare_process();
  LowOptions low;
  JsonOutput json;
  if (auto parsed = parse_arguments(arguments, low); !parsed)
    return report_stop("mxp-cat", parsed.error(), arguments, stdout_use(arguments));
  auto opened = JsonOutput::open(low.json, stdout_carries_data(low) ? StdoutUse::carries_data : StdoutUse::free,
                                 arguments, low.send);
  if (!opened) return report(opened.error(), json);
  json = *std::move(opened);
  const auto options = interpret(low);
  if (!options) return report(options.error(), json);
  Output output("mxp-cat", options->verbosity);
  const auto result = run(*options, output, json);
  if (!result) return report(result.error(), json);
  return json.status() ? 0 : report(json.status().error(), json);
}

}  // namespace mxp::tools
