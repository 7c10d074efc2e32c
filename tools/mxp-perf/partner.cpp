#include "mxp-perf/partner.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace mxp::perf {

using tools::ErrorKind;

pid_t fork_partner() {
  const pid_t parent = getpid();
  const pid_t child = fork();
  if (child == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(1);  // it had ended before we asked to end with it
    signal(SIGINT, SIG_IGN);
    signal(SIGTERM, SIG_IGN);
  }
  return child;
}

tools::Result<Partner> Partner::start(const std::function<int(int to_us)>& work) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return tools::fail_errno(ErrorKind::io, "pipe", errno);
  UniqueFd read_end(ends[0]), write_end(ends[1]);
  const pid_t child = fork_partner();
  if (child < 0) return tools::fail_errno(ErrorKind::io, "fork", errno);
  if (child == 0) {
    read_end.reset();
    _exit(work(write_end.get()));
  }
  return Partner(child, std::move(read_end));
}

Partner::Partner(Partner&& other) noexcept
    : process_(std::exchange(other.process_, -1)), from_it_(std::move(other.from_it_)) {}

Partner::~Partner() {
  if (process_ < 0) return;
  kill(process_, SIGKILL);  // other signals may be ignored by inheritance
  waitpid(process_, nullptr, 0);
}

}  // namespace mxp::perf
