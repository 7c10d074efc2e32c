// mxp-perf: how fast MXP is here, and what the machine would allow.
#include "mxp-perf/program.h"

#include <string>
#include <vector>

#include "common/output.h"
#include "common/signals.h"
#include "common/tool_error.h"
#include "mxp-perf/commands.h"
#include "mxp-perf/compare/compare_command.h"
#include "mxp-perf/histograms/merge.h"
#include "mxp-perf/options.h"
#include "mxp-perf/outputs/result_sinks.h"
#include "mxp-perf/report/report.h"

namespace mxp::perf {
namespace {

tools::Result<void> run(const Options& options, tools::Output& output, ResultSinks& sinks,
                        const std::vector<std::string>& arguments) {
  switch (options.command) {
    case Command::server: return run_server(options, output, sinks);
    case Command::client: return run_client(options, output, sinks);
    case Command::find_capacity: return run_client(options, output, sinks);
    case Command::run: return run_both(options, output, sinks);
    case Command::limits: return run_limits(options, output, sinks);
    case Command::compare: return run_compare(options, output, sinks);
    case Command::merge: return run_merge(options, sinks);
    case Command::report: return run_report(options, arguments);
  }
  return {};
}

int end_with(const tools::ToolError& error, ResultSinks& sinks) {
  tools::print_error("mxp-perf", error);
  sinks.fail(error);
  return static_cast<int>(error.exit_code());
}

}  // namespace

int run_program(int argc, char** argv) {
  tools::prepare_process();
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  const auto options = parse_options(argc, argv);
  if (!options) {
    stream_refusal(options.error(), arguments);
    return tools::report_stop("mxp-perf", options.error(), arguments, tools::StdoutUse::free);
  }
  tools::Output output("mxp-perf", static_cast<tools::Verbosity>(options->verbosity));
  auto sinks = ResultSinks::open(*options, arguments);
  if (!sinks) {
    tools::print_error("mxp-perf", sinks.error());
    return static_cast<int>(sinks.error().exit_code());
  }
  const auto done = run(*options, output, *sinks, arguments);
  return done ? 0 : end_with(done.error(), *sinks);
}

}  // namespace mxp::perf
