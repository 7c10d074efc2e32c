// mxp-perf-mpi: the load of `mxp-perf client` from all processes of an MPI job together, and one result.
#include "mxp-perf-mpi/program.h"

#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "common/json_output.h"
#include "common/output.h"
#include "common/signals.h"
#include "common/tool_error.h"
#include "mxp-perf-mpi/job.h"
#include "mxp-perf-mpi/rank_logs.h"
#include "mxp-perf-mpi/ranks.h"
#include "mxp-perf-mpi/start_watch.h"
#include "mxp-perf/options.h"
#include "mxp-perf/outputs/result_sinks.h"

namespace mxp::perf_mpi {
namespace {

constexpr const char* kTool = "mxp-perf-mpi";

// As the launcher says that has started this process as one of several, or as the only one; null without any.
const char* launched_rank() {
  for (const char* name : {"OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK"})
    if (const char* rank = std::getenv(name)) return rank;
  return nullptr;
}

// Before MPI has begun: rank 0 alone writes what there is to write.
int fail_without_mpi(const tools::ToolError& error, const std::vector<std::string>& arguments) {
  const char* const rank = launched_rank();
  if (rank == nullptr || std::string_view(rank) == "0")
    return tools::report_failure(kTool, error, arguments, tools::StdoutUse::free);
  tools::print_error(kTool, error);
  return static_cast<int>(error.exit_code());
}

tools::Result<Ranks> begin_mpi(int* argc, char*** argv, const std::vector<std::string>& arguments) {
  const auto patience = start_patience(std::getenv(kStartVariable));
  if (!patience) return tools::fail(tools::ErrorKind::usage, patience.error());
  const StartWatch watch(*patience,
                         [&] { std::_Exit(fail_without_mpi(why_not_started(launched_rank(), *patience), arguments)); });
  return Ranks::begin(argc, argv);
}

int end_all(const Ranks& ranks, Everybody everybody, int code) {
  if (everybody == Everybody::is_not) ranks.end_without_waiting(code);
  ranks.end();
  return code;
}

int run_first(const Ranks& ranks, const std::vector<std::string>& arguments) {
  const auto options = perf::parse_rank_options(arguments);
  if (!options) {
    const int code = tools::report_stop(kTool, options.error(), arguments, tools::StdoutUse::free);
    return end_all(ranks, dismiss(ranks), code);
  }
  const tools::SignalWatch signals;  // before the files are emptied: each then gets a result, or why there is none
  tools::Output output(kTool, static_cast<tools::Verbosity>(options->verbosity));
  const auto refuse = [&](const tools::ToolError& error) {
    tools::print_error(kTool, error);
    return end_all(ranks, dismiss(ranks), static_cast<int>(error.exit_code()));
  };
  if (const auto why = perf::why_no_start(*options)) return refuse({tools::ErrorKind::usage, *why});
  auto sinks = perf::ResultSinks::open(*options, arguments);
  if (!sinks) return refuse(sinks.error());
  auto logs = RankLogs::open(options->outputs.hlog, ranks.size(), arguments);
  if (!logs) {
    sinks->fail(logs.error());
    return refuse(logs.error());
  }
  const JobEnd end = lead(ranks, *options, output, signals, *sinks, *logs);
  int code = 0;
  if (!end.outcome) {
    tools::print_error(kTool, end.outcome.error());
    sinks->fail(end.outcome.error());
    code = static_cast<int>(end.outcome.error().exit_code());
  }
  return end_all(ranks, end.everybody, code);
}

// Ends with 0 wherever rank 0 has all that there is to say.
int run_other(const Ranks& ranks, const std::vector<std::string>& arguments) {
  if (const auto followed = follow(ranks, [&] { return perf::parse_rank_options(arguments); }); !followed) {
    tools::print_error(kTool, followed.error());
    ranks.end_without_waiting(static_cast<int>(followed.error().exit_code()));
  }
  ranks.end();
  return 0;
}

}  // namespace

int run_program(int argc, char** argv) {
  tools::prepare_process();
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  // Help and its like, as a shell asks for them to complete a word, need no MPI, which takes its time to begin.
  if (launched_rank() == nullptr)
    if (const auto options = perf::parse_rank_options(arguments); !options)
      return tools::report_stop(kTool, options.error(), arguments, tools::StdoutUse::free);
  const auto ranks = begin_mpi(&argc, &argv, arguments);
  if (!ranks) return fail_without_mpi(ranks.error(), arguments);
  return ranks->is_first() ? run_first(*ranks, arguments) : run_other(*ranks, arguments);
}

}  // namespace mxp::perf_mpi
