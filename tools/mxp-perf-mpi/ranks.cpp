#include "mxp-perf-mpi/ranks.h"

#include <mpi.h>

#include <algorithm>
#include <array>
#include <climits>
#include <cstdlib>
#include <memory>
#include <thread>
#include <utility>

#include "mxp-perf-mpi/arrived.h"
#include "mxp-perf/clock/unix_time.h"
#include "udp/clock.h"

namespace mxp::perf_mpi {

namespace {

// Those of Ranks::Kind come before them.
enum Tag : int { kQuestion = 10, kAnswer, kTold };
constexpr int kQuestions = 64;
// MPI waits by spinning, which would take a processor from those that still measure: so it is asked now and then.
constexpr auto kLook = std::chrono::milliseconds(1);
// Between two questions about a clock nobody sleeps, or the answers would tell how long.
constexpr auto kAwake = std::chrono::milliseconds(50);

int tag_of(Ranks::Kind kind) { return static_cast<int>(kind); }

enum class Waiting : std::uint8_t { asleep, awake };
void rest(Waiting waiting) {
  if (waiting == Waiting::awake) std::this_thread::yield();
  else std::this_thread::sleep_for(kLook);
}

// MPI may still read or write there until the process ends, which is soon where somebody gave up.
template <typename T>
void leave_to_mpi(std::unique_ptr<T> held) {
  static std::vector<std::unique_ptr<T>> left;
  left.push_back(std::move(held));
}

// Whether the request is done; looks again and again until `give_up()`.
bool wait_for(MPI_Request& request, const Ranks::GiveUp& give_up, Waiting waiting = Waiting::asleep) {
  for (;;) {
    int done = 0;
    if (MPI_Test(&request, &done, MPI_STATUS_IGNORE) != MPI_SUCCESS) return false;
    if (done != 0) return true;
    if (give_up()) return false;
    rest(waiting);
  }
}

// The text of a message that has come. Nothing: the rest of it did not.
std::optional<std::string> take_text(MPI_Message& message, MPI_Status& status, const Ranks::GiveUp& give_up) {
  int length = 0;
  MPI_Get_count(&status, MPI_CHAR, &length);
  auto text = std::make_unique<std::string>(static_cast<std::size_t>(std::max(length, 0)), '\0');
  MPI_Request request = MPI_REQUEST_NULL;
  if (MPI_Imrecv(text->data(), length, MPI_CHAR, &message, &request) == MPI_SUCCESS && wait_for(request, give_up))
    return std::move(*text);
  leave_to_mpi(std::move(text));
  return std::nullopt;
}

// NOLINTBEGIN(clang-analyzer-optin.mpi.MPI-Checker): it knows MPI_Wait alone; who gives up ends the process.
// A number to another rank, and one from it. False: it did not come.
bool send_number(double value, int to, int tag, const Ranks::GiveUp& give_up) {
  auto held = std::make_unique<double>(value);
  MPI_Request request = MPI_REQUEST_NULL;
  if (MPI_Isend(held.get(), 1, MPI_DOUBLE, to, tag, MPI_COMM_WORLD, &request) == MPI_SUCCESS &&
      wait_for(request, give_up, Waiting::awake))
    return true;
  leave_to_mpi(std::move(held));
  return false;
}

std::optional<double> receive_number(int from, int tag, const Ranks::GiveUp& give_up) {
  auto held = std::make_unique<double>(0);
  MPI_Request request = MPI_REQUEST_NULL;
  if (MPI_Irecv(held.get(), 1, MPI_DOUBLE, from, tag, MPI_COMM_WORLD, &request) == MPI_SUCCESS &&
      wait_for(request, give_up, Waiting::awake))
    return *held;
  leave_to_mpi(std::move(held));
  return std::nullopt;
}

}  // namespace

Ranks::GiveUp after(Duration patience) {
  return [end = monotonic_now() + patience] { return monotonic_now() >= end; };
}

tools::Result<Ranks> Ranks::begin(int* argc, char*** argv) {
  int provided = 0, rank = 0, size = 0;
  if (MPI_Init_thread(argc, argv, MPI_THREAD_FUNNELED, &provided) != MPI_SUCCESS || provided < MPI_THREAD_FUNNELED)
    return tools::fail(tools::ErrorKind::io, "MPI does not begin: is this run by mpirun or srun?");
  MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &size);
  return Ranks(rank, size);
}

