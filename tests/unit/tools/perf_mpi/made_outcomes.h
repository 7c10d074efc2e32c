// Results of ranks with known answers, as they come to rank 0: through the text that goes over MPI.
#pragma once

#include <chrono>
#include <initializer_list>
#include <utility>
#include <vector>

#include "mxp-perf-mpi/outcome.h"
#include "mxp-perf/histograms/hdr_histogram.h"
#include "mxp-perf/options.h"
#include "mxp-perf/result.h"

namespace mxp::perf_mpi::test {

inline constexpr double kStart = 1'800'000'000;

// A result that began so late, and what it has beside that.
inline perf::Result made_result(perf::Test test, double late_seconds = 0) {
  perf::Result result;
  result.test = test;
  result.datagram_bytes = 1472;
  result.suite = "aes256gcm";
  result.asked_start = kStart;
  result.started_at = perf::WallTime(
      std::chrono::duration_cast<perf::WallTime::duration>(std::chrono::duration<double>(kStart + late_seconds)));
  result.verdict = perf::Verdict::tool;
  result.verdict_reason = "the client";
  return result;
}

inline perf::HdrHistogram values(std::initializer_list<std::pair<std::uint64_t, std::uint64_t>> counts) {
  perf::HdrHistogram histogram;
  for (const auto& [value, count] : counts) histogram.record(value, count);
  return histogram;
}

inline Outcome made_outcome(int rank, const perf::Result& result, const perf::Options& options,
                            std::optional<tools::ToolError> error = {}) {
  return parse_outcome(rank, to_text(outcome_of(rank, {.result = result, .error = std::move(error)}, options))).value();
}

inline perf::Options made_options(perf::Test test) {
  perf::Options options;
  options.command = perf::Command::client;
  options.workload.test = test;
  return options;
}

// Each with the rank of its place.
inline std::vector<Outcome> made_outcomes(const std::vector<perf::Result>& results, const perf::Options& options) {
  std::vector<Outcome> outcomes;
  for (const perf::Result& result : results)
    outcomes.push_back(made_outcome(static_cast<int>(outcomes.size()), result, options));
  return outcomes;
}

}  // namespace mxp::perf_mpi::test
