// mxp-perf: how fast MXP is here, and what the machine would allow.
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "common/json_output.h"
#include "common/output.h"
#include "common/signals.h"
#include "common/tool_error.h"
#include "mxp-perf/commands.h"
#include "mxp-perf/options.h"

namespace tools = mxp::tools;

namespace {

tools::Result<void> run(const mxp::perf::Options& options, tools::Output& output, tools::JsonOutput& json) {
  switch (options.command) {
    case mxp::perf::Command::server: return run_server(options, output, json);
    case mxp::perf::Command::client: return run_client(options, output, json);
    case mxp::perf::Command::run: return run_both(options, output, json);
    case mxp::perf::Command::limits: return run_limits(options, output, json);
  }
  return {};
}

int fail(const tools::ToolError& error, tools::JsonOutput& json) {
  tools::print_error("mxp-perf", error);
  // A result that was already written stays, even if it missed a threshold or stdout did not take its text.
  if (!json.written()) (void)json.write_line(to_json(error));  // the exit code tells it too
  return static_cast<int>(error.exit_code());
}

}  // namespace

int main(int argc, char** argv) {
  tools::prepare_process();
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  const auto options = mxp::perf::parse_options(argc, argv);
  if (!options) return tools::report_stop("mxp-perf", options.error(), arguments, tools::StdoutUse::free);
  tools::Output output("mxp-perf", static_cast<tools::Verbosity>(options->verbosity));
  auto json = tools::JsonOutput::open(options->json, tools::StdoutUse::free, arguments);
  if (!json) {
    tools::print_error("mxp-perf", json.error());
    return static_cast<int>(json.error().exit_code());
  }
  const auto done = run(*options, output, *json);
  return done ? 0 : fail(done.error(), *json);
}
