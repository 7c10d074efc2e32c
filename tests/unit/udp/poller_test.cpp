// Waiting: descriptors of the application, the deadline, the stop, and one descriptor that stands for all of them.
#include "udp/poller.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <string>
#include <thread>

#include "udp/clock.h"
#include "unit/udp/udp_support.h"

namespace mxp::test {
namespace {

using namespace std::chrono_literals;

struct Pipe {
  UniqueFd read;
  UniqueFd write;
  Pipe() {
    std::array<int, 2> ends{};
    BOOST_REQUIRE(::pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK) == 0);
    read = UniqueFd(ends[0]);
    write = UniqueFd(ends[1]);
  }
  void put(char c) { BOOST_REQUIRE(::write(write.get(), &c, 1) == 1); }
  char take() {
    char c = 0;
    BOOST_REQUIRE(::read(read.get(), &c, 1) == 1);
    return c;
  }
};

UniqueFd regular_file() {
  std::string path = "/tmp/mxp-poller-XXXXXX";
  UniqueFd file(::mkstemp(path.data()));
  ::unlink(path.c_str());
  return file;
}

std::unique_ptr<Poller> make_poller(Poller::DeadlineBy deadline_by = Poller::DeadlineBy::wait) {
  auto poller = Poller::create(deadline_by);
  BOOST_REQUIRE(poller.has_value());
  return std::move(*poller);
}

bool readable(int fd, int timeout_ms) {
  pollfd entry{.fd = fd, .events = POLLIN, .revents = 0};
  return ::poll(&entry, 1, timeout_ms) == 1;
}

Poller* signalled = nullptr;
void stop_from_signal(int) { signalled->request_stop(); }

}  // namespace

BOOST_AUTO_TEST_SUITE(poller)

BOOST_AUTO_TEST_CASE(a_watched_pipe_is_told_when_it_is_readable_and_not_before) {
  auto poller = make_poller();
  Pipe pipe;
  std::string got;
  poller->watch(pipe.read.get(), FdEvent::readable, [&] { got += pipe.take(); });
  BOOST_TEST(!readable(poller->fd(), 0));
  BOOST_REQUIRE(poller->wait(false).has_value());
  BOOST_TEST(got == "");
  pipe.put('x');
  BOOST_TEST(readable(poller->fd(), 0));
  BOOST_REQUIRE(poller->wait(true).has_value());
  BOOST_TEST(got == "x");
}

BOOST_AUTO_TEST_CASE(a_watch_for_writing_is_told_while_there_is_room) {
  auto poller = make_poller();
  Pipe pipe;
  int calls = 0;
  poller->watch(pipe.write.get(), FdEvent::writable, [&] { ++calls; });
  BOOST_REQUIRE(poller->wait(false).has_value());
  BOOST_TEST(calls == 1);
  std::array<char, 4096> block{};
  while (::write(pipe.write.get(), block.data(), block.size()) > 0) {
  }
  BOOST_REQUIRE(poller->wait(false).has_value());
  BOOST_TEST(calls == 1);
}

BOOST_AUTO_TEST_CASE(a_closed_writer_wakes_the_reader) {
  auto poller = make_poller();
  Pipe pipe;
  bool called = false;
  poller->watch(pipe.read.get(), FdEvent::readable, [&] { called = true; });
  {
    UniqueFd closing = std::move(pipe.write);
  }
  BOOST_REQUIRE(poller->wait(true).has_value());
  BOOST_TEST(called);
}

BOOST_AUTO_TEST_CASE(a_regular_file_is_always_ready) {
  auto poller = make_poller();
  const UniqueFd file = regular_file();
  BOOST_REQUIRE(file.valid());
  int calls = 0;
  poller->watch(file.get(), FdEvent::readable, [&] { ++calls; });
  BOOST_TEST(poller->has_always_ready());
  BOOST_REQUIRE(poller->wait(true).has_value());  // does not block
  BOOST_REQUIRE(poller->wait(true).has_value());
  BOOST_TEST(calls == 2);
  poller->unwatch(file.get());
  BOOST_TEST(!poller->has_always_ready());
  BOOST_REQUIRE(poller->wait(false).has_value());
  BOOST_TEST(calls == 2);
}

