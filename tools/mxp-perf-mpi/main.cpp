// mxp-perf-mpi: the load of `mxp-perf client` from all processes of an MPI job together, and one result.
#include <algorithm>
#include <cstdlib>
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

// Whether a launcher has started this process as one of several, or as the only one.
bool is_launched() {
  constexpr const char* kSaidByLaunchers[] = {"OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK"};
  return std::ranges::any_of(kSaidByLaunchers, [](const char* name) { return std::getenv(name) != nullptr; });
}

int end_all(const perf_mpi::Ranks& ranks, perf_mpi::Everybody everybody, int code) {
  if (everybody == perf_mpi::Everybody::is_not) ranks.end_without_waiting(code);
  ranks.end();
  return code;
}

int lead(const perf_mpi::Ranks& ranks, const std::vector<std::string>& arguments) {
  const auto options = perf::parse_rank_options(arguments);
  if (!options) {
    const int code = tools::report_stop(kTool, options.error(), arguments, tools::StdoutUse::free);
    return end_all(ranks, perf_mpi::dismiss(ranks), code);
  }
  const tools::SignalWatch signals;  // before the files are emptied: each then gets a result, or why there is none
  tools::Output output(kTool, static_cast<tools::Verbosity>(options->verbosity));
  const auto refuse = [&](const tools::ToolError& error) {
    tools::print_error(kTool, error);
    return end_all(ranks, perf_mpi::dismiss(ranks), static_cast<int>(error.exit_code()));
  };
  if (const auto why = perf::why_no_start(*options)) return refuse({tools::ErrorKind::usage, *why});
  auto sinks = perf::ResultSinks::open(*options, arguments);
  if (!sinks) return refuse(sinks.error());
  auto logs = perf_mpi::RankLogs::open(options->outputs.hlog, ranks.size(), arguments);
  if (!logs) {
    sinks->fail(logs.error());
    return refuse(logs.error());
  }
  const perf_mpi::JobEnd end = perf_mpi::lead(ranks, *options, output, signals, *sinks, *logs);
  int code = 0;
  if (!end.outcome) {
    tools::print_error(kTool, end.outcome.error());
    sinks->fail(end.outcome.error());
    code = static_cast<int>(end.outcome.error().exit_code());
  }
  return end_all(ranks, end.everybody, code);
}

// Ends with 0 wherever rank 0 has all that there is to say.
int follow(const perf_mpi::Ranks& ranks, const std::vector<std::string>& arguments) {
  if (const auto followed = perf_mpi::follow(ranks, [&] { return perf::parse_rank_options(arguments); }); !followed) {
    tools::print_error(kTool, followed.error());
    ranks.end_without_waiting(static_cast<int>(followed.error().exit_code()));
  }
  ranks.end();
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  tools::prepare_process();
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  // Help and its like, as a shell asks for them to complete a word, need no MPI, which takes its time to begin.
  if (!is_launched())
    if (const auto options = perf::parse_rank_options(arguments); !options)
      return tools::report_stop(kTool, options.error(), arguments, tools::StdoutUse::free);
  const auto ranks = perf_mpi::Ranks::begin(&argc, &argv);
  if (!ranks) {
    tools::print_error(kTool, ranks.error());
    return static_cast<int>(ranks.error().exit_code());
  }
  return ranks->is_first() ? lead(*ranks, arguments) : follow(*ranks, arguments);
}
