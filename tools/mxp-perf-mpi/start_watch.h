// A bound on what cannot be told to give up: MPI_Init waits for ever for a rank that was launched and never begins MPI.
//
//   {
//     const StartWatch watch(seconds(60), [] { … std::_Exit(1); });
//     MPI_Init(…);
//   }                                        // it has returned: nothing happens any more
#pragma once

#include <condition_variable>
#include <expected>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

#include "common/tool_error.h"
#include "mxp/time.h"

namespace mxp::perf_mpi {

class StartWatch {
 public:
  // Calls `on_over` after `patience`, on a thread of its own, unless the watch is gone by then.
  StartWatch(Duration patience, std::function<void()> on_over);
  // Where `on_over` is running, waits for its end.
  ~StartWatch();
  StartWatch(const StartWatch&) = delete;
  StartWatch& operator=(const StartWatch&) = delete;

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool disarmed_ = false;
  std::thread thread_;
};

// How long MPI may take to begin: `text` as the environment has it, a minute where it is null. The error names the
// variable.
inline constexpr const char* kStartVariable = "MXP_PERF_MPI_START_LIMIT";
std::expected<Duration, std::string> start_patience(const char* text);

// What is said when it is over. `rank`: as the launcher calls this process; null without one.
tools::ToolError why_not_started(const char* rank, Duration patience);

}  // namespace mxp::perf_mpi
