#include "common/observe/dump_signal.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>

namespace mxp::tools {
namespace {

// What the handler may touch: lock-free and set before it is installed.
volatile std::sig_atomic_t g_dump_write_end = -1;
struct sigaction g_old_dump;

void on_dump_signal(int) {
  const int saved_errno = errno;
  const char byte = 1;
  [[maybe_unused]] const ssize_t ignored = ::write(g_dump_write_end, &byte, 1);
  errno = saved_errno;
}

}  // namespace

DumpSignal::DumpSignal() {
  int ends[2] = {-1, -1};
  if (::pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) return;
  read_end_ = UniqueFd(ends[0]);
  write_end_ = UniqueFd(ends[1]);
  g_dump_write_end = ends[1];
  struct sigaction action{};
  action.sa_handler = on_dump_signal;
  action.sa_flags = SA_RESTART;
  ::sigemptyset(&action.sa_mask);
  ::sigaction(SIGUSR1, &action, &g_old_dump);
}

DumpSignal::~DumpSignal() {
  if (!read_end_) return;
  ::sigaction(SIGUSR1, &g_old_dump, nullptr);
  g_dump_write_end = -1;
}

void DumpSignal::take() {
  std::array<char, 64> bytes;
  while (::read(read_end_.get(), bytes.data(), bytes.size()) > 0) {
  }
}

}  // namespace mxp::tools
