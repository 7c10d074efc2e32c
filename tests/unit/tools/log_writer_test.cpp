#include "common/log_writer.h"

#include <fcntl.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <chrono>
#include <csignal>
#include <string>
#include <thread>

namespace mxp::tools {
namespace {

using namespace std::chrono_literals;

// A pipe of one page, which the writer shares with others as a real stderr is.
struct Pipe {
  int reader = -1;
  int writer = -1;
  Pipe() {
    int ends[2];
    BOOST_REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
    reader = ends[0];
    writer = ends[1];
    BOOST_REQUIRE(::fcntl(writer, F_SETPIPE_SZ, 4096) == 4096);
  }
  ~Pipe() {
    ::close(reader);
    ::close(writer);
  }
  // What is in it now.
  std::string read_all() {
    std::string all;
    char chunk[4096];
    ::fcntl(reader, F_SETFL, O_NONBLOCK);
    for (ssize_t got; (got = ::read(reader, chunk, sizeof chunk)) > 0;)
      all.append(chunk, static_cast<std::size_t>(got));
    return all;
  }
};

std::string message(int number) { return std::to_string(number) + std::string(95, '.') + "\n"; }

BOOST_AUTO_TEST_SUITE(what_is_said_on_stderr)

BOOST_AUTO_TEST_CASE(goes_out_at_once_where_it_is_read) {
  Pipe pipe;
  LogWriter log(pipe.writer);
  log.write("one\n");
  log.write("two\n");
  BOOST_TEST(pipe.read_all() == "one\ntwo\n");
  BOOST_TEST(::fcntl(pipe.writer, F_GETFL) == O_WRONLY);
}

BOOST_AUTO_TEST_CASE(waits_for_nobody_and_is_kept_in_order) {
  Pipe pipe;
  LogWriter log(pipe.writer);
  std::string said;
  for (int i = 0; i < 500; ++i) {  // 48 KB, of which the pipe takes 4
    log.write(message(i));
    said += message(i);
  }
  std::string heard;
  for (int round = 0; round < 20; ++round) {
    heard += pipe.read_all();
    log.flush(0ms);
  }
  BOOST_TEST(log.dropped() == 0u);
  BOOST_TEST((heard == said));
}

BOOST_AUTO_TEST_CASE(beyond_the_bound_is_dropped_whole_and_counted) {
  Pipe pipe;
  LogWriter log(pipe.writer);
  for (int i = 0; i < 5000; ++i) log.write(message(i));
  const std::uint64_t dropped = log.dropped();
  BOOST_TEST(dropped > 4000u);
  std::string heard;
  for (int round = 0; round < 40; ++round) {
    heard += pipe.read_all();
    log.flush(0ms);
  }
  log.write("later\n");
  heard += pipe.read_all();
  std::string expected;
  for (int i = 0; i < 5000 - static_cast<int>(dropped); ++i) expected += message(i);
  expected += "(" + std::to_string(dropped) + " messages were dropped here: nobody read stderr)\nlater\n";
  BOOST_TEST((heard == expected));
  BOOST_TEST(log.dropped() == 0u);
}

BOOST_AUTO_TEST_CASE(the_last_word_waits_for_a_slow_reader) {
  Pipe pipe;
  LogWriter log(pipe.writer);
  std::string said;
  for (int i = 0; i < 300; ++i) {
    log.write(message(i));
    said += message(i);
  }
  std::string heard;
  std::thread reader([&] {
    char chunk[1000];
    for (ssize_t got; heard.size() < said.size() && (got = ::read(pipe.reader, chunk, sizeof chunk)) > 0;) {
      heard.append(chunk, static_cast<std::size_t>(got));
      std::this_thread::sleep_for(1ms);  // slow, as the name says
    }
  });
  log.flush(30s);
  ::close(pipe.writer);
  pipe.writer = -1;
  {
    const LogWriter gone = std::move(log);
  }  // its own descriptor of the pipe
  reader.join();
  BOOST_TEST((heard == said));
}

BOOST_AUTO_TEST_CASE(a_reader_that_is_not_there_is_waited_for_once) {
  Pipe pipe;
  LogWriter log(pipe.writer);
  for (int i = 0; i < 100; ++i) log.write(message(i));
  const auto begin = std::chrono::steady_clock::now();
  log.flush(50ms);
  BOOST_TEST((std::chrono::steady_clock::now() - begin >= 50ms));
  const auto again = std::chrono::steady_clock::now();
  log.flush(1h);
  BOOST_TEST((std::chrono::steady_clock::now() - again < 1min));
}

BOOST_AUTO_TEST_CASE(a_reader_that_has_gone_is_no_failure) {
  Pipe pipe;
  LogWriter log(pipe.writer);
  ::signal(SIGPIPE, SIG_IGN);
  ::close(pipe.reader);
  log.write("to nobody\n");
  log.flush(1h);
  ::signal(SIGPIPE, SIG_DFL);
  pipe.reader = -1;
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace mxp::tools
