#include "mxp-perf-mpi/ranks.h"

#include <mpi.h>

#include <algorithm>
#include <array>
#include <climits>
#include <cstdlib>
#include <limits>
#include <memory>
#include <thread>

#include "mxp-perf/clock/unix_time.h"

namespace mxp::perf_mpi {

namespace {

enum Tag : int { kQuestion = 1, kAnswer, kOutcome };
constexpr int kQuestions = 64;
// MPI waits by spinning, which would take a processor from those that still measure: so it is asked now and then.
constexpr auto kLook = std::chrono::milliseconds(1);

// Whether the request is done; looks again and again until `give_up()`.
bool wait_for(MPI_Request& request, const std::function<bool()>& give_up) {
  for (;;) {
    int done = 0;
    if (MPI_Test(&request, &done, MPI_STATUS_IGNORE) != MPI_SUCCESS) return false;
    if (done != 0) return true;
    if (give_up()) return false;
    std::this_thread::sleep_for(kLook);
  }
}

}  // namespace

tools::Result<Ranks> Ranks::begin(int* argc, char*** argv) {
  int provided = 0, rank = 0, size = 0;
  if (MPI_Init_thread(argc, argv, MPI_THREAD_FUNNELED, &provided) != MPI_SUCCESS || provided < MPI_THREAD_FUNNELED)
    return tools::fail(tools::ErrorKind::io, "MPI does not begin: is this run by mpirun or srun?");
  MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &size);
  return Ranks(rank, size);
}

std::vector<std::string> Ranks::host_names() const {
  std::array<char, MPI_MAX_PROCESSOR_NAME> mine{};
  int length = 0;
  MPI_Get_processor_name(mine.data(), &length);
  std::vector<char> all(mine.size() * static_cast<std::size_t>(size_));
  MPI_Allgather(mine.data(), static_cast<int>(mine.size()), MPI_CHAR, all.data(), static_cast<int>(mine.size()),
                MPI_CHAR, MPI_COMM_WORLD);
  std::vector<std::string> names;
  for (std::size_t at = 0; at != all.size(); at += mine.size())
    names.emplace_back(all.data() + at,
                       static_cast<std::size_t>(std::find(&all[at], &all[at] + mine.size(), '\0') - &all[at]));
  return names;
}

double Ranks::from_first(double value) const {
  MPI_Bcast(&value, 1, MPI_DOUBLE, 0, MPI_COMM_WORLD);
  return value;
}

ClockOffset Ranks::ask(int rank) const {
  ClockOffset best{.seconds = 0, .error_seconds = std::numeric_limits<double>::max()};
  for (int i = 0; i != kQuestions; ++i) {
    double theirs = 0;
    const double asked = perf::unix_seconds();
    MPI_Send(&asked, 1, MPI_DOUBLE, rank, kQuestion, MPI_COMM_WORLD);
    MPI_Recv(&theirs, 1, MPI_DOUBLE, rank, kAnswer, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    const double half = (perf::unix_seconds() - asked) / 2;
    // The clock of day may be set back meanwhile: such a question tells nothing.
    if (half >= 0 && half < best.error_seconds) best = {.seconds = theirs - asked - half, .error_seconds = half};
  }
  return best;
}

void Ranks::answer() const {
  for (int i = 0; i != kQuestions; ++i) {
    double asked = 0;
    MPI_Recv(&asked, 1, MPI_DOUBLE, 0, kQuestion, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    const double mine = perf::unix_seconds();
    MPI_Send(&mine, 1, MPI_DOUBLE, 0, kAnswer, MPI_COMM_WORLD);
  }
}

std::vector<ClockOffset> Ranks::measure_clocks() const {
  std::vector<double> told(2 * static_cast<std::size_t>(size_));
  if (!is_first()) answer();
  for (int other = 1; is_first() && other < size_; ++other) {
    const ClockOffset measured = ask(other);
    told[2 * static_cast<std::size_t>(other)] = measured.seconds;
    told[2 * static_cast<std::size_t>(other) + 1] = measured.error_seconds;
  }
  MPI_Bcast(told.data(), static_cast<int>(told.size()), MPI_DOUBLE, 0, MPI_COMM_WORLD);
  std::vector<ClockOffset> clocks;
  for (std::size_t i = 0; i != told.size(); i += 2)
    clocks.push_back({.seconds = told[i], .error_seconds = told[i + 1]});
  return clocks;
}

// NOLINTBEGIN(clang-analyzer-optin.mpi.MPI-Checker): it knows MPI_Wait alone; who gives up ends the process.
bool Ranks::send_to_first(const std::string& text, Duration patience) const {
  if (text.size() > static_cast<std::size_t>(INT_MAX)) return false;
  MPI_Request request = MPI_REQUEST_NULL;
  if (MPI_Issend(text.data(), static_cast<int>(text.size()), MPI_CHAR, 0, kOutcome, MPI_COMM_WORLD, &request) !=
      MPI_SUCCESS)
    return false;
  const auto end = std::chrono::steady_clock::now() + patience;
  return wait_for(request, [&] { return std::chrono::steady_clock::now() > end; });
}
// NOLINTEND(clang-analyzer-optin.mpi.MPI-Checker)

void Ranks::receive_all(const std::function<void(int rank, std::string text)>& take,
                        const std::function<bool()>& give_up) const {
  for (int missing = size_ - 1; missing > 0;) {
    int there = 0, length = 0;
    MPI_Status status{};
    MPI_Message message = MPI_MESSAGE_NULL;
    if (MPI_Improbe(MPI_ANY_SOURCE, kOutcome, MPI_COMM_WORLD, &there, &message, &status) != MPI_SUCCESS) return;
    if (there == 0) {
      if (give_up()) return;
      std::this_thread::sleep_for(kLook);
      continue;
    }
    MPI_Get_count(&status, MPI_CHAR, &length);
    auto text = std::make_unique<std::string>(static_cast<std::size_t>(std::max(length, 0)), '\0');
    MPI_Request request = MPI_REQUEST_NULL;
    if (MPI_Imrecv(text->data(), length, MPI_CHAR, &message, &request) != MPI_SUCCESS || !wait_for(request, give_up)) {
      (void)text.release();  // MPI may still write there, until the process ends, which is soon
      return;
    }
    take(status.MPI_SOURCE, std::move(*text));
    --missing;
  }
}

void Ranks::end() const { MPI_Finalize(); }

void Ranks::end_without_waiting(int code) const {
  MPI_Abort(MPI_COMM_WORLD, code);
  std::_Exit(code);
}

}  // namespace mxp::perf_mpi
