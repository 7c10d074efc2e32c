// When calls are due, and what is counted of them: known answers in virtual time.
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>

#include "mxp-perf/arrivals/arrivals.h"
#include "mxp-perf/arrivals/call_book.h"

using namespace mxp;
using namespace mxp::perf;
using namespace std::chrono_literals;

namespace {

constexpr Timestamp kBegin = Timestamp{} + 5s;

// A server that answers each call in a millisecond but for a pause of a second, and a caller that makes 100 calls a
// second for ten seconds, each when the one before it is answered.
struct PausedServer {
  CallBook book;
  Result result;

  PausedServer() {
    constexpr Timestamp kPause = kBegin + 3s, kResumes = kBegin + 4s;
    book.begin(kBegin);
    Timestamp free = kBegin;
    for (std::uint64_t number = 0; number < 1000; ++number) {
      const Timestamp due = kBegin + static_cast<std::int64_t>(number) * 10ms;
      const Timestamp made = std::max(due, free);
      book.on_made(number, {.due = due, .made = made}, free);
      free = (made >= kPause && made < kResumes ? kResumes : made) + 1ms;
      BOOST_REQUIRE(book.on_answer(number, free));
    }
    book.end();
    book.count_unanswered(nullptr, kBegin + 10s, kBegin + 10s);
    book.add_to(result, kBegin + 10s, 100.0);
  }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(perf_arrivals)

BOOST_AUTO_TEST_CASE(fixed_distances_do_not_drift) {
  Arrivals arrivals(ArrivalLaw::fixed, 3, 1);
  arrivals.begin(kBegin);
  BOOST_TEST((arrivals.next() == kBegin));
  for (int i = 0; i < 3'000'000; ++i) arrivals.advance();
  BOOST_TEST((arrivals.next() == kBegin + 1'000'000s));
  BOOST_TEST(arrivals.number() == 3'000'000u);
  BOOST_TEST(arrivals.left_before(kBegin + 1'000'010s) == 30u);
  BOOST_TEST(arrivals.left_before(kBegin) == 0u);
  BOOST_TEST((arrivals.later(6) == kBegin + 1'000'002s));
}

BOOST_AUTO_TEST_CASE(poisson_distances_are_exponential_and_the_seed_is_all_that_decides) {
  constexpr int kCount = 100'000;
  Arrivals arrivals(ArrivalLaw::poisson, 1000, 7), same(ArrivalLaw::poisson, 1000, 7),
      other(ArrivalLaw::poisson, 1000, 8);
  for (Arrivals* each : {&arrivals, &same, &other}) each->begin(kBegin);
  BOOST_TEST((arrivals.next() == same.next()));
  BOOST_TEST((arrivals.next() != other.next()));
  Timestamp before = kBegin;
  int longer_than_mean = 0, longer_than_twice = 0;
  for (int i = 0; i < kCount; ++i, arrivals.advance()) {
    const Duration distance = arrivals.next() - before;
    before = arrivals.next();
    longer_than_mean += distance > 1ms;
    longer_than_twice += distance > 2ms;
  }
  // Five standard deviations of each: 1 / sqrt(n) of the mean, sqrt(p (1 - p) / n) of the shares.
  BOOST_TEST(std::abs(std::chrono::duration<double>(before - kBegin).count() / (kCount * 1e-3) - 1) < 0.016);
  BOOST_TEST(std::abs(static_cast<double>(longer_than_mean) / kCount - std::exp(-1)) < 0.008);
  BOOST_TEST(std::abs(static_cast<double>(longer_than_twice) / kCount - std::exp(-2)) < 0.006);
}

BOOST_AUTO_TEST_CASE(names_of_laws) {
  for (const ArrivalLaw law : {ArrivalLaw::fixed, ArrivalLaw::poisson})
    BOOST_TEST((arrival_law_of(to_string(law)) == law));
  BOOST_TEST(!arrival_law_of("uniform").has_value());
}

// A tenth of all calls come in the pause, and the one that comes x before its end waits for x: a hundredth of all
// calls, a tenth of these, wait for more than 0.9 s. One call alone was under way: the service time has one of 1000.
BOOST_AUTO_TEST_CASE(a_pause_moves_the_latency_as_arithmetic_says_and_the_service_time_hides_it) {
  const PausedServer paused;
  BOOST_REQUIRE(paused.result.latency_us.has_value());
  BOOST_TEST(paused.result.latency_us->p99 > 890e3);
  BOOST_TEST(paused.result.latency_us->p99 < 925e3);  // and 100 calls of a millisecond each are worked off after it
  BOOST_TEST(paused.result.latency_us->max > 1000e3);
  BOOST_TEST(paused.result.latency_us->p50 < 1.1e3);
  BOOST_TEST(paused.result.service_time_us->p99 < 1.1e3);
  BOOST_TEST(paused.result.service_time_us->max > 1000e3);
  BOOST_TEST(paused.result.sender_late_us->max < 1.0);  // the caller did what it could
  BOOST_TEST(*paused.result.calls->rate_kept);
}

BOOST_AUTO_TEST_CASE(what_was_never_made_counts_with_its_wait_and_what_failed_is_counted) {
  CallBook book;
  book.begin(kBegin);
  Arrivals arrivals(ArrivalLaw::fixed, 1000, 1);
  arrivals.begin(kBegin);
  for (std::uint64_t number = 0; number < 3; ++number, arrivals.advance())
    book.on_made(number, {.due = arrivals.next(), .made = arrivals.next()}, kBegin);
  BOOST_TEST(book.on_answer(0, kBegin + 1ms));
  BOOST_TEST(!book.on_answer(0, kBegin + 1ms));
  BOOST_TEST(book.on_failure(1));
  BOOST_TEST(!book.on_failure(1));
  BOOST_TEST(!book.on_answer(1, kBegin + 2ms));
  book.end();
  book.count_unanswered(&arrivals, kBegin + 2s, kBegin + 3s);
  Result result;
  book.add_to(result, kBegin + 2s, 1000.0);
  BOOST_TEST(result.calls->due == 2000u);
  BOOST_TEST(result.calls->answered == 1u);
  BOOST_TEST(result.calls->failed == 1u);
  BOOST_TEST(result.calls->unanswered == 1998u);
  BOOST_TEST(!*result.calls->rate_kept);
  BOOST_TEST(std::abs(result.latency_us->p50 - 2e6) < 3e3);  // they wait from 1 s to 3 s
}

BOOST_AUTO_TEST_CASE(the_sender_is_late_from_when_there_was_room) {
  CallBook book;
  book.begin(kBegin);
  book.on_made(0, {.due = kBegin, .made = kBegin + 30ms}, kBegin + 10ms);
  book.on_made(1, {.due = kBegin + 50ms, .made = kBegin + 51ms}, kBegin + 10ms);
  book.on_made(2, {.due = kBegin - 1ms, .made = kBegin + 51ms}, kBegin);  // due before what is measured
  BOOST_TEST(book.sender_late().count() == 2u);
  BOOST_TEST(book.sender_late().percentiles().max == 20e3, boost::test_tools::tolerance(1e-3));
}

BOOST_AUTO_TEST_SUITE_END()
