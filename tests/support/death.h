// Runs what breaks a precondition in a child process, and says how that process died.
#pragma once

#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <boost/test/unit_test.hpp>
#include <csignal>
#include <string>

namespace mxp::test {

struct Death {
  std::string said;  // on standard error
  int signal = 0;    // 0 if it exited by itself
};

template <typename Broken>
Death death_of(Broken broken) {
  std::array<int, 2> pipe_ends{};
  BOOST_TEST_REQUIRE(pipe(pipe_ends.data()) == 0);
  const pid_t child = fork();
  if (child == 0) {
    std::signal(SIGABRT, SIG_DFL);
    dup2(pipe_ends[1], STDERR_FILENO);
    broken();
    _exit(0);
  }
  close(pipe_ends[1]);
  Death death;
  std::array<char, 512> buffer;
  for (ssize_t got; (got = read(pipe_ends[0], buffer.data(), buffer.size())) > 0;)
    death.said.append(buffer.data(), static_cast<std::size_t>(got));
  close(pipe_ends[0]);
  int status = 0;
  waitpid(child, &status, 0);
  death.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
  return death;
}

}  // namespace mxp::test
