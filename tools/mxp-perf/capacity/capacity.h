// find-capacity URL: the highest rate of calls, messages or datagrams that still keeps the user's bounds.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "common/output.h"
#include "common/signals.h"
#include "common/tool_error.h"
#include "mxp-perf/client/client.h"
#include "mxp-perf/options.h"
#include "mxp-perf/outputs/result_sinks.h"

namespace CLI {
class App;
}  // namespace CLI

namespace mxp::perf {

// Of each trial, where --duration does not say otherwise. Our choice: RFC 2544 has 60 s, for a device that is bought.
inline constexpr Duration kTrialDuration = std::chrono::seconds(2);

void add_capacity_options(CLI::App& app, CapacityOptions& options);
// Whether there is a rate to look for.
constexpr bool has_rate(Test test) { return test != Test::bulk && test != Test::isolation; }

// What is wrong, if anything.
std::optional<std::string> interpret_capacity(Options& options);

// One trial: the rate, and what broke the bound; `why` is empty where it was kept.
struct Trial {
  double rate_per_second = 0;
  std::optional<double> p99_us, loss_share;
  std::string why;
  std::string limited_by;  // the run's verdict, where it was broken
};
Trial judge_trial(const Options& options, double rate, const Result& result);

using RunTrial = std::function<ClientResult(const Options&)>;
// Runs the search; `signals` ends it with what was found until then. Where no rate kept the bounds, that is an error:
// the user's threshold was not met.
tools::Result<void> search_capacity(const Options& options, tools::Output& output, ResultSinks& sinks,
                                    const tools::SignalWatch& signals, const RunTrial& run);

}  // namespace mxp::perf