BOOST_AUTO_TEST_CASE(a_callback_may_unwatch_itself_and_others) {
  auto poller = make_poller();
  Pipe first;
  Pipe second;
  const UniqueFd file = regular_file();
  int calls = 0;
  const auto once = [&] {
    ++calls;
    poller->unwatch(first.read.get());
    poller->unwatch(second.read.get());
    poller->unwatch(file.get());
  };
  poller->watch(first.read.get(), FdEvent::readable, once);
  poller->watch(second.read.get(), FdEvent::readable, once);
  poller->watch(file.get(), FdEvent::readable, once);
  first.put('a');
  second.put('b');
  BOOST_REQUIRE(poller->wait(true).has_value());
  BOOST_TEST(calls == 1);  // whoever came first took the others out, though their events had been collected
  BOOST_REQUIRE(poller->wait(false).has_value());
  BOOST_TEST(calls == 1);
}

BOOST_AUTO_TEST_CASE(watching_again_replaces_and_old_events_do_not_reach_the_new_callback) {
  auto poller = make_poller();
  Pipe first;
  Pipe second;
  std::string order;
  const auto replace_other = [&](char name, Pipe& other) {
    order += name;
    poller->watch(other.read.get(), FdEvent::writable, [&] { order += '!'; });  // a read end is never writable
  };
  poller->watch(first.read.get(), FdEvent::readable, [&] { replace_other('1', second); });
  poller->watch(second.read.get(), FdEvent::readable, [&] { replace_other('2', first); });
  first.put('a');
  second.put('b');
  BOOST_REQUIRE(poller->wait(true).has_value());
  BOOST_TEST((order == "1" || order == "2"));
}

BOOST_AUTO_TEST_CASE(the_descriptor_becomes_readable_at_the_deadline_and_not_before) {
  auto poller = make_poller();
  const Timestamp start = monotonic_now();
  poller->arm(start + 20ms, start);
  BOOST_TEST(!readable(poller->fd(), 0));
  BOOST_TEST(readable(poller->fd(), 5000));
  BOOST_TEST((monotonic_now() >= start + 20ms));
  // It stays so until there is a new deadline.
  BOOST_REQUIRE(poller->wait(false).has_value());
  BOOST_TEST(readable(poller->fd(), 0));
  poller->arm(kNever, monotonic_now());
  BOOST_TEST(!readable(poller->fd(), 0));
}

BOOST_AUTO_TEST_CASE(a_deadline_in_the_past_is_readable_at_once) {
  auto poller = make_poller();
  const Timestamp now = monotonic_now();
  poller->arm(Timestamp{}, now);
  BOOST_TEST(readable(poller->fd(), 1000));
  poller->arm(now + 1h, monotonic_now());
  BOOST_TEST(!readable(poller->fd(), 0));
}

BOOST_AUTO_TEST_CASE(a_wait_ends_at_its_deadline_or_with_an_event_whatever_was_armed_before) {
  for (const auto deadline_by : {Poller::DeadlineBy::wait, Poller::DeadlineBy::timer}) {
    auto poller = make_poller(deadline_by);
    Pipe pipe;
    int told = 0;
    poller->watch(pipe.read.get(), FdEvent::readable, [&] {
      pipe.take();
      ++told;
    });
    for (const Duration time : {Duration(900us), Duration(20ms)}) {
      const Timestamp start = monotonic_now();
      poller->arm(Timestamp{}, start);  // fires at once, and is forgotten
      BOOST_REQUIRE(poller->wait_until(start + time).has_value());
      BOOST_TEST((monotonic_now() >= start + time));
      BOOST_REQUIRE(poller->wait_until(start).has_value());  // has passed: only looks
    }
    BOOST_TEST(told == 0);

    pipe.put('a');
    BOOST_REQUIRE(poller->wait_until(kNever).has_value());
    BOOST_TEST(told == 1);
    pipe.put('b');
    BOOST_REQUIRE(poller->wait_until(monotonic_now() + 1h).has_value());
    BOOST_TEST(told == 2);
    pipe.put('c');
    BOOST_REQUIRE(poller->wait_until(monotonic_now() + 500us).has_value());
    BOOST_TEST(told == 3);

    const UniqueFd file = regular_file();
    poller->watch(file.get(), FdEvent::readable, [&] { ++told; });  // always ready
    BOOST_REQUIRE(poller->wait_until(kNever).has_value());
    BOOST_TEST(told == 4);
  }
}

