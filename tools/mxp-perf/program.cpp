// mxp-perf: how fast MXP is here, and what the machine would allow.
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

namespace tools = mxp::tools;

namespace {

tools::Result<void> run(const mxp::perf::Options& options, tools::Output& output, mxp::perf::ResultSinks& sinks,
                        const std::vector<std::string>& arguments) {
  switch (options.command) {
    case mxp::perf::Command::server: return run_server(options, output, sinks);
    case mxp::perf::Command::client: return run_client(options, output, sinks);
    case mxp::perf::Command::find_capacity: return run_client(options, output, sinks);
    case mxp::perf::Command::run: return run_both(options, output, sinks);
    case mxp::perf::Command::limits: return run_limits(options, output, sinks);
    case mxp::perf::Command::compare: return run_compare(options, output, sinks);
    case mxp::perf::Command::merge: return run_merge(options, sinks);
    case mxp::perf::Command::report: return run_report(options, arguments);
  }
  return {};
}

int fail(const tools::ToolError& error, mxp::perf::ResultSinks& sinks) {
  tools::print_error("mxp-perf", error);
  sinks.fail(error);
  return static_cast<int>(error.exit_code());
}

}  // namespace

int main(int argc, char** argv) {
  tools::prepare_process();
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  const auto options = mxp::perf::parse_options(argc, argv);
  if (!options) {
    mxp::perf::stream_refusal(options.error(), arguments);
    return tools::report_stop("mxp-perf", options.error(), arguments, tools::StdoutUse::free);
  }
  tools::Output output("mxp-perf", static_cast<tools::Verbosity>(options->verbosity));
  auto sinks = mxp::perf::ResultSinks::open(*options, arguments);
  if (!sinks) {
    tools::print_error("mxp-perf", sinks.error());
    return static_cast<int>(sinks.error().exit_code());
  }
  const auto done = run(*options, output, *sinks, arguments);
  return done ? 0 : fail(done.error(), *sinks);
}