std::string Ranks::host_name() const {
  std::array<char, MPI_MAX_PROCESSOR_NAME> name{};
  int length = 0;
  MPI_Get_processor_name(name.data(), &length);
  return {name.data(), static_cast<std::size_t>(std::max(length, 0))};
}

bool Ranks::send_to_first(Kind kind, const std::string& text, const GiveUp& give_up) const {
  if (text.size() > static_cast<std::size_t>(INT_MAX)) return false;
  auto held = std::make_unique<std::string>(text);
  MPI_Request request = MPI_REQUEST_NULL;
  if (MPI_Issend(held->data(), static_cast<int>(held->size()), MPI_CHAR, 0, tag_of(kind), MPI_COMM_WORLD, &request) ==
          MPI_SUCCESS &&
      wait_for(request, give_up))
    return true;
  leave_to_mpi(std::move(held));
  return false;
}
// NOLINTEND(clang-analyzer-optin.mpi.MPI-Checker)

void Ranks::receive_all(Kind kind, const std::function<void(int rank, std::string text)>& take,
                        const GiveUp& give_up) const {
  for (Arrived arrived(size_); !arrived.all();) {
    int there = 0;
    MPI_Status status{};
    MPI_Message message = MPI_MESSAGE_NULL;
    if (MPI_Improbe(MPI_ANY_SOURCE, tag_of(kind), MPI_COMM_WORLD, &there, &message, &status) != MPI_SUCCESS) return;
    if (there == 0) {
      if (give_up()) return;
      rest(Waiting::asleep);
      continue;
    }
    auto text = take_text(message, status, give_up);
    if (!text) return;
    if (arrived.take(status.MPI_SOURCE)) take(status.MPI_SOURCE, *std::move(text));
  }
}

std::optional<ClockOffset> Ranks::ask_for_clock(int rank, const GiveUp& give_up) const {
  ClockQuestions questions;
  for (int i = 0; i != kQuestions; ++i) {
    const double asked = perf::unix_seconds();
    if (!send_number(asked, rank, kQuestion, give_up)) return std::nullopt;
    const auto theirs = receive_number(rank, kAnswer, give_up);
    if (!theirs) return std::nullopt;
    questions.add(asked, *theirs, perf::unix_seconds());
  }
  return questions.best();
}

void Ranks::tell(const std::vector<double>& by_rank) const {
  // So short a message waits for nobody; should it, one rank holds up the others no longer than this.
  for (int rank = 1; rank < size_; ++rank)
    (void)send_number(by_rank[static_cast<std::size_t>(rank)], rank, kTold, after(std::chrono::seconds(1)));
}

std::optional<double> Ranks::hear(const GiveUp& give_up) const {
  GiveUp may_sleep = [] { return true; };
  while (!give_up()) {
    int question = 0, told = 0;
    if (MPI_Iprobe(0, kQuestion, MPI_COMM_WORLD, &question, MPI_STATUS_IGNORE) != MPI_SUCCESS ||
        MPI_Iprobe(0, kTold, MPI_COMM_WORLD, &told, MPI_STATUS_IGNORE) != MPI_SUCCESS)
      return std::nullopt;
    if (question != 0) {
      if (!receive_number(0, kQuestion, give_up) || !send_number(perf::unix_seconds(), 0, kAnswer, give_up))
        return std::nullopt;
      may_sleep = after(kAwake);
    } else if (told != 0) {
      return receive_number(0, kTold, give_up);
    } else {
      rest(may_sleep() ? Waiting::asleep : Waiting::awake);
    }
  }
  return std::nullopt;
}

void Ranks::end() const { MPI_Finalize(); }

void Ranks::end_without_waiting(int code) const {
  MPI_Abort(MPI_COMM_WORLD, code);
  std::_Exit(code);
}

}  // namespace mxp::perf_mpi
