// RFC 9002: what is acknowledged, what is lost, and when.
#include <boost/test/unit_test.hpp>

#include "unit/reliability/sender.h"

using namespace mxp;
using namespace mxp::testing;
using namespace std::chrono_literals;

BOOST_AUTO_TEST_SUITE(recovery)

BOOST_AUTO_TEST_CASE(acknowledgement_settles_packets_and_samples_the_round_trip) {
  Sender sender;
  sender.send_many(at(1s), 3);
  BOOST_TEST(sender.recovery.path().bytes_in_flight() == 3600u);
  const auto settled = sender.ack(at(1050ms), {range(0, 2)}, 10ms);
  BOOST_TEST(settled.acknowledged == (Numbers{0, 1, 2}), boost::test_tools::per_element());
  BOOST_TEST(settled.lost.empty());
  BOOST_TEST((settled.rtt_sample == 50ms));
  BOOST_TEST((sender.recovery.path().rtt().smoothed() == 50ms));
  BOOST_TEST(sender.recovery.path().bytes_in_flight() == 0u);
  BOOST_TEST((sender.recovery.largest_acknowledged() == PacketNumber(2)));
  BOOST_TEST((sender.recovery.deadline() == kNever));
}

BOOST_AUTO_TEST_CASE(frames_come_back_as_they_were_given) {
  Sender sender;
  sender.recovery.on_packet_sent({.number = PacketNumber(0),
                                  .sent_at = at(1s),
                                  .frames_begin = 77,
                                  .frames_count = 5,
                                  .size_bytes = 100,
                                  .ack_eliciting = true,
                                  .in_flight = true});
  BOOST_TEST((sender.recovery.oldest_frames_begin() == 77u));
  const auto outcome = sender.recovery.on_ack(at(2s), AckOf({one(0)}));
  BOOST_TEST_REQUIRE(outcome->acknowledged.size() == 1u);
  BOOST_TEST(outcome->acknowledged[0].frames_begin == 77u);
  BOOST_TEST(outcome->acknowledged[0].frames_count == 5u);
  BOOST_TEST(!sender.recovery.oldest_frames_begin().has_value());
}

BOOST_AUTO_TEST_CASE(sample_needs_something_new_and_ack_eliciting) {  // RFC 9002 §5.1
  Sender sender;
  sender.send_many(at(1s), 4);
  BOOST_TEST(sender.ack(at(1050ms), {one(3)}).rtt_sample.has_value());
  BOOST_TEST(!sender.ack(at(1060ms), {one(3)}).rtt_sample.has_value());
  sender.send(at(2s), 50, false);
  BOOST_TEST(!sender.ack(at(2050ms), {range(3, 4)}).rtt_sample.has_value());
}

BOOST_AUTO_TEST_CASE(overtaken_packets_give_samples_of_their_own) {
  // One packet overtakes three: the largest number is always such a one, and would be all that is ever measured.
  Sender sender;
  sender.send_many(at(1s), 4);
  BOOST_TEST((sender.ack(at(1010ms), {one(3)}).rtt_sample == 10ms));
  BOOST_TEST((sender.ack(at(1040ms), {range(0, 3)}, 5ms).rtt_sample == 40ms));
  BOOST_TEST((sender.recovery.path().rtt().latest_adjusted() == 40ms));  // the reported delay is that of the largest
}

BOOST_AUTO_TEST_CASE(reported_delay_is_bounded_only_after_confirmation) {  // RFC 9002 §5.3
  for (const bool confirmed : {false, true}) {
    Sender sender;
    sender.recovery.set_peer_max_ack_delay(25ms);
    if (confirmed) sender.recovery.set_handshake_confirmed();
    sender.path.seed_rtt(at(0s), 100ms);
    sender.send(at(1s));
    sender.ack(at(1180ms), {one(0)}, 80ms);
    BOOST_TEST((sender.recovery.path().rtt().latest_adjusted() == (confirmed ? 155ms : 100ms)));
  }
}

