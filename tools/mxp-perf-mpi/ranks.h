// The processes of an MPI job, as far as this tool needs them: texts for rank 0, numbers from it, and how far clocks
// are apart. Nothing here waits for ever for another rank, which may have stopped. All calls of MPI are here, and on
// the thread of main (MPI_THREAD_FUNNELED). Load never goes this way.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "common/tool_error.h"
#include "mxp-perf-mpi/clocks.h"
#include "mxp/time.h"

namespace mxp::perf_mpi {

class Ranks {
 public:
  enum class Kind : std::uint8_t { introduction, outcome };
  using GiveUp = std::function<bool()>;

  // One per process. The error: MPI does not begin.
  static tools::Result<Ranks> begin(int* argc, char*** argv);

  int rank() const { return rank_; }
  int size() const { return size_; }
  bool is_first() const { return rank_ == 0; }
  std::string host_name() const;

  // On the others: gives a text to rank 0. False: it was not taken before `give_up()`.
  bool send_to_first(Kind kind, const std::string& text, const GiveUp& give_up) const;
  // On rank 0: a text of each of the others in the order in which they come, until all are there or `give_up()`.
  void receive_all(Kind kind, const std::function<void(int rank, std::string text)>& take, const GiveUp& give_up) const;

  // On rank 0: by the best of 64 questions. Nothing: the rank did not answer before `give_up()`.
  std::optional<ClockOffset> ask_for_clock(int rank, const GiveUp& give_up) const;
  // On rank 0: tells each of the others its number. It is on its way then, whether or not it is heard.
  void tell(const std::vector<double>& by_rank) const;
  // On the others: that number. Answers questions about the clock meanwhile. Nothing: it did not come before
  // `give_up()`.
  std::optional<double> hear(const GiveUp& give_up) const;

  // Everybody is there: ends together.
  void end() const;
  // Somebody is not, and would be waited for for ever: ends all, with this code.
  [[noreturn]] void end_without_waiting(int code) const;

 private:
  Ranks(int rank, int size) : rank_(rank), size_(size) {}

  int rank_, size_;
};

// A limit on waiting that begins now.
Ranks::GiveUp after(Duration patience);

}  // namespace mxp::perf_mpi
