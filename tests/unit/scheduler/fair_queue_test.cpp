#include "scheduler/fair_queue.h"

#include <boost/test/unit_test.hpp>
#include <cstdint>
#include <vector>

namespace mxp::test {
namespace {

using Queue = FairQueue<4>;
constexpr std::array<std::uint32_t, 4> kWeights = {8, 4, 2, 1};

// What each queue has sent after `bytes` in pieces of these sizes, while all in `pending` always have something.
std::array<std::uint64_t, 4> shares(Queue& queue, Queue::Set pending, std::uint64_t bytes,
                                    std::array<std::uint64_t, 4> piece = {1000, 1000, 1000, 1000}) {
  std::array<std::uint64_t, 4> sent{};
  for (std::uint64_t total = 0; total < bytes;) {
    const std::size_t next = queue.next(pending);
    queue.charge(next, piece[next], pending);
    sent[next] += piece[next];
    total += piece[next];
  }
  return sent;
}

BOOST_AUTO_TEST_SUITE(fair_queue)

BOOST_AUTO_TEST_CASE(queues_share_by_weight_whatever_their_pieces_are) {
  Queue queue(kWeights, 0);
  const auto sent = shares(queue, 0b1111, 15'000'000, {100, 1000, 60'000, 7});
  for (std::size_t i = 0; i != 4; ++i)
    BOOST_TEST(static_cast<double>(sent[i]) == 1e6 * kWeights[i], boost::test_tools::tolerance(0.03));
}

BOOST_AUTO_TEST_CASE(who_was_alone_does_not_pay_for_it_later) {
  Queue queue(kWeights, 0);
  std::ignore = shares(queue, 0b1000, 100'000'000);
  const auto sent = shares(queue, 0b1100, 30'000);
  BOOST_TEST(sent[3] >= 9'000u);
}

BOOST_AUTO_TEST_CASE(who_was_idle_saves_up_no_claim) {
  Queue queue(kWeights, 0);
  std::ignore = shares(queue, 0b0100, 100'000'000);
  const auto sent = shares(queue, 0b1100, 30'000);
  BOOST_TEST(sent[2] >= 19'000u);
}

BOOST_AUTO_TEST_CASE(a_burst_of_the_first_queue_passes_all_others) {
  Queue queue(kWeights, 64'000);
  std::ignore = shares(queue, 0b1110, 1'000'000);
  const auto burst = shares(queue, 0b1111, 64'000);
  BOOST_TEST(burst[0] == 64'000u);
}

BOOST_AUTO_TEST_CASE(a_flood_of_the_first_queue_is_held_to_its_share) {
  Queue queue(kWeights, 64'000);
  const auto sent = shares(queue, 0b1111, 15'000'000);
  for (std::size_t i = 0; i != 4; ++i)
    BOOST_TEST(static_cast<double>(sent[i]) == 1e6 * kWeights[i], boost::test_tools::tolerance(0.03));
  // And it has its burst again once it has rested for as long.
  std::ignore = shares(queue, 0b1110, 1'000'000);
  BOOST_TEST(shares(queue, 0b1111, 64'000)[0] == 64'000u);
}

BOOST_AUTO_TEST_CASE(nobody_waits_longer_than_the_others_shares_take) {
  Queue queue(kWeights, 64'000);
  std::uint64_t waited = 0;
  for (int i = 0; i < 100'000; ++i) {
    const std::size_t next = queue.next(0b1001);
    queue.charge(next, 1000, 0b1001);
    waited = next == 3 ? 0 : waited + 1000;
    BOOST_TEST_REQUIRE(waited <= 64'000u + 9'000u);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace mxp::test
