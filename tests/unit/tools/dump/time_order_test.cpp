// Frames in the order of their times, with no more of them held back than their lateness asks for.
#include "mxp-dump/capture/time_order.h"

#include <rapidcheck/boost_test.h>

#include <algorithm>
#include <boost/test/unit_test.hpp>

namespace mxp::dump::test {
namespace {

struct Run {
  std::vector<std::uint64_t> numbers;
  std::size_t most_held = 0;
};

std::uint64_t lateness(const std::vector<std::uint64_t>& times) {
  std::uint64_t latest = 0, late = 0;
  for (const std::uint64_t time : times) {
    latest = std::max(latest, time);
    late = std::max(late, latest - time);
  }
  return late;
}

Run ordered(const std::vector<std::uint64_t>& times) {
  Run run;
  TimeOrder order(lateness(times));
  const auto take_all = [&] {
    while (const auto frame = order.take()) run.numbers.push_back(frame->number);
  };
  for (std::size_t i = 0; i < times.size(); ++i) {
    CapturedPacket packet;
    packet.frame = i;
    packet.time_ns = times[i];
    order.add(packet);
    take_all();
    run.most_held = std::max(run.most_held, order.held());
  }
  order.end();
  take_all();
  return run;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(time_order)

RC_BOOST_PROP(is_a_stable_sort, (const std::vector<std::uint8_t>& small_times)) {
  const std::vector<std::uint64_t> times(small_times.begin(), small_times.end());
  std::vector<std::uint64_t> expected(times.size());
  for (std::size_t i = 0; i < expected.size(); ++i) expected[i] = i;
  std::stable_sort(expected.begin(), expected.end(), [&](auto a, auto b) { return times[a] < times[b]; });
  RC_ASSERT(ordered(times).numbers == expected);
}

BOOST_AUTO_TEST_CASE(a_frame_a_little_late_holds_a_few_back) {
  std::vector<std::uint64_t> times;
  for (std::uint64_t i = 0; i < 100'000; ++i) times.push_back(1000 * i);
  std::swap(times[70'000], times[70'003]);
  const Run run = ordered(times);
  BOOST_TEST(run.numbers.size() == times.size());
  BOOST_TEST(run.numbers[70'000] == 70'003u);
  BOOST_TEST(run.most_held <= 5u);
}

BOOST_AUTO_TEST_CASE(frames_in_order_are_not_held) {
  const Run run = ordered({1, 1, 2, 3, 3, 9});
  BOOST_TEST(run.most_held == 0u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace mxp::dump::test
