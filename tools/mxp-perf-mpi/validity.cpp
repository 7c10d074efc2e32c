#include "mxp-perf-mpi/validity.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "common/escape.h"
#include "common/units.h"
#include "mxp-perf-mpi/sums.h"
#include "mxp-perf/clock/unix_time.h"

namespace mxp::perf_mpi {

using tools::ErrorKind;

namespace {

// A rank that begins later than by this share of the duration was not part of the load.
constexpr double kSlowShare = 0.1;

// A clock may be wrong by any time, and a Duration does not hold every one.
std::string time_text(double seconds) {
  return tools::format_duration(perf::seconds_as_duration(std::min(seconds, kUnknownClockError)));
}

std::string missing_ranks(std::span<const RankPlace> places, std::span<const Outcome> outcomes) {
  std::string missing;
  for (std::size_t rank = 0; rank != places.size(); ++rank)
    if (std::ranges::find(outcomes, static_cast<int>(rank), &Outcome::rank) == outcomes.end())
      missing += (missing.empty() ? "" : ", ") + name_of(rank, places[rank].host);
  return missing;
}

}  // namespace

std::string name_of(std::size_t rank, const std::string& host) {
  return fmt::format("rank {} on {}", rank, tools::escape(host));
}

std::optional<tools::ToolError> why_invalid(const perf::Options& options, std::span<const RankPlace> places,
                                            std::span<const Outcome> outcomes) {
  const std::string missing = missing_ranks(places, outcomes);
  for (const Outcome& outcome : outcomes)
    if (outcome.error && (missing.empty() || outcome.error->kind != ErrorKind::interrupted)) {
      const auto rank = static_cast<std::size_t>(outcome.rank);
      return tools::ToolError{outcome.error->kind,
                              fmt::format("{}: {}", name_of(rank, places[rank].host), outcome.error->message)};
    }
  if (!missing.empty())
    return tools::ToolError{ErrorKind::network,
                            fmt::format("{} gave no result: dead, or too slow; the run is not valid", missing)};
  const double most = std::chrono::duration<double>(options.workload.duration).count() * kSlowShare;
  for (const Outcome& outcome : outcomes) {
    const auto rank = static_cast<std::size_t>(outcome.rank);
    const std::string name = name_of(rank, places[rank].host);
    if (const double late = seconds_late(outcome); late > most)
      return tools::ToolError{ErrorKind::network,
                              fmt::format("{} began {} late: the run is not valid", name, time_text(late))};
    // Whether it was on time is not known then.
    if (const double error = places[rank].clock.error_seconds; error > most)
      return tools::ToolError{
          ErrorKind::network,
          fmt::format("the clock of {} is known no better than to {}, of a test of {}: the run is not valid", name,
                      time_text(error), tools::format_duration(options.workload.duration))};
  }
  return std::nullopt;
}

}  // namespace mxp::perf_mpi
