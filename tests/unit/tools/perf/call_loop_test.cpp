// When the calls of a test are made: never before they are due, whatever ends the test.
#include "mxp-perf/arrivals/call_loop.h"

#include <boost/test/unit_test.hpp>
#include <cstdint>

#include "mxp/event_loop.h"

namespace mxp::perf {

namespace {

using namespace std::chrono_literals;

struct OpenLoop {
  Handler handler;
  std::expected<std::unique_ptr<EventLoop>, IoError> loop = EventLoop::create(
      {.bind = SocketAddress::ipv4(127, 0, 0, 1, 0)}, {.identity = PrivateKey::generate(system_random())}, handler);
  Workload workload{.test = Test::rr, .duration = 1h, .calls_per_second = 1, .outstanding = 1'000'000};
  std::uint64_t made = 0;

  CallLoop calls() {
    BOOST_TEST_REQUIRE(loop.has_value());
    return CallLoop(workload, **loop, workload.most_waiting(), [this](std::uint64_t) {
      ++made;
      return true;
    });
  }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(call_loop)

BOOST_AUTO_TEST_CASE(a_test_that_is_ended_early_makes_nothing_that_is_not_due) {
  OpenLoop test;
  CallLoop calls = test.calls();
  calls.begin((*test.loop)->now() - 600s);
  BOOST_TEST(test.made == 601u);  // 0 s to 600 s
  calls.stop();
  BOOST_TEST(test.made == 601u);
  Result result;
  calls.add_to(result);
  BOOST_TEST(result.calls->due == 601u);
  BOOST_TEST(result.seconds > 599.0);
  BOOST_TEST(result.seconds < 700.0);
}

BOOST_AUTO_TEST_CASE(a_test_that_is_abandoned_makes_nothing_any_more) {
  OpenLoop test;
  CallLoop calls = test.calls();
  calls.begin((*test.loop)->now() - 600s);
  calls.abandon();
  (*test.loop)->at((*test.loop)->now() + 1100ms, [&] { (*test.loop)->stop(); });  // one is due by then
  BOOST_TEST((*test.loop)->run().has_value());
  calls.go_on();
  BOOST_TEST(test.made == 601u);
}

BOOST_AUTO_TEST_CASE(the_duration_counts_from_the_begin_that_it_is_told) {
  OpenLoop test;
  CallLoop calls = test.calls();
  calls.begin((*test.loop)->now() - 2h);
  BOOST_TEST(test.made == 3600u);
  calls.stop();
  BOOST_TEST(test.made == 3600u);
  BOOST_TEST(calls.book().sender_late().percentiles().max > 3600e6);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace mxp::perf
