#include "trace/background_writer.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <boost/test/unit_test.hpp>
#include <cerrno>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <utility>

#include "support/temporary_folder.h"

using namespace mxp;
using namespace std::chrono_literals;

namespace {

struct SmallPipe {
  int reader = -1, writer = -1;
  explicit SmallPipe(int flags) {
    int ends[2];
    BOOST_REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
    reader = ends[0];
    writer = ends[1];
    BOOST_REQUIRE(::fcntl(writer, F_SETPIPE_SZ, 4096) == 4096);
    BOOST_REQUIRE(::fcntl(writer, F_SETFL, flags) == 0);
    BOOST_REQUIRE(::fcntl(reader, F_SETFL, O_NONBLOCK) == 0);
  }
  ~SmallPipe() {
    close_reader();
    ::close(writer);
  }
  void close_reader() {
    if (reader >= 0) ::close(reader);
    reader = -1;
  }
  std::string read_now() const {
    std::string all;
    char chunk[4096];
    for (ssize_t got; (got = ::read(reader, chunk, sizeof chunk)) > 0;)
      all.append(chunk, static_cast<std::size_t>(got));
    return all;
  }
};

std::string numbered_line(int number) {
  std::string text = std::to_string(number);
  return std::string(6 - text.size(), '0') + text + std::string(93, '.') + "\n";
}

}  // namespace

BOOST_AUTO_TEST_SUITE(background_writer)

// Whether the descriptor blocks or not: all that was taken arrives, whole and in order, and the loop never waits.
BOOST_AUTO_TEST_CASE(a_full_pipe_costs_what_finds_no_room_and_goes_on_when_it_is_read) {
  for (const int flags : {0, O_NONBLOCK}) {
    BOOST_TEST_CONTEXT("flags " << flags) {
      const SmallPipe pipe(flags);
      BackgroundWriter writer(20'000);
      const auto file = writer.add({.open = pipe.writer});
      std::string taken;
      int dropped = 0;
      for (int i = 0; i < 1000; ++i) {
        if (writer.append(file, numbered_line(i))) taken += numbered_line(i);
        else ++dropped;
      }
      BOOST_TEST(dropped > 500);
      std::string got;
      const auto until = std::chrono::steady_clock::now() + 10s;
      const auto read_all = [&] {
        while (got.size() < taken.size() && std::chrono::steady_clock::now() < until) {
          got += pipe.read_now();
          std::this_thread::sleep_for(1ms);
        }
      };
      read_all();
      BOOST_TEST(got == taken);
      BOOST_REQUIRE(writer.append(file, numbered_line(1001)));
      taken += numbered_line(1001);
      read_all();
      BOOST_TEST(got == taken);
      BOOST_TEST(!writer.take_error().has_value());
    }
  }
}

BOOST_AUTO_TEST_CASE(the_end_waits_for_a_reader_that_does_not_read_only_so_long_and_tears_no_line) {
  const SmallPipe pipe(0);
  const auto begun = std::chrono::steady_clock::now();
  {
    BackgroundWriter writer(20'000);
    const auto file = writer.add({.open = pipe.writer});
    for (int i = 0; i < 150; ++i) BOOST_REQUIRE(writer.append(file, numbered_line(i)));
    writer.flush();
    const auto error = writer.take_error();
    BOOST_REQUIRE(error.has_value());
    BOOST_TEST(error->code == EAGAIN);
    BOOST_TEST(!writer.append(file, numbered_line(1000)));
  }
  BOOST_TEST((std::chrono::steady_clock::now() - begun < 8s));
  const std::string got = pipe.read_now();
  BOOST_TEST(!got.empty());
  BOOST_TEST(got.size() % numbered_line(0).size() == 0u);
}

// A reader that takes a little now and then does not make the end wait anew each time.
BOOST_AUTO_TEST_CASE(the_end_has_so_much_patience_in_all_and_not_for_each_piece) {
  const SmallPipe pipe(0);
  std::atomic<bool> over = false;
  std::thread slow([&] {
    char chunk[4096];
    for (int i = 0; i < 40 && !over; ++i) {  // all of it would take ten seconds
      std::this_thread::sleep_for(300ms);    // the slowness that is tested
      (void)!::read(pipe.reader, chunk, sizeof chunk);
    }
  });
  BackgroundWriter writer(200'000);
  const auto file = writer.add({.open = pipe.writer});
  for (int i = 0; i < 1500; ++i) BOOST_TEST(writer.append(file, numbered_line(i)));
  writer.flush();
  over = true;
  slow.join();
  const auto error = writer.take_error();
  BOOST_TEST((error && error->code == EAGAIN));
}

// In a folder where others may put files: what was made is what is written to.
BOOST_AUTO_TEST_CASE(a_file_that_was_exchanged_is_not_written_to) {
  for (const bool by_a_pipe : {false, true}) {
    const test::TemporaryFolder folder;
    BackgroundWriter writer(20'000);
    const auto file = writer.add({.folder = AT_FDCWD, .name = (folder.path / "f").string()});
    BOOST_REQUIRE(writer.append(file, "one\n"));
    writer.flush();
    std::filesystem::rename(folder.path / "f", folder.path / "g");
    if (by_a_pipe) BOOST_REQUIRE(::mkfifo((folder.path / "f").c_str(), 0600) == 0);
    else std::ofstream(folder.path / "f") << "mine\n";
    BOOST_REQUIRE(writer.append(file, "two\n"));
    writer.flush();
    const auto error = writer.take_error();
    BOOST_REQUIRE(error.has_value());
    BOOST_TEST(error->code == (by_a_pipe ? ENXIO : ESTALE));
    BOOST_TEST(folder.read("g") == "one\n");
    if (!by_a_pipe) BOOST_TEST(folder.read("f") == "mine\n");
  }
}

// A full disk left half a line there: it stays one line, and what follows is whole.
BOOST_AUTO_TEST_CASE(what_is_appended_to_a_torn_line_begins_a_new_one) {
  for (const auto& [before, after] : {std::pair("{\"a\":", "{\"a\":\none\ntwo\n"), std::pair("{}\n", "{}\none\ntwo\n"),
                                      std::pair("", "one\ntwo\n")}) {
    const test::TemporaryFolder folder;
    const std::string path = (folder.path / "f").string();
    std::ofstream(path) << before;
    const int descriptor = ::open(path.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC);
    BOOST_REQUIRE(descriptor >= 0);
    {
      BackgroundWriter writer(20'000);
      const auto file = writer.add({.open = descriptor, .of_lines = true});
      BOOST_REQUIRE(writer.append(file, "one\n"));
      writer.flush();
      BOOST_REQUIRE(writer.append(file, "two\n"));
    }
    ::close(descriptor);
    BOOST_TEST(folder.read("f") == after);
  }
}

BOOST_AUTO_TEST_CASE(a_reader_that_has_gone_ends_the_file_and_is_told_once) {
  SmallPipe pipe(O_NONBLOCK);
  pipe.close_reader();
  BackgroundWriter writer(20'000);
  const auto file = writer.add({.open = pipe.writer});
  BOOST_REQUIRE(writer.append(file, "one\n"));
  writer.flush();
  const auto error = writer.take_error();
  BOOST_REQUIRE(error.has_value());
  BOOST_TEST(error->code == EPIPE);
  BOOST_TEST(!writer.append(file, "two\n"));
  writer.flush();
  BOOST_TEST(!writer.take_error().has_value());
  BOOST_TEST(writer.failed_files() == 1u);
}

BOOST_AUTO_TEST_SUITE_END()
