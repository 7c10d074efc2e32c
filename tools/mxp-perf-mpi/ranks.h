// The processes of an MPI job, as far as this tool needs them: who they are, one number for all, clocks, and one text
// of each at the end. All calls of MPI are here, and on the thread of main (MPI_THREAD_FUNNELED). Load never goes this
// way.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "common/tool_error.h"
#include "mxp/time.h"

namespace mxp::perf_mpi {

// By how much a rank's clock is ahead of that of rank 0.
struct ClockOffset {
  double seconds = 0;
  double error_seconds = 0;  // at most
};

class Ranks {
 public:
  // One per process. The error: MPI does not begin.
  static tools::Result<Ranks> begin(int* argc, char*** argv);

  int rank() const { return rank_; }
  int size() const { return size_; }
  bool is_first() const { return rank_ == 0; }

  // The names of all ranks' hosts, on each of them.
  std::vector<std::string> host_names() const;
  // What rank 0 says, on every rank.
  double from_first(double value) const;
  // By the best of 64 questions that rank 0 asks each: of all ranks, on each of them.
  std::vector<ClockOffset> measure_clocks() const;

  // Gives `text` to rank 0. False: it was not taken within `patience`.
  bool send_to_first(const std::string& text, Duration patience) const;
  // On rank 0: the texts of the others in the order in which they come, until all are there or `give_up()`.
  void receive_all(const std::function<void(int rank, std::string text)>& take,
                   const std::function<bool()>& give_up) const;

  // Everybody is there: ends together.
  void end() const;
  // Somebody is not, and would be waited for for ever: ends all, with this code.
  [[noreturn]] void end_without_waiting(int code) const;

 private:
  Ranks(int rank, int size) : rank_(rank), size_(size) {}
  ClockOffset ask(int rank) const;
  void answer() const;

  int rank_, size_;
};

}  // namespace mxp::perf_mpi
