// The ages of messages come from stamps that the peer wrote: only what a clock can have said is counted.
#include "mxp-perf/workloads/message_meter.h"

#include <array>
#include <boost/test/unit_test.hpp>
#include <limits>

namespace mxp::perf::test {

namespace {

std::optional<HdrHistogram> latencies_of(Timestamp now, std::int64_t stamp) {
  MessageMeter meter(Duration::zero(), std::chrono::seconds(1));
  std::array<std::uint8_t, kStampSize> payload{};
  write_stamp(payload, now);
  meter.on_message(now, payload);  // starts the clock
  write_stamp(payload, Timestamp(Duration(stamp)));
  meter.on_message(now, payload);
  return meter.report().latencies;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(perf_message_meter)

BOOST_AUTO_TEST_CASE(a_stamp_that_no_clock_said_is_no_age) {
  const Timestamp now(std::chrono::hours(100));
  const std::int64_t at = now.time_since_epoch().count();
  const auto before = latencies_of(now, at);
  const std::uint64_t other = before ? before->count() - 1 : 0;
  for (const std::int64_t stamp : {std::numeric_limits<std::int64_t>::min(), std::numeric_limits<std::int64_t>::max(),
                                   std::int64_t{-1}, at + 1, at - kMaxDuration.count()}) {
    BOOST_TEST_CONTEXT("stamp " << stamp) {
      const auto latencies = latencies_of(now, stamp);
      BOOST_TEST((latencies ? latencies->count() : 0) == other);
    }
  }
}

BOOST_AUTO_TEST_CASE(a_stamp_of_this_machine_is_its_age) {
  const Timestamp now(std::chrono::hours(100));
  const auto latencies = latencies_of(now, now.time_since_epoch().count() - 1'000'000);
  BOOST_REQUIRE(latencies.has_value());
  BOOST_TEST(latencies->max() >= 990'000u);
  BOOST_TEST(latencies->max() <= 1'010'000u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace mxp::perf::test
