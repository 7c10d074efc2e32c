#include "common/signals.h"

#include <sys/wait.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <csignal>
#include <initializer_list>

namespace mxp::tools::test {
namespace {

// Of a process that gets these signals one after the other: 1 and the number of the one that it serves, or the code with
// which it was ended.
int served_after(std::initializer_list<int> signals) {
  constexpr int kServes = 1;
  const pid_t child = ::fork();
  if (child == 0) {
    const SignalWatch watch;
    for (const int number : signals) ::raise(number);
    ::_exit(kServes + watch.received());
  }
  int status = 0;
  BOOST_TEST_REQUIRE(::waitpid(child, &status, 0) == child);
  BOOST_TEST_REQUIRE(WIFEXITED(status));
  return WEXITSTATUS(status);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(signals)

BOOST_AUTO_TEST_CASE(the_second_interrupt_ends_the_process_and_hangups_do_not_count) {
  BOOST_TEST(served_after({}) == 1);
  BOOST_TEST(served_after({SIGINT}) == 1 + SIGINT);
  BOOST_TEST(served_after({SIGINT, SIGTERM}) == 130);
  BOOST_TEST(served_after({SIGHUP, SIGHUP}) == 1 + SIGHUP);
  BOOST_TEST(served_after({SIGINT, SIGHUP}) == 1 + SIGINT);
  BOOST_TEST(served_after({SIGHUP, SIGINT}) == 1 + SIGINT);
  BOOST_TEST(served_after({SIGHUP, SIGTERM, SIGHUP}) == 1 + SIGTERM);
  BOOST_TEST(served_after({SIGHUP, SIGINT, SIGINT}) == 130);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace mxp::tools::test
