// What a server of mxp-perf keeps for its clients is bounded in bytes, whatever they send.
#include "mxp-perf/accounts/held_answers.h"

#include <boost/test/unit_test.hpp>

namespace mxp::perf::test {

BOOST_AUTO_TEST_SUITE(perf_held_answers)

BOOST_AUTO_TEST_CASE(they_are_full_by_their_number_and_by_their_bytes) {
  const std::vector<std::uint8_t> small(1), large(1000);
  HeldMemory memory{.most = 100 << 20};
  HeldAnswers many(&memory);
  for (std::size_t i = 0; i != HeldAnswers::kMost; ++i) {
    BOOST_REQUIRE(!many.full(1));
    many.add(Timestamp(), i, small);
  }
  BOOST_TEST(many.full(1));

  HeldMemory little{.most = 10'000};
  HeldAnswers answers(&little);
  while (!answers.full(1)) answers.add(Timestamp(), 0, large);
  BOOST_TEST(answers.bytes() >= little.most);
  BOOST_TEST(answers.bytes() < little.most + large.size() + HeldAnswers::kOverhead);
  BOOST_TEST(little.used == answers.bytes());
  answers.pop();
  BOOST_TEST(!answers.full(1));
}

BOOST_AUTO_TEST_CASE(each_connection_keeps_to_its_share_and_all_to_the_whole) {
  const std::vector<std::uint8_t> payload(1000);
  HeldMemory memory{.most = 40'000};
  HeldAnswers first(&memory), second(&memory);
  while (!first.full(1)) first.add(Timestamp(), 0, payload);
  BOOST_TEST(second.full(2));  // nothing is left
  while (first.full(2)) first.pop();
  while (!second.full(2)) second.add(Timestamp(), 0, payload);
  BOOST_TEST(second.bytes() < memory.most / 2 + 2000);
  BOOST_TEST(memory.used == first.bytes() + second.bytes());
}

BOOST_AUTO_TEST_CASE(what_a_connection_held_is_given_back_when_it_goes) {
  HeldMemory memory{.most = 10'000};
  {
    HeldAnswers answers(&memory);
    answers.add(Timestamp(), 1, std::vector<std::uint8_t>(500));
    HeldAnswers moved(&memory);
    moved = std::move(answers);
    BOOST_TEST(moved.front().id == 1u);
    BOOST_TEST(memory.used == moved.bytes());
  }
  BOOST_TEST(memory.used == 0u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace mxp::perf::test