BOOST_AUTO_TEST_CASE(handshake_round_trip_seeds_the_estimate_once) {
  Sender sender;
  sender.path.seed_rtt(at(1s), 40ms);
  BOOST_TEST((sender.recovery.path().rtt().smoothed() == 40ms));
  sender.path.seed_rtt(at(2s), 90ms);
  BOOST_TEST((sender.recovery.path().rtt().smoothed() == 40ms));
}

BOOST_AUTO_TEST_CASE(three_packets_overtaken_is_lost) {  // RFC 9002 §6.1.1
  Sender sender;
  sender.send_many(at(1s), 5);
  BOOST_TEST(sender.ack(at(1050ms), {range(1, 2)}).lost.empty());
  const auto settled = sender.ack(at(1050ms), {range(1, 3)});
  BOOST_TEST(settled.lost == Numbers{0}, boost::test_tools::per_element());
  BOOST_TEST((settled.reasons == std::vector{LossReason::reordering}));
  BOOST_TEST(sender.recovery.path().bytes_in_flight() == 1200u);
  BOOST_TEST(sender.packets_lost == 1u);
}

BOOST_AUTO_TEST_CASE(packet_overtaken_by_one_is_lost_by_time) {  // RFC 9002 §6.1.2
  Sender sender;
  sender.send(at(1s));
  sender.send(at(1s));
  BOOST_TEST(sender.ack(at(1080ms), {one(1)}).lost.empty());
  BOOST_TEST((sender.recovery.deadline() == at(1s + 90ms)));  // 9/8 × 80 ms
  BOOST_TEST(sender.deadline(at(1089ms)).lost.empty());
  const auto settled = sender.deadline(at(1090ms));
  BOOST_TEST(settled.lost == Numbers{0}, boost::test_tools::per_element());
  BOOST_TEST((settled.reasons == std::vector{LossReason::time}));
  BOOST_TEST(sender.recovery.pto_count() == 0u);
  BOOST_TEST((sender.recovery.deadline() == kNever));
}

BOOST_AUTO_TEST_CASE(time_threshold_is_never_below_the_granularity) {
  Sender sender;
  sender.send(at(1s));
  sender.send(at(1s));
  sender.ack(at(1s + 100us), {one(1)});
  BOOST_TEST((sender.recovery.deadline() == at(1s + 1ms)));
}

BOOST_AUTO_TEST_CASE(silence_is_probed_with_two_packets_at_doubling_distances) {  // RFC 9002 §6.2
  Sender sender;
  sender.path.seed_rtt(at(0s), 100ms);  // PTO: 100 + 4 × 50 + 25
  BOOST_TEST((sender.recovery.probe_timeout() == 325ms));
  sender.send(at(1s));
  Timestamp due = at(1s) + 325ms;
  for (unsigned timeout = 1; timeout <= 4; ++timeout) {
    BOOST_TEST((sender.recovery.deadline() == due));
    const auto settled = sender.deadline(due);
    BOOST_TEST(settled.lost.empty());
    BOOST_TEST(sender.recovery.pto_count() == timeout);
    BOOST_TEST(sender.recovery.probes_due() == 2u);
    sender.send(due, 1200, true, true);
    sender.send(due, 1200, true, true);
    BOOST_TEST(sender.recovery.probes_due() == 0u);
    due += 325ms * (1 << timeout);
  }
  BOOST_TEST(sender.probe_timeouts == 4u);
  sender.ack(due, {range(0, 8)});
  BOOST_TEST(sender.recovery.pto_count() == 0u);
}

BOOST_AUTO_TEST_CASE(acknowledgement_cancels_probes_that_have_not_gone) {
  Sender sender;
  sender.send_many(at(1s), 2);
  sender.deadline(sender.recovery.deadline());
  BOOST_TEST(sender.recovery.probes_due() == 2u);
  sender.ack(at(3s), {one(0)});
  BOOST_TEST(sender.recovery.probes_due() == 0u);
}

