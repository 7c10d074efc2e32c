// The parts of `mxp-dump why` and its judges, on stories made by hand. Whole captures: tests/diagnosis.
#include <boost/test/unit_test.hpp>
#include <vector>

#include "mxp-dump/analysis/judges.h"

namespace mxp::dump::test {
namespace {

constexpr std::int64_t kMs = 1'000'000;

std::vector<std::string_view> ids(const Findings& findings) {
  std::vector<std::string_view> result;
  for (const Finding& finding : findings) result.push_back(finding.id);
  return result;
}

// All up to this number.
AckFrame ack(std::uint64_t largest) {
  AckFrame frame;
  frame.largest = PacketNumber(largest);
  frame.ranges = AckRanges({PacketNumber(0), PacketNumber(largest)}, {}, 0);
  return frame;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(analysis)

BOOST_AUTO_TEST_CASE(losses_that_know_nothing_of_each_other_are_not_bursty) {
  LossPattern alone, runs;
  for (int i = 0; i < 100; ++i) {
    alone.delivered(50);
    alone.lost(1);
    runs.delivered(200);
    for (int j = 0; j < 4; ++j) runs.lost(1);
  }
  BOOST_TEST(!alone.bursty());
  BOOST_TEST(runs.bursty());
  BOOST_TEST(runs.mean_run() == 4.0);
  BOOST_TEST(runs.to_good() == 0.25);
  BOOST_TEST(alone.evidence().frames().size() == 1u);
}

BOOST_AUTO_TEST_CASE(a_history_keeps_its_sums_when_its_slots_become_wider) {
  History history;
  for (std::int64_t at = 0; at < 100'000; at += 10) history.at(at * kMs).sent_bytes += 1;
  std::uint64_t sum = 0;
  for (const Slot& slot : history.slots()) sum += slot.sent_bytes;
  BOOST_TEST(sum == 10'000u);
  BOOST_TEST(history.slots().size() <= History::kMaxSlots);
}

BOOST_AUTO_TEST_CASE(a_number_that_is_acknowledged_and_not_captured_is_a_hole_of_the_capture) {
  using Continuity = NumberGaps::Continuity;
  NumberGaps gaps;
  gaps.captured(0, 1, Continuity::unknown);
  gaps.captured(3, 2, Continuity::data_missing);  // 1 and 2 are missing
  gaps.captured(5, 3, Continuity::goes_on);       // 4 was left out
  gaps.captured(7, 4, Continuity::unknown);       // 6: nobody knows
  BOOST_TEST(!gaps.is_new(5));
  BOOST_TEST(gaps.is_new(6));
  gaps.acknowledged(ack(1));
  gaps.finish();
  BOOST_TEST(gaps.not_captured() == 1u);
  BOOST_TEST(gaps.lost_before().lost_packets() == 1u);
  BOOST_TEST(gaps.single_unknown() == 1u);
}

BOOST_AUTO_TEST_CASE(what_an_ack_does_not_name_is_not_judged_before_three_later_ones_are) {
  Flight flight;
  std::uint64_t delivered = 0, lost = 0;
  const Flight::Settled settled = [&](const SentPacket&, Flight::Fate fate) {
    if (fate == Flight::Fate::delivered) ++delivered;
    if (fate == Flight::Fate::lost) ++lost;
  };
  for (std::uint64_t number = 0; number < 4; ++number)
    BOOST_TEST(flight.sent({.number = number, .size = 100, .eliciting = true}, settled));
  BOOST_TEST(!flight.sent({.number = 2}, settled));
  BOOST_TEST(flight.bytes() == 400u);
  BOOST_TEST(flight.acknowledged(ack(3), settled).newly_acknowledged.size() == 4u);
  BOOST_TEST(flight.bytes() == 0u);
  BOOST_TEST(delivered == 4u);
  BOOST_TEST(lost == 0u);
}

BOOST_AUTO_TEST_CASE(an_empty_story_has_no_findings) {
  Story story;
  story.finish();
  BOOST_TEST(judge(story, {}).empty());
}

BOOST_AUTO_TEST_CASE(a_server_that_answers_others_makes_a_wrong_key_likely_and_its_mac_certain) {
  Story story;
  story.packets = story.handshake.initials = 4;
  story.handshake.first_initial_ns = 0;
  story.handshake.last_initial_ns = 2000 * kMs;
  Surroundings around;
  around.capture_end_ns = 5000 * kMs;
  BOOST_TEST(ids(judge(story, around)).front() == "handshake-unanswered");
  around.server_answers_others = true;
  BOOST_TEST(ids(judge(story, around)).front() == "handshake-wrong-key");
  around.mac = Surroundings::Mac::fits;
  BOOST_TEST(ids(judge(story, around)).front() == "handshake-unanswered");
  around.mac = Surroundings::Mac::does_not_fit;
  BOOST_TEST(judge(story, around).front().confidence > 0.9);
}

BOOST_AUTO_TEST_CASE(a_client_that_asks_again_has_not_seen_the_answer_and_one_that_is_silent_was_refused) {
  Story story;
  HandshakeStory& handshake = story.handshake;
  story.packets = 2;
  handshake.initials = handshake.responses = 1;
  handshake.first_initial_ns = handshake.last_initial_ns = 0;
  handshake.first_response_ns = handshake.last_response_ns = 10 * kMs;
  Surroundings around;
  around.capture_end_ns = 1000 * kMs;
  BOOST_TEST(ids(judge(story, around)).front() == "handshake-refused");
  handshake.initials = 3;
  handshake.initials_after_response = 2;
  BOOST_TEST(ids(judge(story, around)).front() == "handshake-answer-lost");
}

BOOST_AUTO_TEST_CASE(codes_of_closing_are_told_apart) {
  Story story;
  story.close.first = CloseStory::Close{.frame = 9, .application = true, .code = 0};
  BOOST_TEST(judge(story, {}).empty());
  story.close.first->code = 3;
  BOOST_TEST(ids(judge(story, {})).front() == "closed-by-application");
  story.close.first->application = false;
  BOOST_TEST(ids(judge(story, {})).front() == "closed-by-transport");
}

BOOST_AUTO_TEST_CASE(credit_is_waited_for_until_something_is_sent_under_a_higher_limit) {
  Credit credit;
  credit.from_sender(StreamDataBlockedFrame{StreamId(4), 1000}, 10 * kMs, 5);
  credit.from_sender(StreamDataBlockedFrame{StreamId(4), 1000}, 20 * kMs, 6);  // said again
  BOOST_TEST(credit.waiting());
  credit.from_receiver(MaxStreamDataFrame{StreamId(4), 1000}, 30 * kMs);  // no higher
  credit.from_receiver(MaxStreamDataFrame{StreamId(4), 5000}, 110 * kMs);
  const std::uint8_t byte = 1;
  credit.from_sender(StreamFrame{StreamId(4), 1000, ByteView(&byte, 1), false}, 150 * kMs, 9);
  BOOST_TEST(!credit.waiting());
  const Credit::Waits& waits = credit.waits(Credit::Kind::stream);
  BOOST_TEST(waits.count == 1u);
  BOOST_TEST(waits.total_ns == 140 * kMs);
  BOOST_TEST(waits.grant_ns == 100 * kMs);
}

BOOST_AUTO_TEST_CASE(the_account_of_time_puts_each_span_to_one_limit) {
  History history;
  RoundTrip round_trip;
  TimeAccount account;
  account.event(0, {}, history);
  account.event(10 * kMs, {.confirmed = true}, history);                                               // start-up
  account.event(30 * kMs, {.confirmed = true, .waits_for_credit = true, .in_flight = true}, history);  // idle
  account.event(70 * kMs, {.confirmed = true, .in_flight = true, .recovering = true}, history);        // credit
  account.event(150 * kMs, {.confirmed = true, .in_flight = true}, history);                           // recovery
  account.event(155 * kMs, {.confirmed = true}, history);                                              // busy
  const TimeAccount::Sums sums = account.sums({.history = &history, .round_trip = &round_trip});
  BOOST_TEST(sums.total() == 155 * kMs);
  BOOST_TEST(sums.ns[static_cast<std::size_t>(Limit::start_up)] == 10 * kMs);
  BOOST_TEST(sums.ns[static_cast<std::size_t>(Limit::application)] == 20 * kMs);
  BOOST_TEST(sums.ns[static_cast<std::size_t>(Limit::receiver_window)] == 40 * kMs);
  BOOST_TEST(sums.ns[static_cast<std::size_t>(Limit::recovery)] == 80 * kMs);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace mxp::dump::test
