// mxp-perf-mpi: the load of `mxp-perf client` from all processes of an MPI job together, and one result.
#include <fmt/format.h>

#include <expected>
#include <string>
#include <vector>

#include "common/json_output.h"
#include "common/output.h"
#include "common/signals.h"
#include "common/tool_error.h"
#include "mxp-perf-mpi/job.h"
#include "mxp-perf-mpi/rank_logs.h"
#include "mxp-perf-mpi/ranks.h"
#include "mxp-perf/options.h"
#include "mxp-perf/outputs/result_sinks.h"

namespace perf = mxp::perf;
namespace perf_mpi = mxp::perf_mpi;
namespace tools = mxp::tools;

namespace {

constexpr const char* kTool = "mxp-perf-mpi";

// The options of `mxp-perf client`, but for those that speak of one process alone.
std::expected<perf::Options, tools::ParseStop> parse(const std::vector<std::string>& arguments) {
  std::vector<std::string> words = {kTool, "client"};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> raw;
  raw.reserve(words.size());
  for (std::string& word : words) raw.push_back(word.data());
  auto options = perf::parse_options(static_cast<int>(raw.size()), raw.data());
  if (options && (options->outputs.json_stream || !options->outputs.iperf3.empty()))
    return std::unexpected(
        tools::ParseStop{tools::ExitCode::usage, "--json-stream and --iperf3-json are not for mxp-perf-mpi"});
  // Ranks of one machine would measure each other.
  if (options) options->measure_limits = false;
  return options;
}

int lead(const perf_mpi::Ranks& ranks, const std::vector<std::string>& arguments) {
  const auto options = parse(arguments);
  if (!options) {
    const int code = tools::report_stop(kTool, options.error(), arguments, tools::StdoutUse::free);
    (void)ranks.from_first(0);
    ranks.end();
    return code;
  }
  const tools::SignalWatch signals;  // before the files are emptied: each then gets a result, or why there is none
  tools::Output output(kTool, static_cast<tools::Verbosity>(options->verbosity));
  const auto refuse = [&](const tools::ToolError& error) {
    (void)ranks.from_first(0);
    tools::print_error(kTool, error);
    ranks.end();
    return static_cast<int>(error.exit_code());
  };
  auto sinks = perf::ResultSinks::open(*options, arguments);
  if (!sinks) return refuse(sinks.error());
  auto logs = perf_mpi::RankLogs::open(options->outputs.hlog, ranks.size(), arguments);
  if (!logs) {
    sinks->fail(logs.error());
    return refuse(logs.error());
  }
  (void)ranks.from_first(1);
  const perf_mpi::JobEnd end = perf_mpi::lead(ranks, *options, output, signals, *sinks, *logs);
  int code = 0;
  if (!end.outcome) {
    tools::print_error(kTool, end.outcome.error());
    sinks->fail(end.outcome.error());
    code = static_cast<int>(end.outcome.error().exit_code());
  }
  if (end.everybody == perf_mpi::Everybody::is_not) ranks.end_without_waiting(code);
  ranks.end();
  return code;
}

// Ends with 0 wherever rank 0 has all that there is to say.
int follow(const perf_mpi::Ranks& ranks, const std::vector<std::string>& arguments) {
  if (ranks.from_first(0) == 0) {
    ranks.end();
    return 0;
  }
  const auto options = parse(arguments);
  if (!options) {
    tools::print_error(kTool, {tools::ErrorKind::usage, options.error().error});
    ranks.end_without_waiting(static_cast<int>(tools::ExitCode::usage));
  }
  const tools::SignalWatch signals;
  tools::Output output(kTool, tools::Verbosity::quiet);
  if (!perf_mpi::follow(ranks, *options, output, signals)) {
    tools::print_error(kTool, {tools::ErrorKind::network,
                               fmt::format("rank {} gives up: rank 0 did not take its result", ranks.rank())});
    ranks.end_without_waiting(static_cast<int>(tools::ExitCode::failure));
  }
  ranks.end();
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  tools::prepare_process();
  const auto ranks = perf_mpi::Ranks::begin(&argc, &argv);
  if (!ranks) {
    tools::print_error(kTool, ranks.error());
    return static_cast<int>(ranks.error().exit_code());
  }
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  return ranks->is_first() ? lead(*ranks, arguments) : follow(*ranks, arguments);
}
