#include "common/signals.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

namespace mxp::tools {
namespace {

// What the handler may touch: lock-free and set before it is installed.
volatile std::sig_atomic_t g_received = 0;
volatile std::sig_atomic_t g_write_end = -1;
int g_read_end = -1;
struct sigaction g_old_int;
struct sigaction g_old_term;
struct sigaction g_old_hangup;

void on_signal(int number) {
  if (g_received != 0) {
    // Neither a hangup nor the first of the others is a user who is out of patience.
    if (number != SIGHUP && g_received != SIGHUP) ::_exit(130);
    if (number != SIGHUP) g_received = number;
    return;
  }
  const int saved_errno = errno;
  g_received = number;
  const char byte = 1;
  [[maybe_unused]] const ssize_t ignored = ::write(g_write_end, &byte, 1);
  errno = saved_errno;
}

}  // namespace

SignalWatch::SignalWatch() {
  int ends[2] = {-1, -1};
  if (::pipe2(ends, O_CLOEXEC | O_NONBLOCK) == 0) {
    g_read_end = ends[0];
    g_write_end = ends[1];
  }
  g_received = 0;
  struct sigaction action{};
  action.sa_handler = on_signal;
  ::sigemptyset(&action.sa_mask);
  ::sigaction(SIGINT, &action, &g_old_int);
  ::sigaction(SIGTERM, &action, &g_old_term);
  ::sigaction(SIGHUP, nullptr, &g_old_hangup);
  if (g_old_hangup.sa_handler != SIG_IGN) ::sigaction(SIGHUP, &action, nullptr);
}

SignalWatch::~SignalWatch() {
  ::sigaction(SIGINT, &g_old_int, nullptr);
  ::sigaction(SIGTERM, &g_old_term, nullptr);
  ::sigaction(SIGHUP, &g_old_hangup, nullptr);
  if (g_read_end >= 0) {
    ::close(g_read_end);
    ::close(g_write_end);
  }
  g_read_end = -1;
  g_write_end = -1;
}

int SignalWatch::fd() const { return g_read_end; }

int SignalWatch::received() const { return g_received; }

void prepare_process() {
  struct sigaction ignore{};
  ignore.sa_handler = SIG_IGN;
  ::sigaction(SIGPIPE, &ignore, nullptr);
  ::sigaction(SIGXFSZ, &ignore, nullptr);
  for (int fd = 0; fd <= 2; ++fd) {
    if (::fcntl(fd, F_GETFD) >= 0 || errno != EBADF) continue;
    // Lowest free number first, and all below are taken: open() returns `fd` itself.
    const int opened = ::open("/dev/null", fd == STDERR_FILENO ? O_WRONLY : O_RDONLY);
    if (opened >= 0 && opened != fd) ::close(opened);
  }
}

}  // namespace mxp::tools