BOOST_AUTO_TEST_CASE(probes_find_the_oldest_packets) {
  Sender sender;
  sender.send(at(1s), 50, false);
  sender.send_many(at(1s), 3);
  sender.ack(at(1050ms), {one(2)});
  Numbers all;
  sender.recovery.for_each_unacknowledged([&](const SentPacket& packet) {
    all.push_back(packet.number.value());
    return true;
  });
  BOOST_TEST(all == (Numbers{1, 3}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(acknowledgements_only_arm_no_timer_and_fill_no_window) {
  Sender sender;
  for (int i = 0; i < 1000; ++i) sender.send(at(1s), 40, false);
  BOOST_TEST((sender.recovery.deadline() == kNever));
  BOOST_TEST(sender.recovery.path().bytes_in_flight() == 0u);
}

BOOST_AUTO_TEST_CASE(lost_acknowledgements_do_not_cut_the_window) {
  Sender sender;
  sender.send(at(1s), 40, false);
  sender.send_many(at(1s), 4);
  const auto window = sender.recovery.path().congestion_window();
  const auto settled = sender.ack(at(1050ms), {range(1, 4)});
  BOOST_TEST(settled.lost == Numbers{0}, boost::test_tools::per_element());
  BOOST_TEST(sender.recovery.path().congestion_window() >= window);
  BOOST_TEST(sender.packets_lost == 0u);
}

BOOST_AUTO_TEST_CASE(late_packet_is_counted_widens_the_threshold_and_takes_the_cut_back) {
  Sender sender;
  sender.send_many(at(1s), 10);
  const auto window = sender.recovery.path().congestion_window();
  BOOST_TEST(sender.ack(at(1050ms), {range(1, 5)}).lost == Numbers{0}, boost::test_tools::per_element());
  BOOST_TEST(sender.recovery.path().congestion_window() < window);
  const auto settled = sender.ack(at(1051ms), {range(0, 6)});
  BOOST_TEST(settled.spurious == 1u);
  BOOST_TEST(settled.acknowledged == Numbers{6}, boost::test_tools::per_element());
  BOOST_TEST(sender.recovery.path().congestion_window() >= window);
  BOOST_TEST(sender.packets_spuriously_lost == 1u);
  // Six behind was late, not lost: the next one that far behind is given its time.
  sender.send_many(at(2s), 10);
  BOOST_TEST(sender.ack(at(2050ms), {range(11, 16), range(0, 9)}).lost.empty());
  BOOST_TEST(sender.ack(at(2050ms), {range(11, 17), range(0, 9)}).lost == Numbers{10},
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(cut_stays_when_one_of_its_losses_was_real) {
  Sender sender;
  sender.send_many(at(1s), 10);
  BOOST_TEST(sender.ack(at(1050ms), {range(2, 5)}).lost.size() == 2u);
  const auto cut = sender.recovery.path().congestion_window();
  sender.ack(at(1051ms), {range(1, 5)});
  BOOST_TEST(sender.packets_spuriously_lost == 1u);
  BOOST_TEST(sender.recovery.path().congestion_window() == cut);
}

BOOST_AUTO_TEST_CASE(late_packet_of_an_earlier_episode_does_not_take_back_the_next_cut) {
  Sender sender;
  sender.send_many(at(1s), 10);
  BOOST_TEST(sender.ack(at(1050ms), {range(1, 5)}).lost == Numbers{0}, boost::test_tools::per_element());
  // Sent after the first cut and lost: a second episode, of one packet as well.
  sender.send_many(at(1060ms), 10);
  BOOST_TEST(sender.ack(at(1110ms), {range(11, 15), range(1, 9)}).lost == Numbers{10},
             boost::test_tools::per_element());
  const auto cut = sender.recovery.path().congestion_window();
  BOOST_TEST(sender.ack(at(1111ms), {range(11, 15), range(0, 9)}).spurious == 1u);
  BOOST_TEST(sender.recovery.path().congestion_window() == cut);
  // Its own one does.
  BOOST_TEST(sender.ack(at(1112ms), {range(0, 15)}).spurious == 1u);
  BOOST_TEST(sender.recovery.path().congestion_window() > cut);
}

BOOST_AUTO_TEST_CASE(long_silence_is_persistent_congestion) {  // RFC 9002 §7.6
  Sender sender;
  sender.path.seed_rtt(at(0s), 100ms);  // three PTO: 975 ms
  for (const auto offset : {1000ms, 1200ms, 1976ms}) sender.send(at(offset));
  sender.send(at(3s));
  const auto settled = sender.ack(at(3100ms), {one(3)});
  BOOST_TEST(settled.lost.size() == 3u);
  BOOST_TEST(settled.persistent_congestion);
  BOOST_TEST(sender.recovery.path().congestion_window() <= 3600u);  // the minimum, and what the ACK added in slow start
  BOOST_TEST(sender.persistent_congestion_count == 1u);
}

BOOST_AUTO_TEST_CASE(persistent_congestion_needs_the_time_the_sample_and_no_delivery_in_between) {
  struct Case {
    const char* name;
    bool seeded;
    Duration third;  // the third packet is sent at 1 s + this
    bool second_arrives;
  };
  for (const Case& it : {Case{"too short", true, 700ms, false}, Case{"no sample before", false, 3s, false},
                         Case{"one in between arrived", true, 1500ms, true}}) {
    BOOST_TEST_CONTEXT(it.name) {
      Sender sender;
      if (it.seeded) sender.path.seed_rtt(at(0s), 100ms);
      sender.send(at(1s));
      sender.send(at(1s) + it.third / 2);
      sender.send(at(1s) + it.third);
      sender.send(at(10s));
      const auto settled =
          it.second_arrives ? sender.ack(at(10100ms), {one(3), one(1)}) : sender.ack(at(10100ms), {one(3)});
      BOOST_TEST(settled.lost.size() == (it.second_arrives ? 2u : 3u));
      BOOST_TEST(!settled.persistent_congestion);
    }
  }
}

BOOST_AUTO_TEST_CASE(clock_that_jumps_gives_no_sample_and_stalls_nothing) {  // threat t42
  Sender sender;
  sender.path.seed_rtt(at(0s), 50ms);
  sender.send_many(at(10s), 2);
  const auto back = sender.ack(at(9s), {one(0)});  // one second back
  BOOST_TEST(!back.rtt_sample.has_value());
  BOOST_TEST((sender.recovery.path().rtt().smoothed() == 50ms));
  sender.send(at(9s));
  BOOST_TEST((sender.recovery.deadline() <= at(9s) + sender.recovery.probe_timeout()));
  // A day ahead: one timeout, not one for each doubling.
  sender.deadline(at(24h));
  BOOST_TEST(sender.recovery.pto_count() == 1u);
  BOOST_TEST((sender.recovery.deadline() > at(24h)));
  BOOST_TEST(sender.ack(at(24h), {range(0, 2)}).acknowledged.size() == 2u);
}

BOOST_AUTO_TEST_CASE(peer_that_never_acknowledges_one_packet_cannot_make_the_memory_grow) {  // threat t03
  Sender sender;
  sender.send(at(1s));
  for (std::uint64_t i = 0; i < SentPackets::kMaxSpan; ++i) sender.send(at(1s), 40, false);
  BOOST_TEST((sender.recovery.deadline() <= at(1s)));
  const auto settled = sender.deadline(at(1s));
  BOOST_TEST(settled.lost == Numbers{0}, boost::test_tools::per_element());
  BOOST_TEST(sender.recovery.path().bytes_in_flight() == 0u);
  BOOST_TEST((sender.recovery.deadline() == kNever));
}

BOOST_AUTO_TEST_CASE(a_round_trip_of_the_handshake_widens_the_first_window_of_bbr_alone) {
  for (const CongestionControl algorithm : {CongestionControl::bbr, CongestionControl::cubic}) {
    RecoveryConfig config;
    config.congestion_control = algorithm;
    PathControl path(PathId::first, config, 1200);
    BOOST_TEST(path.congestion_window() == 12'000u);
    path.seed_rtt(at(0s), 50ms);
    BOOST_TEST(path.congestion_window() == (algorithm == CongestionControl::bbr ? 38'400u : 12'000u));
  }
}

BOOST_AUTO_TEST_SUITE_END()
