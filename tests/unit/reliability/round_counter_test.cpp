#include "reliability/round_counter.h"

#include <boost/test/unit_test.hpp>

using namespace mxp;
using namespace std::chrono_literals;

namespace round_counter_test {

BOOST_AUTO_TEST_SUITE(round_counter)

BOOST_AUTO_TEST_CASE(a_round_ends_with_the_first_packet_that_was_sent_after_it_began) {
  RoundCounter rounds;
  const Timestamp start(1s);
  BOOST_TEST(rounds.on_ack(start, 0, 1000, 0ms));
  BOOST_TEST(!rounds.on_ack(start + 10ms, 0, 2000, 0ms));
  BOOST_TEST(!rounds.on_ack(start + 20ms, 999, 3000, 0ms));
  BOOST_TEST(rounds.on_ack(start + 30ms, 1000, 4000, 0ms));
  BOOST_TEST(!rounds.on_ack(start + 40ms, 3999, 5000, 0ms));
  BOOST_TEST(rounds.count() == 2u);
}

BOOST_AUTO_TEST_CASE(a_packet_that_overtakes_all_others_does_not_end_it) {
  RoundCounter rounds;
  const Timestamp start(1s);
  rounds.restart(start, 1000);
  BOOST_TEST(!rounds.on_ack(start + 20ms, 1000, 2000, 40ms));
  BOOST_TEST(!rounds.on_ack(start + 35ms - 1ns, 1500, 3000, 40ms));
  BOOST_TEST(rounds.on_ack(start + 35ms, 1500, 4000, 40ms));  // seven eighths: round trips differ a little
}

BOOST_AUTO_TEST_CASE(restarting_moves_the_end) {
  RoundCounter rounds;
  const Timestamp start(1s);
  rounds.restart(start, 5000);
  BOOST_TEST(!rounds.on_ack(start + 1s, 4999, 9000, 0ms));
  rounds.restart(start + 1s, 9000);
  BOOST_TEST(!rounds.on_ack(start + 2s, 8999, 20'000, 0ms));
  BOOST_TEST(rounds.on_ack(start + 2s, 9000, 20'000, 0ms));
  BOOST_TEST(rounds.count() == 1u);
}

// A counter of 32 bits made transfers of another library crawl from there on.
BOOST_AUTO_TEST_CASE(rounds_are_counted_beyond_four_gigabytes) {
  RoundCounter rounds;
  constexpr std::uint64_t kRound = 100'000'000;  // bytes
  std::uint64_t delivered = 0;
  for (std::uint64_t i = 0; i < 200; ++i, delivered += kRound) {  // 20 GB
    const Timestamp now(1s + i * 100ms);
    BOOST_TEST_REQUIRE(rounds.on_ack(now, delivered, delivered + kRound, 50ms));
    BOOST_TEST_REQUIRE(!rounds.on_ack(now + 50ms, delivered + kRound / 2, delivered + kRound + kRound / 2, 50ms));
  }
  BOOST_TEST(rounds.count() == 200u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace round_counter_test
