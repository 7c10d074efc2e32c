// mxp-cat: ad-hoc sessions. Parse, build, run, one error line, the exit code.
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

int main_of(std::vector<std::string> arguments) {
  prepare_process();
  LowOptions low;
  JsonOutput json;
  if (auto parsed = parse_arguments(std::move(arguments), low); !parsed) {
    if (parsed.error().code == ExitCode::ok) return 0;
    return report({ErrorKind::usage, parsed.error().error}, json);
  }
  auto opened = JsonOutput::open(low.json, stdout_carries_data(low) ? StdoutUse::carries_data : StdoutUse::free);
  if (!opened) return report(opened.error(), json);
  json = *std::move(opened);
  const auto options = make_options(low);
  if (!options) return report(options.error(), json);
  Output output("mxp-cat", options->verbosity);
  const auto result = run(*options, output, json);
  return result ? 0 : report(result.error(), json);
}

}  // namespace
}  // namespace mxp::tools

int main(int argc, char** argv) { return mxp::tools::main_of({argv + 1, argv + argc}); }
