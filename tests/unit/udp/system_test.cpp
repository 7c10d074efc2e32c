// The clock and the entropy of the system.
#include <algorithm>
#include <array>
#include <boost/test/unit_test.hpp>
#include <set>
#include <vector>

#include "mxp/event_loop.h"
#include "udp/clock.h"

namespace mxp {

BOOST_AUTO_TEST_SUITE(system_sources)

BOOST_AUTO_TEST_CASE(the_clock_never_goes_backwards) {
  Timestamp last = monotonic_now();
  bool backwards = false;
  for (int i = 0; i < 100'000; ++i) {
    const Timestamp now = monotonic_now();
    backwards |= now < last;
    last = now;
  }
  BOOST_TEST(!backwards);
}

BOOST_AUTO_TEST_CASE(random_bytes_fill_the_whole_buffer_and_differ_each_time) {
  std::set<std::array<std::uint8_t, 16>> seen;
  for (int i = 0; i < 1000; ++i) {
    std::array<std::uint8_t, 16> bytes{};
    system_random().fill(bytes);
    BOOST_REQUIRE(seen.insert(bytes).second);
  }
  // Larger than one request to the generator: 64 zero bytes in a row anywhere mean that a part was not filled.
  std::vector<std::uint8_t> large((1u << 20) + 4096);
  system_random().fill(large);
  std::size_t zeros = 0;
  std::size_t most_zeros = 0;
  for (const std::uint8_t byte : large) {
    zeros = byte == 0 ? zeros + 1 : 0;
    most_zeros = std::max(most_zeros, zeros);
  }
  BOOST_TEST(most_zeros < 64u);
  system_random().fill({});
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace mxp
