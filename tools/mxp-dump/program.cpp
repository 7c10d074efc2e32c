// mxp-dump: the packets of MXP in a capture.
#include "mxp-dump/program.h"

#include <nlohmann/json.hpp>

#include "common/json_output.h"
#include "common/output.h"
#include "common/signals.h"
#include "common/tool_error.h"
#include "mxp-dump/files/commands.h"
#include "mxp-dump/options.h"
#include "mxp-dump/run.h"
#include "mxp-dump/why/why_run.h"

namespace mxp::dump {
namespace {

int end_with(const tools::ToolError& error, const Options& options) {
  tools::print_error("mxp-dump", error);
  // "--json" beside packets on stdout was refused before the first packet, so nothing mixes with this.
  if (auto output = tools::JsonOutput::open(options.json, tools::StdoutUse::free, options.arguments); output)
    static_cast<void>(output->write_line(to_json(error)));
  return static_cast<int>(error.exit_code());
}

}  // namespace

int run_program(int argc, char** argv) {
  tools::prepare_process();
  if (argc > 1 && std::string_view(argv[1]) == "why") return run_why(std::vector<std::string>(argv + 2, argv + argc));
  if (argc > 1 && is_file_command(argv[1])) return run_file_command(argc, argv);
  const auto options = parse_options(argc, argv);
  if (!options) {
    return tools::report_stop("mxp-dump", options.error(), std::vector<std::string>(argv + 1, argv + argc),
                              tools::StdoutUse::free);
  }
  tools::Output output("mxp-dump", static_cast<tools::Verbosity>(options->verbosity));
  const auto done = run(*options, output);
  if (!done) return end_with(done.error(), *options);
  return static_cast<int>(*done);
}

}  // namespace mxp::dump
