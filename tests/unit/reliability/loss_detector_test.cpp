// RFC 9002 §6.1, and where we go beyond it: paths on which packets overtake each other. Transfers with losses are in
// recovery_test.cpp.
#include "reliability/loss_detector.h"

#include <boost/test/unit_test.hpp>
#include <vector>

using namespace mxp;
using namespace std::chrono_literals;

namespace loss_detector_test {

using Numbers = std::vector<std::uint64_t>;

namespace {

struct DetectorFixture {
  LossDetector detector;
  SentPackets packets;
  RttEstimator rtt{100ms};
  std::vector<LostPacket> lost;

  // Smoothed 80 ms, variation 0 from here on.
  DetectorFixture() {
    for (int i = 0; i < 200; ++i) rtt.on_sample(Timestamp(1s), 80ms, 0ms);
  }
  void send(std::uint64_t number, Timestamp when) {
    packets.add({.number = PacketNumber(number),
                 .sent_at = when,
                 .size_bytes = 1200,
                 .ack_eliciting = true,
                 .in_flight = true});
  }
  void send_many(std::uint64_t first, std::uint64_t last, Timestamp when, Duration apart = {}) {
    for (std::uint64_t number = first; number <= last; ++number)
      send(number, when + static_cast<Duration::rep>(number - first) * apart);
  }
  void arrive(std::uint64_t first, std::uint64_t last) {
    packets.acknowledge(first, last, [](const SentPacket&) {}, [](const SentPackets::Late&) {});
  }
  Numbers detect(Timestamp now, std::uint64_t largest) {
    lost.clear();
    detector.detect(packets, now, largest, rtt, lost);
    Numbers numbers;
    for (const LostPacket& it : lost) {
      numbers.push_back(it.packet.number.value());
      packets.mark_lost(it.packet.number.value(), it.reason, 1);
    }
    return numbers;
  }
};

const Timestamp kStart(10s);

}  // namespace

BOOST_FIXTURE_TEST_SUITE(loss_detector, DetectorFixture)

BOOST_AUTO_TEST_CASE(all_that_are_lost_are_found_at_once_oldest_first) {
  send_many(0, 9, kStart, 10ms);
  arrive(3, 3);
  arrive(6, 6);
  arrive(9, 9);
  // 0, 1, 2, 4, 5 are three or more behind; 7 was sent 70 ms after 0, so that 90 ms have passed for nobody else.
  BOOST_TEST(detect(kStart + 95ms, 9) == (Numbers{0, 1, 2, 4, 5}), boost::test_tools::per_element());
  for (const LostPacket& it : lost) BOOST_TEST((it.reason == LossReason::reordering));
  BOOST_TEST((detector.loss_time() == kStart + 70ms + 90ms));
  BOOST_TEST(detect(kStart + 160ms, 9) == Numbers{7}, boost::test_tools::per_element());
  BOOST_TEST((lost[0].reason == LossReason::time));
  BOOST_TEST((detector.loss_time() == kStart + 80ms + 90ms));
}

BOOST_AUTO_TEST_CASE(distance_and_time_find_each_their_own_in_one_go) {
  send_many(0, 4, kStart);
  arrive(4, 4);
  BOOST_TEST(detect(kStart + 90ms, 4) == (Numbers{0, 1, 2, 3}), boost::test_tools::per_element());
  BOOST_TEST((lost[1].reason == LossReason::reordering));
  BOOST_TEST((lost[2].reason == LossReason::time));
  BOOST_TEST(!detector.loss_time().has_value());
}

BOOST_AUTO_TEST_CASE(a_late_packet_widens_the_distance_up_to_its_own) {
  detector.on_late_arrival(LossReason::reordering, 20, 85ms);
  send_many(0, 40, kStart);
  arrive(40, 40);
  BOOST_TEST(detect(kStart, 40).size() == 20u);               // 0 to 19 are 21 and more behind
  detector.on_late_arrival(LossReason::reordering, 5, 85ms);  // never narrows it
  send_many(41, 100, kStart);
  arrive(100, 100);
  BOOST_TEST(detect(kStart, 100).back() == 79u);
}

BOOST_AUTO_TEST_CASE(distance_has_a_cap) {
  detector.on_late_arrival(LossReason::reordering, 1u << 20, 85ms);
  send_many(0, LossDetector::kMaxPacketThreshold, kStart);
  arrive(LossDetector::kMaxPacketThreshold, LossDetector::kMaxPacketThreshold);
  BOOST_TEST(detect(kStart, LossDetector::kMaxPacketThreshold) == Numbers{0}, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_packet_lost_by_time_that_arrives_gives_its_like_an_eighth_more) {
  BOOST_TEST((detector.delay(rtt) == 90ms));
  detector.on_late_arrival(LossReason::time, 1, 60ms);  // it took no longer than others
  BOOST_TEST((detector.delay(rtt) == 100ms));
  for (int i = 0; i < 20; ++i) detector.on_late_arrival(LossReason::time, 1, 60ms);
  BOOST_TEST((detector.delay(rtt) == 160ms));  // two round trips at most
}

BOOST_AUTO_TEST_CASE(what_once_took_longer_is_waited_for) {
  // Only those that overtake give samples: 20 ms, while the others take 75.
  RttEstimator fast(20ms);
  for (int i = 0; i < 3; ++i) fast.on_sample(Timestamp(1s), 20ms, 0ms);
  const Duration variation = fast.variation();
  BOOST_TEST((variation > 4ms));
  detector.on_late_arrival(LossReason::time, 1, 75ms);
  // An eighth more than it took, but no more than two probe timeouts.
  const Duration most = 2 * (20ms + 4 * variation);
  BOOST_TEST((detector.delay(fast) == std::min(Duration(75ms) * 9 / 8, most)));
  detector.on_late_arrival(LossReason::time, 1, 10s);
  BOOST_TEST((detector.delay(fast) == most));
}

BOOST_AUTO_TEST_CASE(sixteen_episodes_without_late_arrivals_bring_the_specification_back) {
  detector.on_late_arrival(LossReason::reordering, 50, 85ms);
  detector.on_late_arrival(LossReason::time, 1, 85ms);
  for (int i = 1; i < 16; ++i) detector.on_episode(false);
  BOOST_TEST((detector.delay(rtt) == 100ms));
  detector.on_episode(false);
  BOOST_TEST((detector.delay(rtt) == 90ms));
  send_many(0, 3, kStart);
  arrive(3, 3);
  BOOST_TEST(detect(kStart, 3) == Numbers{0}, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(reordering_that_is_seen_keeps_what_was_learnt) {
  detector.on_late_arrival(LossReason::time, 1, 85ms);
  for (int i = 0; i < 64; ++i) {
    detector.on_reordering(LossDetector::kPacketThreshold);  // overtaken, and waited for long enough
    detector.on_episode(false);
  }
  BOOST_TEST((detector.delay(rtt) == 100ms));
  // Overtaken by fewer than the specification waits for: that keeps nothing.
  for (int i = 0; i < 16; ++i) {
    detector.on_reordering(LossDetector::kPacketThreshold - 1);
    detector.on_episode(false);
  }
  BOOST_TEST((detector.delay(rtt) == 90ms));
}

BOOST_AUTO_TEST_CASE(late_arrivals_keep_what_was_learnt) {
  detector.on_late_arrival(LossReason::time, 1, 85ms);
  for (int i = 0; i < 64; ++i) detector.on_episode(i % 8 == 0);
  BOOST_TEST((detector.delay(rtt) == 100ms));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace loss_detector_test