BOOST_AUTO_TEST_CASE(a_nearer_deadline_is_taken_over_at_once_and_a_later_one_when_the_first_has_passed) {
  auto poller = make_poller();
  const Timestamp start = monotonic_now();
  poller->arm(start + 1h, start);
  poller->arm(start + 10ms, start);
  poller->arm(start + 50ms, start);
  BOOST_TEST(readable(poller->fd(), 5000));  // for the 10 ms: early is allowed, late is not
  poller->arm(start + 50ms, std::max(monotonic_now(), start + 10ms));
  BOOST_TEST(readable(poller->fd(), 5000));
  BOOST_TEST((monotonic_now() >= start + 50ms));
}

BOOST_AUTO_TEST_CASE(the_socket_is_watched_for_what_was_asked) {
  auto poller = make_poller();
  auto receiver = make(Kind::linux_offload);
  auto sender = make(Kind::portable);
  BOOST_REQUIRE(poller->set_socket(receiver->fd(), SocketInterest::read).has_value());
  auto events = poller->wait(false);
  BOOST_TEST((!events->readable && !events->writable));
  const Datagram sent = pattern(10);
  OutgoingRun run = run_to(receiver->local_address(), sent, 10);
  sender->send({&run, 1});
  events = poller->wait(true);
  BOOST_TEST((events->readable && !events->writable));
  BOOST_REQUIRE(poller->set_socket(receiver->fd(), SocketInterest::both).has_value());
  events = poller->wait(true);
  BOOST_TEST((events->readable && events->writable));
  BOOST_REQUIRE(poller->set_socket(receiver->fd(), SocketInterest::write).has_value());
  events = poller->wait(true);
  BOOST_TEST((!events->readable && events->writable));
  BOOST_REQUIRE(poller->set_socket(receiver->fd(), SocketInterest::nothing).has_value());
  events = poller->wait(false);
  BOOST_TEST((!events->readable && !events->writable));
  BOOST_REQUIRE(poller->set_socket(receiver->fd(), SocketInterest::read).has_value());
  BOOST_TEST(poller->wait(true)->readable);
}

BOOST_AUTO_TEST_CASE(a_stop_from_another_thread_ends_the_wait) {
  auto poller = make_poller();
  std::thread other([&] { poller->request_stop(); });
  while (!poller->take_stop()) BOOST_REQUIRE(poller->wait(true).has_value());
  other.join();
  BOOST_TEST(!poller->take_stop());
}

BOOST_AUTO_TEST_CASE(a_stop_from_a_signal_handler_ends_the_wait) {
  auto poller = make_poller();
  signalled = poller.get();
  struct sigaction action{};
  action.sa_handler = stop_from_signal;
  action.sa_flags = SA_RESTART;
  struct sigaction before{};
  BOOST_REQUIRE(::sigaction(SIGUSR1, &action, &before) == 0);
  const pthread_t here = ::pthread_self();
  std::thread other([&] { ::pthread_kill(here, SIGUSR1); });
  while (!poller->take_stop()) BOOST_REQUIRE(poller->wait(true).has_value());
  other.join();
  ::sigaction(SIGUSR1, &before, nullptr);
}

BOOST_AUTO_TEST_CASE(a_stop_leaves_errno_as_it_was_even_when_asked_very_often) {
  auto poller = make_poller();
  errno = EDOM;
  for (int i = 0; i < 100; ++i) poller->request_stop();
  BOOST_TEST(errno == EDOM);
  BOOST_TEST(poller->take_stop());
  BOOST_REQUIRE(poller->wait(true).has_value());
  BOOST_TEST(!readable(poller->fd(), 0));
}

BOOST_AUTO_TEST_CASE(without_descriptors_left_creation_is_an_error_and_not_a_crash) {
  rlimit before{};
  BOOST_REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
  const UniqueFd probe(::dup(0));
  for (int more = 0; more < 3; ++more) {  // fails at the first, second and third descriptor of a poller
    const rlimit few{static_cast<rlim_t>(probe.get() + 1 + more), before.rlim_max};
    BOOST_REQUIRE(::setrlimit(RLIMIT_NOFILE, &few) == 0);
    const auto poller = Poller::create();
    const auto carrier = make_linux_carrier({.bind = kLoopback});
    BOOST_REQUIRE(::setrlimit(RLIMIT_NOFILE, &before) == 0);
    BOOST_REQUIRE(!poller.has_value());
    BOOST_TEST(poller.error().code == EMFILE);
    BOOST_TEST(carrier.has_value() == (more > 0));
    if (!carrier) BOOST_TEST(carrier.error().code == EMFILE);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace mxp::test
