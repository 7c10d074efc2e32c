// What happens before ranks measure: the bound on the start of MPI, who has told what, and whose clock --start-at
// means.
#include <boost/test/unit_test.hpp>
#include <chrono>
#include <future>
#include <string>
#include <vector>

#include "mxp-perf-mpi/arrived.h"
#include "mxp-perf-mpi/start_watch.h"
#include "mxp-perf/clock/unix_time.h"
#include "mxp-perf/options.h"

using namespace mxp::perf_mpi;
namespace perf = mxp::perf;
using namespace std::chrono_literals;

BOOST_AUTO_TEST_SUITE(perf_mpi_start)

BOOST_AUTO_TEST_CASE(a_start_that_takes_too_long_is_told) {
  std::promise<void> told;
  const StartWatch watch(1ms, [&] { told.set_value(); });
  told.get_future().wait();  // what never tells is a test that never ends
}

BOOST_AUTO_TEST_CASE(a_start_that_has_returned_is_not_told_of) {
  bool told = false;
  {
    const StartWatch watch(1h, [&] { told = true; });
  }
  BOOST_TEST(!told);
}

BOOST_AUTO_TEST_CASE(how_long_to_wait_is_a_minute_or_what_the_environment_says) {
  BOOST_TEST((start_patience(nullptr) == mxp::Duration(1min)));
  BOOST_TEST((start_patience("90s") == mxp::Duration(90s)));
  BOOST_TEST((start_patience("2") == mxp::Duration(2s)));
  BOOST_TEST(start_patience("500ms").error() == "MXP_PERF_MPI_START_LIMIT takes 1.00 s to 1h00m, not 500ms");
  for (const char* text : {"", "0", "-1s", "2h", "soon\a"}) {
    const auto refused = start_patience(text);
    BOOST_TEST_CONTEXT(text) {
      BOOST_REQUIRE(!refused.has_value());
      BOOST_TEST(refused.error().starts_with(kStartVariable));
      BOOST_TEST(refused.error().find('\a') == std::string::npos);
    }
  }
}

BOOST_AUTO_TEST_CASE(who_does_not_start_is_told_by_its_number) {
  BOOST_TEST(why_not_started("3", 2s).message.starts_with("rank 3: MPI has not begun after 2.00 s: "));
  BOOST_TEST(why_not_started(nullptr, 2s).message.starts_with("MPI has not begun"));
  BOOST_TEST(why_not_started("\n", 2s).message.starts_with("rank \\x0a: "));
}

BOOST_AUTO_TEST_CASE(a_rank_that_tells_twice_takes_no_other_ranks_place) {
  Arrived arrived(4);
  BOOST_TEST(arrived.take(2));
  BOOST_TEST(!arrived.take(2));
  BOOST_TEST(!arrived.take(2));
  BOOST_TEST(!arrived.all());
  BOOST_TEST(arrived.take(1));
  BOOST_TEST(!arrived.take(1));
  BOOST_TEST(!arrived.all());
  for (const int none : {-1, 0, 4, 1000}) BOOST_TEST(!arrived.take(none));
  BOOST_TEST(arrived.take(3));
  BOOST_TEST(arrived.all());
  BOOST_TEST(Arrived(1).all());
}

// Its clock says that the time is over, or two hours away, and it is told another one by rank 0.
BOOST_AUTO_TEST_CASE(a_rank_whose_clock_is_ahead_takes_the_start_that_rank_0_has_taken) {
  const std::string url = "mxp://" + std::string(43, 'A') + "@127.0.0.1:9000";
  for (const double away : {-3600.0, -1.0, 7200.0}) {
    const auto options = perf::parse_rank_options({url, "--start-at", std::to_string(perf::unix_seconds() + away)});
    BOOST_REQUIRE(options.has_value());
    BOOST_TEST(options->start_at.value() == perf::unix_seconds() + away, boost::test_tools::tolerance(1e-7));
    // Rank 0 looks at it, by its own.
    BOOST_TEST(perf::why_no_start(*options).value() ==
               "--start-at takes a time within the next hour, in seconds since 1970");
  }
  const auto soon = perf::parse_rank_options({url, "--start-at", std::to_string(perf::unix_seconds() + 600)});
  BOOST_TEST(!perf::why_no_start(soon.value()).has_value());
}

BOOST_AUTO_TEST_SUITE_END()
