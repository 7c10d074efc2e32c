#include "common/observe/recent_dumps.h"

#include <fcntl.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <string>

namespace mxp::tools {
namespace {

using namespace std::chrono_literals;

BOOST_AUTO_TEST_SUITE(recent_dumps)

BOOST_AUTO_TEST_CASE(failures_are_shown_at_a_bounded_rate_and_the_others_counted) {
  DumpRate rate;
  const DumpRate::Time start{1h};
  int shown = 0;
  for (int i = 0; i < 1000; ++i) shown += rate.admit(start + i * 100us).has_value() ? 1 : 0;
  BOOST_TEST(shown == static_cast<int>(DumpRate::kMostPerSecond));
  const auto next = rate.admit(start + 2s);
  BOOST_REQUIRE(next.has_value());
  BOOST_TEST(*next == 1000u - DumpRate::kMostPerSecond);
  BOOST_TEST(rate.admit(start + 2s).value_or(99) == 0u);
}

BOOST_AUTO_TEST_CASE(a_run_writes_whole_dumps_up_to_its_bound_and_says_what_is_missing) {
  int ends[2];
  BOOST_REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
  const UniqueFd reader(ends[0]);
  RecentDumps dumps(UniqueFd(ends[1]), 25);
  for (int i = 0; i < 5; ++i) dumps.write("ten bytes\n");
  BOOST_TEST(dumps.complaint().value_or("").find("as much as it may") != std::string::npos);
  BOOST_TEST(!dumps.complaint().has_value());
  dumps.finish();
  BOOST_TEST(dumps.complaint().value_or("").find("3 dumps were not written") != std::string::npos);
  char text[100];
  BOOST_TEST(::read(reader.get(), text, sizeof text) == 20);
}

BOOST_AUTO_TEST_CASE(nobody_waits_for_a_file_that_does_not_take_what_is_written) {
  int ends[2];
  BOOST_REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
  const UniqueFd reader(ends[0]);
  RecentDumps dumps{UniqueFd(ends[1])};
  const std::string dump(8000, 'x');
  for (int i = 0; i < 1000; ++i) dumps.write(dump);  // would never return, as nobody reads
  dumps.finish();
  BOOST_TEST(dumps.complaint().value_or("").find("no more is written") != std::string::npos);
  BOOST_TEST(dumps.complaint().value_or("").find("not written") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace mxp::tools
