// A link under a steady load recycles its buffers.
#include <boost/test/unit_test.hpp>
#include <cstdint>
#include <vector>

#include "netem/link.h"
#include "support/allocation_counter.h"

using namespace std::chrono_literals;
using namespace mxp;
using namespace mxp::netem;
using mxp::test::allocations;

BOOST_AUTO_TEST_SUITE(netem_allocation)

namespace {

// Returns what the queue dropped in a steady load that allocated nothing.
LinkCounters counters_of_steady_load(std::string_view spec) {
  Link link(*parse_link_spec(spec), {.seed = 3});
  const std::vector<std::uint8_t> bytes(1200, 1);
  Timestamp now{1h};
  const auto send = [&](int packets) {
    for (int i = 0; i < packets; ++i) {
      link.offer(bytes, now, static_cast<FlowId>(i % 4));
      while (link.take(now)) {
      }
      now += 100us;
    }
  };
  send(5'000);  // until the queue has been as long as it gets
  const std::uint64_t before = allocations();
  send(20'000);
  const std::uint64_t after = allocations();
  BOOST_TEST(before > 0u);  // the counter counts
  BOOST_TEST(after == before);
  return link.counters();
}

}  // namespace

BOOST_AUTO_TEST_CASE(steady_load_allocates_nothing) {
  const LinkCounters counters = counters_of_steady_load(
      "delay 20ms 5ms loss gemodel 1% 25% duplicate 1% corrupt 1% reorder 2% rate 200mbit limit 200");
  BOOST_TEST(counters.tail_dropped > 0u);
}

BOOST_AUTO_TEST_CASE(steady_load_of_a_managed_queue_allocates_nothing) {
  for (const std::string_view queue :
       {"delay 20ms rate 80mbit limit 50 queue codel", "delay 20ms rate 80mbit limit 50 queue red"}) {
    BOOST_TEST(counters_of_steady_load(queue).queue_dropped > 0u);
  }
}

BOOST_AUTO_TEST_SUITE_END()
