#include "mxp-perf-mpi/validity.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>

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

// Whether a rank was on time is not known where its clock is not.
std::optional<tools::ToolError> why_no_clock(const RankClock& clock, const std::string& name, Duration duration) {
  const double most = std::chrono::duration<double>(duration).count() * kSlowShare;
  if (clock.error_seconds() <= most) return std::nullopt;
  const auto is_invalid = [&](const std::string& why) {
    return tools::ToolError{ErrorKind::network, why + ": the run is not valid"};
  };
  if (clock.lost()) return is_invalid(fmt::format("{} did not tell its time after the test", name));
  const std::string test = fmt::format("of a test of {}", tools::format_duration(duration));
  const double drift = std::abs(clock.drift_seconds().value_or(0));
  if (clock.after && drift > clock.before.error_seconds + clock.after->error_seconds)
    return is_invalid(
        fmt::format("the clock of {} moved by {} against that of rank 0, {}", name, time_text(drift), test));
  return is_invalid(
      fmt::format("the clock of {} is known no better than to {}, {}", name, time_text(clock.error_seconds()), test));
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
    if (auto why = why_no_clock(places[rank].clock, name, options.workload.duration)) return why;
  }
  return std::nullopt;
}

}  // namespace mxp::perf_mpi
