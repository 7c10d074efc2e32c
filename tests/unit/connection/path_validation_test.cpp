// Challenges that we send along a path, and answers that we owe.
#include "connection/path_validation.h"

#include <boost/test/unit_test.hpp>

#include "connection/path_responses.h"

using namespace mxp;
using namespace std::chrono_literals;

namespace path_validation_test {
namespace {

constexpr Timestamp kStart{1s};
PathData bytes(std::uint8_t n) { return {n, 1, 2, 3, 4, 5, 6, 7}; }

// Sends every challenge at its time until the end; returns when they were sent, in milliseconds from the start.
std::vector<long> run(PathValidation& validation) {
  std::vector<long> sent;
  while (validation.deadline() != kNever) {
    const Timestamp now = validation.deadline();
    if (validation.on_timeout(now)) break;
    BOOST_REQUIRE(validation.challenge_due(now));
    validation.on_challenge_sent(now, bytes(static_cast<std::uint8_t>(sent.size())));
    sent.push_back(std::chrono::duration_cast<std::chrono::milliseconds>(now - kStart).count());
  }
  return sent;
}

using Times = std::vector<long>;

}  // namespace

BOOST_AUTO_TEST_SUITE(path_validation)

BOOST_AUTO_TEST_CASE(answer_with_the_same_bytes_is_the_proof) {
  PathValidation validation(kStart, 100ms);
  BOOST_TEST(validation.challenge_due(kStart));
  BOOST_TEST(!validation.on_response(PathData{}));  // nothing was asked yet
  validation.on_challenge_sent(kStart, bytes(1));
  BOOST_TEST(!validation.challenge_due(kStart));
  BOOST_TEST(!validation.on_response(bytes(2)));
  BOOST_TEST((validation.state() == PathValidation::State::pending));
  BOOST_TEST(validation.on_response(bytes(1)));
  BOOST_TEST((validation.state() == PathValidation::State::validated));
  BOOST_TEST(!validation.on_response(bytes(1)));  // once
  BOOST_CHECK(validation.deadline() == kNever);
  BOOST_TEST(!validation.challenge_due(kStart + 10s));
  BOOST_TEST(!validation.on_timeout(kStart + 10s));
}

BOOST_AUTO_TEST_CASE(challenge_is_repeated_at_doubling_distances_and_given_up) {
  PathValidation slow(kStart, 500ms);
  BOOST_TEST(run(slow) == (Times{0, 500, 1500}), boost::test_tools::per_element());
  BOOST_TEST((slow.state() == PathValidation::State::abandoned));
  PathValidation at_end(kStart, 500ms);
  BOOST_TEST(!at_end.on_timeout(kStart + 3s - 1ns));
  BOOST_TEST(at_end.challenge_due(kStart + 3s - 1ns));
  BOOST_TEST(!at_end.challenge_due(kStart + 3s));  // it would get no answer in time
  BOOST_TEST(at_end.on_timeout(kStart + 3s));
  BOOST_TEST(!at_end.on_timeout(kStart + 4s));
}

BOOST_AUTO_TEST_CASE(fast_path_waits_a_second_for_a_slower_one) {
  PathValidation fast(kStart, 20ms);
  BOOST_TEST(run(fast) == (Times{0, 20, 60, 140, 300, 620}), boost::test_tools::per_element());
  PathValidation at_end(kStart, 20ms);
  BOOST_TEST(!at_end.on_timeout(kStart + 1s - 1ns));
  BOOST_TEST(at_end.on_timeout(kStart + 1s));
  PathValidation none(kStart, 0ms);  // a bound on their number even so
  BOOST_TEST(run(none).size() == 10u);
}

BOOST_AUTO_TEST_CASE(answers_to_the_last_three_challenges_count) {
  for (std::uint8_t answered = 0; answered < 5; ++answered) {
    PathValidation validation(kStart, 20ms);
    for (std::uint8_t n = 0; n < 5; ++n) validation.on_challenge_sent(validation.deadline(), bytes(n));
    BOOST_TEST(validation.on_response(bytes(answered)) == (answered >= 2));
  }
}

BOOST_AUTO_TEST_CASE(answer_after_the_end_comes_too_late) {
  PathValidation validation(kStart, 20ms);
  validation.on_challenge_sent(kStart, bytes(1));
  BOOST_TEST(validation.on_timeout(kStart + 1s));
  BOOST_TEST(!validation.on_response(bytes(1)));
  BOOST_TEST((validation.state() == PathValidation::State::abandoned));
}

BOOST_AUTO_TEST_CASE(late_wake_up_sends_one_challenge_and_not_those_it_missed) {
  PathValidation validation(kStart, 20ms);
  validation.on_challenge_sent(kStart, bytes(1));
  const Timestamp late = kStart + 500ms;
  BOOST_TEST(validation.challenge_due(late));
  validation.on_challenge_sent(late, bytes(2));
  BOOST_TEST(!validation.challenge_due(late));
  BOOST_CHECK(validation.deadline() == late + 40ms);
}

BOOST_AUTO_TEST_CASE(t04_newest_four_challenges_are_answered_the_newest_first) {
  PathResponses responses;
  BOOST_TEST(!responses.due());
  for (int n = 0; n < 10'000; ++n) responses.on_challenge(bytes(static_cast<std::uint8_t>(n)));
  BOOST_TEST(responses.waiting() == PathResponses::kMost);
  static_assert(sizeof(PathResponses) <= 64);
  for (int n = 9'999; n > 9'995; --n) {
    BOOST_REQUIRE(responses.due().has_value());
    BOOST_TEST((responses.due()->data == bytes(static_cast<std::uint8_t>(n))));
    BOOST_TEST((responses.due()->data == bytes(static_cast<std::uint8_t>(n))));  // asking changes nothing
    responses.on_sent();
  }
  BOOST_TEST(!responses.due());
}

BOOST_AUTO_TEST_CASE(challenge_that_came_twice_is_answered_once) {
  PathResponses responses;
  responses.on_challenge(bytes(1));
  responses.on_challenge(bytes(1));
  responses.on_sent();
  BOOST_TEST(!responses.due());
  responses.on_challenge(bytes(1));  // answered, and asked again: the answer was lost
  BOOST_TEST(responses.waiting() == 1u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace path_validation_test
