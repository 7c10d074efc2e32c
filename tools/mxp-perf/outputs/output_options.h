// What a run writes beside its text and --json, as the command line names it.
#pragma once

#include <optional>
#include <string>

namespace CLI {
class App;
}  // namespace CLI

namespace mxp::perf {

struct OutputOptions {
  std::string hlog, hgrm, iperf3;  // "" = not asked for
  bool json_stream = false;
};

// --hlog and --hgrm, of a test or of a merge.
void add_histogram_options(CLI::App& app, OutputOptions& options);
// --json-stream and --iperf3-json.
void add_run_options(CLI::App& app, OutputOptions& options);

}  // namespace mxp::perf
