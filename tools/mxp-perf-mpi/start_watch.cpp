#include "mxp-perf-mpi/start_watch.h"

#include <fmt/format.h>

#include <chrono>
#include <utility>

#include "common/escape.h"
#include "common/units.h"

namespace mxp::perf_mpi {

namespace {

// Ours: launchers start the processes of a job within seconds, also on many hosts.
constexpr Duration kPatienceToStart = std::chrono::minutes(1);
constexpr Duration kLeastPatience = std::chrono::seconds(1), kMostPatience = std::chrono::hours(1);

}  // namespace

StartWatch::StartWatch(Duration patience, std::function<void()> on_over)
    : thread_([this, patience, on_over = std::move(on_over)] {
        {
          std::unique_lock lock(mutex_);
          if (changed_.wait_for(lock, patience, [this] { return disarmed_; })) return;
        }
        on_over();
      }) {}

StartWatch::~StartWatch() {
  {
    const std::scoped_lock lock(mutex_);
    disarmed_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

std::expected<Duration, std::string> start_patience(const char* text) {
  if (text == nullptr) return kPatienceToStart;
  const auto patience = tools::parse_time(text);
  if (!patience) return std::unexpected(fmt::format("{}: {}", kStartVariable, tools::escape(patience.error())));
  if (*patience < kLeastPatience || *patience > kMostPatience)
    return std::unexpected(fmt::format("{} takes {} to {}, not {}", kStartVariable,
                                       tools::format_duration(kLeastPatience), tools::format_duration(kMostPatience),
                                       tools::escape(text)));
  return *patience;
}

tools::ToolError why_not_started(const char* rank, Duration patience) {
  return {tools::ErrorKind::network,
          fmt::format("{}MPI has not begun after {}: a process of the job does not start, or is no program of MPI ({} "
                      "says for how long to wait)",
                      rank == nullptr ? "" : fmt::format("rank {}: ", tools::escape(rank)),
                      tools::format_duration(patience), kStartVariable)};
}

}  // namespace mxp::perf_mpi
