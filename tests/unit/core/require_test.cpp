// A broken precondition stops the process in every build, and says which one and where.
#include "mxp/require.h"

#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <boost/test/unit_test.hpp>
#include <csignal>
#include <string>

namespace mxp::test {

namespace {

struct Death {
  std::string said;
  int signal = 0;
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

}  // namespace

BOOST_AUTO_TEST_SUITE(require)

BOOST_AUTO_TEST_CASE(a_broken_precondition_stops_the_process_and_names_itself) {
  const Death death = death_of([] { MXP_REQUIRE(1 + 1 == 3); });
  BOOST_TEST(death.signal == SIGABRT);
  BOOST_TEST(death.said.starts_with("mxp: precondition broken: 1 + 1 == 3 (require_test.cpp:"));
}

BOOST_AUTO_TEST_CASE(a_kept_one_costs_nothing_else) {
  int evaluated = 0;
  MXP_REQUIRE(++evaluated == 1);
  BOOST_TEST(evaluated == 1);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace mxp::test
