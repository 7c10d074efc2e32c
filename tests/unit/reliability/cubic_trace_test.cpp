// CUBIC as it has always been: its window at fixed times on fixed paths. Work on Recovery, on the pacer or on the
// interface of the controllers must not move a byte of it; who changes the algorithm on purpose writes new numbers
// here.
#include <boost/test/unit_test.hpp>
#include <vector>

#include "unit/reliability/bulk_flow.h"

using namespace mxp;
using namespace mxp::testing;
using namespace std::chrono_literals;

namespace cubic_trace_test {
namespace {

// The window in bytes after each second.
std::vector<std::uint64_t> trace(const BulkPath& path, unsigned seconds) {
  RecoveryConfig config;
  config.congestion_control = CongestionControl::cubic;
  BulkFlow flow(path, config);
  std::vector<std::uint64_t> windows;
  for (unsigned second = 0; second < seconds; ++second) {
    flow.run(1s);
    windows.push_back(flow.recovery().path().congestion_window());
  }
  return windows;
}

constexpr auto k20Mbit = ByteRate::bits_per_second(20'000'000);
using Windows = std::vector<std::uint64_t>;

}  // namespace

BOOST_AUTO_TEST_SUITE(cubic_trace)

BOOST_AUTO_TEST_CASE(with_a_queue_of_one_bandwidth_delay_product) {
  const Windows expected = {186461, 141018, 158244, 167383, 170752, 179516, 188184, 196430, 152153, 177286};
  BOOST_TEST(trace({.rate = k20Mbit, .round_trip = 40ms, .queue_bytes = 100'000}, 10) == expected,
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(with_one_packet_in_five_hundred_lost) {
  const Windows expected = {91035, 54782, 35271, 34197, 34286, 33988, 33675, 34030, 34186, 34018};
  BOOST_TEST(trace({.rate = k20Mbit, .round_trip = 40ms, .queue_bytes = 100'000, .lose_every = 500}, 10) == expected,
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(with_packets_that_are_overtaken) {
  const Windows expected = {297289, 232196, 249047, 257542, 260545, 260920, 261552, 265344, 275116, 293785};
  BOOST_TEST(trace({.rate = k20Mbit, .round_trip = 40ms, .queue_bytes = 200'000, .delay_every = 50, .extra = 5ms},
                   10) == expected,
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace cubic_trace_test
