// Each rule with a known answer: what is lost, how long the round trip is, and whether that is congestion.
#include "reliability/loss_judge.h"

#include <boost/test/unit_test.hpp>

using namespace mxp;
using namespace std::chrono_literals;

namespace loss_judge_test {
namespace {

constexpr std::uint64_t kSize = 1000;
constexpr Duration kPath = 80ms;
constexpr Duration kNoQueue = kPath;
constexpr Duration kQueue = kPath + kPath / 4;

struct JudgeFixture {
  LossJudge judge;

  JudgeFixture() { judge.begin_round(kPath); }
  void deliver(std::uint64_t packets, Duration round_trip) {
    judge.on_ack(packets * kSize, packets, round_trip * static_cast<Duration::rep>(packets));
  }
  void lose(std::uint64_t packets) { judge.on_loss(packets * kSize, packets); }
  // What became of `packets` in the round under way.
  void fate(std::uint64_t packets, std::uint64_t lost, Duration round_trip) {
    deliver(packets - lost, round_trip);
    lose(lost);
  }
  // A whole slow phase of one round before it and one that measures `lost` of `packets`.
  void measure(std::uint64_t packets, std::uint64_t lost, Duration round_trip = kNoQueue) {
    judge.begin_slow_phase();
    judge.begin_round(kPath);
    fate(packets, lost, round_trip);
    judge.begin_round(kPath);
  }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(loss_judge, JudgeFixture)

BOOST_AUTO_TEST_CASE(random_loss_without_a_queue_is_no_congestion) {
  fate(1000, 50, kNoQueue);
  BOOST_TEST(!judge.round_is_congested());
}

BOOST_AUTO_TEST_CASE(the_same_loss_with_a_queue_is_congestion) {
  fate(1000, 50, kQueue);
  BOOST_TEST(judge.round_is_congested());
}

BOOST_AUTO_TEST_CASE(less_than_two_percent_are_no_congestion_even_with_a_queue) {
  fate(10'000, 190, kQueue);
  BOOST_TEST(!judge.round_is_congested());
}

BOOST_AUTO_TEST_CASE(heavy_loss_needs_no_queue) {
  fate(1000, 120, kNoQueue);
  BOOST_TEST(!judge.round_is_congested());
  lose(100);  // 200 of 1100: 18 %
  BOOST_TEST(judge.round_is_congested());
}

BOOST_AUTO_TEST_CASE(queue_has_grown_beyond_an_eighth_of_the_round_trip) {
  deliver(10, 90ms);
  BOOST_TEST(!judge.queue_has_grown());
  judge.begin_round(kPath);
  deliver(10, 91ms);
  BOOST_TEST(judge.queue_has_grown());
  BOOST_TEST((judge.queue_delay() == 11ms));
}

BOOST_AUTO_TEST_CASE(half_a_millisecond_is_never_a_queue) {
  judge.begin_round(1ms);
  deliver(10, 1400us);  // more than an eighth
  BOOST_TEST(!judge.queue_has_grown());
  judge.begin_round(1ms);
  deliver(10, 1600us);
  BOOST_TEST(judge.queue_has_grown());
}

BOOST_AUTO_TEST_CASE(queue_is_judged_by_the_mean_of_the_round_and_before_it_by_that_of_the_last) {
  BOOST_TEST(!judge.round_rtt().has_value());
  deliver(9, 80ms);
  deliver(1, 180ms);  // one packet that took long is no queue
  BOOST_TEST((judge.round_rtt() == 90ms));
  BOOST_TEST(!judge.queue_has_grown());
  judge.begin_round(kPath);
  deliver(10, 120ms);
  judge.begin_round(kPath);
  BOOST_TEST((judge.round_rtt() == 120ms));
  BOOST_TEST(judge.queue_has_grown());
  deliver(1, 80ms);
  BOOST_TEST(!judge.queue_has_grown());
}

BOOST_AUTO_TEST_CASE(without_a_known_round_trip_there_is_no_queue) {
  LossJudge fresh;
  fresh.on_ack(kSize, 1, 1s);
  BOOST_TEST(!fresh.queue_has_grown());
  BOOST_TEST((fresh.queue_delay() == 0ms));
}

BOOST_AUTO_TEST_CASE(what_chance_explains_is_no_congestion) {
  // Four of a hundred both times. Of few packets that is within two standard deviations of two of a hundred.
  fate(150, 6, kQueue);
  BOOST_TEST(!judge.round_is_congested());
  judge.begin_round(kPath);
  fate(1500, 60, kQueue);
  BOOST_TEST(judge.round_is_congested());
}

BOOST_AUTO_TEST_CASE(fewer_than_six_lost_packets_are_chance_whatever_their_share) {
  fate(8, 5, kQueue);
  BOOST_TEST(!judge.round_is_congested());
  lose(1);
  BOOST_TEST(judge.round_is_congested());
  BOOST_TEST(!judge.is_congestion({.lost_packets = 6}));
}

BOOST_AUTO_TEST_CASE(a_new_round_forgets_the_losses_of_the_last) {
  fate(1000, 300, kQueue);
  BOOST_TEST(judge.round_is_congested());
  judge.begin_round(kPath);
  BOOST_TEST(judge.lost_packets() == 0u);
  BOOST_TEST(judge.delivered_packets() == 0u);
  BOOST_TEST(!judge.round_is_congested());
}

BOOST_AUTO_TEST_CASE(the_links_own_loss_is_what_a_slow_phase_loses) {
  measure(968, 100);
  // 968 packets against the 32 that stand for what was believed before: nothing.
  BOOST_TEST(judge.own_loss() == 0.1, boost::test_tools::tolerance(1e-9));
  BOOST_TEST(judge.has_measured());
  fate(1000, 110, kQueue);
  BOOST_TEST(!judge.round_is_congested());
  lose(60);  // 16 %: six more than its own
  BOOST_TEST(judge.round_is_congested());
}

BOOST_AUTO_TEST_CASE(heavy_loss_is_counted_beyond_the_links_own) {
  measure(968, 200);
  fate(1000, 300, kNoQueue);
  BOOST_TEST(!judge.round_is_congested());
  lose(150);  // 39 %: nineteen more than its own
  BOOST_TEST(judge.round_is_congested());
}

BOOST_AUTO_TEST_CASE(first_round_of_a_slow_phase_still_tells_of_the_time_before) {
  judge.begin_slow_phase();
  fate(1000, 400, kNoQueue);  // heard of now, lost before
  judge.begin_round(kPath);
  BOOST_TEST(!judge.has_measured());
  fate(968, 0, kNoQueue);
  judge.begin_round(kPath);
  BOOST_TEST(judge.has_measured());
  BOOST_TEST(judge.own_loss() == 0.0);
}

BOOST_AUTO_TEST_CASE(loss_with_a_queue_is_not_measured) {
  measure(1000, 300, kQueue);  // others may have overfilled it
  BOOST_TEST(judge.own_loss() == 0.0);
  BOOST_TEST(!judge.has_measured());  // it waits for a round without
  fate(968, 100, kNoQueue);
  judge.begin_round(kPath);
  BOOST_TEST(judge.own_loss() == 0.1, boost::test_tools::tolerance(1e-9));
}

BOOST_AUTO_TEST_CASE(a_measurement_goes_on_until_it_has_enough_packets) {
  judge.begin_slow_phase();
  judge.begin_round(kPath);
  for (int round = 0; round < 3; ++round) {
    BOOST_TEST(!judge.has_measured());
    fate(30, 3, kNoQueue);
    judge.begin_round(kPath);
  }
  BOOST_TEST(judge.has_measured());
  BOOST_TEST(judge.own_loss() == 0.1 * 90 / 122, boost::test_tools::tolerance(1e-9));
}

BOOST_AUTO_TEST_CASE(a_slow_phase_that_is_cut_short_says_what_it_has_heard) {
  judge.begin_slow_phase();
  fate(100, 50, kNoQueue);
  judge.end_slow_phase();  // in its first round: nothing
  BOOST_TEST(judge.own_loss() == 0.0);
  judge.begin_slow_phase();
  judge.begin_round(kPath);
  fate(32, 8, kNoQueue);
  judge.begin_round(kPath);
  judge.end_slow_phase();
  BOOST_TEST(judge.own_loss() == 0.25 / 2, boost::test_tools::tolerance(1e-9));
  BOOST_TEST(judge.has_measured());
}

BOOST_AUTO_TEST_CASE(loss_that_we_cause_ourselves_is_forgotten_in_a_few_slow_phases) {
  measure(1000, 200);
  for (int cycle = 0; cycle < 3; ++cycle) measure(200, 0);
  BOOST_TEST(judge.own_loss() < 0.005);
}

BOOST_AUTO_TEST_CASE(no_more_than_two_fifths_are_believed) {
  for (int cycle = 0; cycle < 5; ++cycle) measure(1000, 900);
  BOOST_TEST(judge.own_loss() <= LossJudge::kMaxOwnLoss);
  BOOST_TEST(judge.own_loss() > 0.38);
}

BOOST_AUTO_TEST_CASE(a_round_on_a_path_that_is_not_full_is_measured_by_itself) {
  fate(968, 100, kNoQueue);
  judge.measure_round();
  BOOST_TEST(judge.own_loss() == 0.1, boost::test_tools::tolerance(1e-9));
  judge.begin_round(kPath);
  fate(968, 0, kQueue);
  judge.measure_round();  // with a queue it is full
  BOOST_TEST(judge.own_loss() == 0.1, boost::test_tools::tolerance(1e-9));
}

BOOST_AUTO_TEST_CASE(late_arrivals_are_no_losses) {
  fate(20, 6, kNoQueue);
  BOOST_TEST(judge.round_is_congested());
  judge.on_late_arrival(kSize);
  BOOST_TEST(judge.lost_packets() == 5u);
  BOOST_TEST(!judge.round_is_congested());
  for (int i = 0; i < 10; ++i) judge.on_late_arrival(kSize);  // of the round before, too
  BOOST_TEST(judge.lost_packets() == 0u);
  lose(6);
  BOOST_TEST(judge.round_is_congested());
}

BOOST_AUTO_TEST_CASE(late_arrivals_lower_the_share_that_is_lost) {
  fate(100, 18, kNoQueue);
  BOOST_TEST(judge.round_is_congested());
  judge.on_late_arrival(kSize);
  BOOST_TEST(!judge.round_is_congested());
}

// Rounds of 100 packets whose means are 72 and 88 ms in turns: half of all rounds are 16 ms shorter than the last.
BOOST_AUTO_TEST_CASE(where_packets_overtake_others_a_queue_is_what_exceeds_chance) {
  for (const std::uint64_t overtaken : {0u, 2u}) {
    LossJudge fresh;
    fresh.begin_round(kPath);
    const auto round = [&](Duration mean) {
      fresh.begin_round(kPath);
      fresh.on_ack(100 * kSize, 100, 100 * mean, overtaken);
    };
    for (int i = 0; i < 40; ++i) round(i % 2 == 0 ? 88ms : 72ms);
    const bool by_chance = overtaken != 0;
    BOOST_TEST((fresh.chance() >= (by_chance ? 25ms : 0ms)));  // four times eight
    BOOST_TEST((fresh.chance() <= (by_chance ? 35ms : 0ms)));
    BOOST_TEST((*fresh.settled_rtt() >= (by_chance ? 77ms : 72ms)));  // of 72
    BOOST_TEST((*fresh.settled_rtt() <= (by_chance ? 80ms : 72ms)));
    round(100ms);
    BOOST_TEST(fresh.queue_has_grown() == !by_chance);
    BOOST_TEST((*fresh.settled_rtt() == 100ms));
    round(120ms);
    BOOST_TEST(fresh.queue_has_grown());
  }
}

BOOST_AUTO_TEST_CASE(no_more_than_half_of_the_round_trip_is_chance) {
  for (int i = 0; i < 40; ++i) {
    judge.on_ack(100 * kSize, 100, 100 * (i % 2 == 0 ? Duration(300ms) : kPath), 2);
    judge.begin_round(kPath);
  }
  BOOST_TEST((judge.chance() == kPath / 2));
}

// Up and down again, each time in a slow phase of two rounds.
BOOST_AUTO_TEST_CASE(a_queue_that_a_slow_phase_empties_is_no_chance) {
  for (int i = 0; i < 20; ++i) {
    judge.on_ack(100 * kSize, 100, 100 * Duration(160ms), 2);
    judge.begin_round(kPath);
    judge.begin_slow_phase();
    judge.on_ack(100 * kSize, 100, 100 * Duration(120ms), 2);
    judge.begin_round(kPath);
    judge.on_ack(100 * kSize, 100, 100 * kPath, 2);
    judge.begin_round(kPath);
    judge.end_slow_phase();
  }
  BOOST_TEST((judge.chance() == 0ms));
}

BOOST_AUTO_TEST_CASE(a_charge_keeps_the_queue_that_it_was_made_with) {
  fate(1000, 50, kQueue);
  LossJudge::Charge charge = judge.round_charge();
  judge.begin_round(kPath);
  deliver(1000, kNoQueue);
  BOOST_TEST(judge.is_congestion(charge));
  charge.lost -= 25 * kSize;
  charge.lost_packets -= 25;
  BOOST_TEST(!judge.is_congestion(charge));
}

// Who sends faster for a loss that is none overfills the queue, and would see that loss in it for ever.
BOOST_AUTO_TEST_CASE(less_loss_than_is_believed_is_measured_with_a_queue_too) {
  measure(968, 400);
  BOOST_TEST(judge.own_loss() > 0.38);
  judge.begin_slow_phase();
  judge.begin_round(kPath);
  fate(968, 380, kQueue);  // within chance
  judge.begin_round(kPath);
  BOOST_TEST(judge.own_loss() > 0.38);
  judge.end_slow_phase();
  measure(968, 330, kQueue);
  BOOST_TEST(judge.own_loss() < 0.35);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace loss_judge_test
