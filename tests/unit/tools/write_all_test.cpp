#include "common/write_all.h"

#include <fcntl.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <cerrno>
#include <csignal>
#include <string>
#include <thread>

#include "common/signals.h"

namespace mxp::tools {
namespace {

struct Pipe {
  int ends[2] = {-1, -1};
  explicit Pipe(int flags) { BOOST_REQUIRE(::pipe2(ends, O_CLOEXEC | flags) == 0); }
  ~Pipe() {
    close_reader();
    ::close(ends[1]);
  }
  void close_reader() {
    if (ends[0] >= 0) ::close(ends[0]);
    ends[0] = -1;
  }
};

BOOST_AUTO_TEST_SUITE(write_all_of_a_result)

BOOST_AUTO_TEST_CASE(more_than_the_descriptor_takes_at_once_arrives_whole) {
  // Far more than a pipe holds, so that writes are short and, without blocking, refused in between.
  const std::string sent(std::size_t{1} << 20, 'x');
  for (const int flags : {0, O_NONBLOCK}) {
    Pipe pipe(flags);
    ::fcntl(pipe.ends[0], F_SETFL, 0);  // the reader waits in both cases
    std::string received;
    std::thread reader([&] {
      char chunk[4096];
      for (ssize_t got; received.size() < sent.size() && (got = ::read(pipe.ends[0], chunk, sizeof chunk)) > 0;)
        received.append(chunk, static_cast<std::size_t>(got));
    });
    const auto written = write_all(pipe.ends[1], sent, "pipe");
    if (!written) pipe.close_reader();
    reader.join();
    BOOST_TEST(written.has_value());
    BOOST_TEST((received == sent));
  }
}

BOOST_AUTO_TEST_CASE(each_failure_names_the_place_and_the_reason) {
  const auto fails = [](int fd, int error, const std::string& message) {
    const auto written = write_all(fd, "result\n", "stdout");
    BOOST_REQUIRE(!written.has_value());
    BOOST_TEST((written.error().kind == ErrorKind::io));
    BOOST_TEST(written.error().message == message);
    BOOST_TEST(written.error().system_error == error);
  };
  fails(-1, EBADF, "cannot write to stdout: it is closed");
  const int full = ::open("/dev/full", O_WRONLY | O_CLOEXEC);
  BOOST_REQUIRE(full >= 0);
  fails(full, ENOSPC, "cannot write to stdout: No space left on device");
  ::close(full);
  const auto old = std::signal(SIGPIPE, SIG_DFL);
  prepare_process();  // as each tool does first: a reader that is gone is an error and no signal
  Pipe pipe(0);
  pipe.close_reader();
  fails(pipe.ends[1], EPIPE, "cannot write to stdout: its reader is gone (broken pipe)");
  std::signal(SIGPIPE, old);
}

BOOST_AUTO_TEST_CASE(nothing_to_write_is_no_failure) { BOOST_TEST(write_all(-1, "", "stdout").has_value()); }

BOOST_AUTO_TEST_CASE(a_name_is_shown_escaped) {
  BOOST_TEST(write_error("a\x1b[2J", EIO).message.find('\x1b') == std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace mxp::tools
