#include "mxp-perf/compare/compare_command.h"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "common/counted.h"
#include "common/signals.h"
#include "mxp-perf/compare/alternate.h"
#include "mxp-perf/compare/comparison.h"
#include "mxp-perf/compare/comparison_text.h"
#include "mxp-perf/compare/result_input.h"
#include "mxp/version.h"

namespace mxp::perf {

using tools::ErrorKind;

namespace {

// Both sides, and why they are fewer than asked for.
tools::Result<AlternatedRuns> gather(const CompareOptions& options, tools::Output& output) {
  AlternatedRuns runs;
  if (options.runs) {
    const tools::SignalWatch signals;
    runs = run_in_turn(options, signals, output);
    if (!runs.ended && (runs.base.empty() || runs.ended.error().kind != ErrorKind::interrupted))
      return std::unexpected(runs.ended.error());
    if (!runs.ended)
      runs.ended =
          tools::fail(ErrorKind::interrupted, fmt::format("interrupted after {} of {}: the comparison is of these",
                                                          tools::counted(runs.base.size(), "pair"), *options.runs));
    return runs;
  }
  auto base = read_results(options.base);
  if (!base) return std::unexpected(base.error());
  auto next = read_results(options.next);
  if (!next) return std::unexpected(next.error());
  runs.base = *std::move(base);
  runs.next = *std::move(next);
  return runs;
}

// What is wrong with the outcome, if anything.
tools::Result<void> outcome_of(const Comparison& comparison, const tools::Result<void>& ended) {
  if (!ended) return ended;
  if (comparison.finding != Finding::regression) return {};
  std::string which;
  for (const MetricComparison& one : comparison.metrics)
    if (one.decides && one.finding == Finding::regression)
      which += fmt::format("{}{} by {:.2f}%", which.empty() ? "" : ", ", one.metric->name, 100 * std::abs(one.change));
  return tools::fail(ErrorKind::threshold, fmt::format("NEW is worse than BASE beyond {:g}%: {}",
                                                       100 * comparison.rules.max_regression, which));
}

}  // namespace

tools::Result<void> run_compare(const Options& options, tools::Output& output, ResultSinks& sinks) {
  const CompareOptions& wanted = options.compare;
  const auto runs = gather(wanted, output);
  if (!runs) return std::unexpected(runs.error());
  const auto comparison = compare(runs->base, runs->next,
                                  {.max_regression = wanted.max_regression,
                                   .confidence = wanted.confidence,
                                   .metrics = wanted.metrics,
                                   .pairing = wanted.runs ? Pairing::pairs : Pairing::groups});
  if (!comparison) return tools::fail(ErrorKind::usage, comparison.error());
  const auto outcome = outcome_of(*comparison, runs->ended);
  nlohmann::json document = {
      {"schema", kSchemaName}, {"version", kLibraryVersion}, {"comparison", to_json(*comparison)}};
  if (!outcome) document.update(to_json(outcome.error()));
  const auto written = sinks.json().write_document(document);
  std::string text;
  switch (wanted.format) {
    case CompareFormat::text: text = to_text(*comparison); break;
    case CompareFormat::json: text = tools::json_document(document); break;
    case CompareFormat::junit: text = to_junit(*comparison); break;
    case CompareFormat::github: text = to_github(*comparison); break;
  }
  if (auto printed = sinks.print(text); !printed) return printed;
  if (!written) return written;
  return outcome;
}

}  // namespace mxp::perf
