// docs/protocol.md §6, RFC 9000 §13.2.
#include "reliability/ack_tracker.h"

#include <boost/test/unit_test.hpp>
#include <vector>

using namespace mxp;
using namespace std::chrono_literals;

namespace {

struct Fixture {
  AckTracker tracker{25ms};
  Timestamp now{1s};
  void receive(std::uint64_t number, bool eliciting = true, Ecn ecn = Ecn::not_ect) {
    tracker.on_packet_received(now, PacketNumber(number), eliciting, ecn);
  }
  static AckFrequencyFrame request(std::uint64_t sequence, std::uint64_t threshold, Duration max_ack_delay,
                                   std::uint64_t reordering_threshold = 1) {
    return {sequence, threshold, max_ack_delay, reordering_threshold};
  }
  std::vector<std::pair<std::uint64_t, std::uint64_t>> ranges() const {
    std::vector<std::pair<std::uint64_t, std::uint64_t>> result;
    for (const AckRange& it : tracker.ranges()) result.emplace_back(it.first.value(), it.last.value());
    return result;
  }
};

// Packet numbers and times since the epoch, in milliseconds.
std::vector<std::pair<std::uint64_t, long>> times_of(const AckTracker& tracker) {
  std::vector<std::pair<std::uint64_t, long>> times;
  for (const ReceiveTime& it : tracker.receive_times()) times.emplace_back(it.number.value(), it.at / 1ms);
  return times;
}
using Times = std::vector<std::pair<std::uint64_t, long>>;

using Ranges = std::vector<std::pair<std::uint64_t, std::uint64_t>>;

}  // namespace

BOOST_FIXTURE_TEST_SUITE(ack_tracker, Fixture)

BOOST_AUTO_TEST_CASE(nothing_received_means_nothing_to_say) {
  BOOST_TEST(!tracker.has_something_new());
  BOOST_TEST(!tracker.ack_due(now));
  BOOST_TEST((tracker.deadline() == kNever));
  BOOST_TEST(tracker.ranges().empty());
  BOOST_TEST((tracker.delay(now) == 0ns));
}

BOOST_AUTO_TEST_CASE(single_packet_waits_for_the_delay) {
  receive(0);
  BOOST_TEST(tracker.has_something_new());
  BOOST_TEST(!tracker.ack_due(now + 24ms));
  BOOST_TEST((tracker.deadline() == now + 25ms));
  BOOST_TEST(tracker.ack_due(now + 25ms));
  BOOST_TEST((tracker.delay(now + 7ms) == 7ms));
  BOOST_TEST((tracker.delay(now - 7ms) == 0ms));
  tracker.on_ack_sent(now + 25ms);
  BOOST_TEST(!tracker.ack_due(now + 10s));
  BOOST_TEST(!tracker.has_something_new());
  BOOST_TEST(tracker.ranges().size() == 1u);
}

BOOST_AUTO_TEST_CASE(every_second_of_the_first_hundred_then_every_tenth) {
  std::vector<std::uint64_t> acknowledged_at;
  for (std::uint64_t number = 0; number < 150; ++number) {
    receive(number);
    if (!tracker.ack_due(now)) continue;
    acknowledged_at.push_back(number);
    tracker.on_ack_sent(now);
  }
  BOOST_TEST_REQUIRE(acknowledged_at.size() == 55u);
  for (std::size_t i = 0; i < 50; ++i) BOOST_TEST(acknowledged_at[i] == 2 * i + 1);
  for (std::size_t i = 0; i < 5; ++i) BOOST_TEST(acknowledged_at[50 + i] == 109 + 10 * i);
}

BOOST_AUTO_TEST_CASE(gap_and_its_closing_are_told_at_once) {
  receive(0);
  tracker.on_ack_sent(now);
  receive(2);
  BOOST_TEST(tracker.ack_due(now));
  BOOST_TEST(ranges() == (Ranges{{2, 2}, {0, 0}}));
  tracker.on_ack_sent(now);
  receive(3);  // the gap is known already
  BOOST_TEST(!tracker.ack_due(now));
  receive(1);
  BOOST_TEST(tracker.ack_due(now));
  BOOST_TEST((tracker.deadline() <= now));
  BOOST_TEST(ranges() == (Ranges{{0, 3}}));
}

BOOST_AUTO_TEST_CASE(packets_without_need_of_acknowledgement_never_cause_one) {
  for (std::uint64_t number = 0; number < 1000; number += 2) receive(number, false);
  BOOST_TEST(!tracker.ack_due(now + 1h));
  BOOST_TEST((tracker.deadline() == kNever));
  BOOST_TEST(tracker.has_something_new());
}

BOOST_AUTO_TEST_CASE(congestion_mark_is_told_at_once_and_counted) {
  BOOST_TEST(!tracker.ecn().has_value());
  receive(0, true, Ecn::ect0);
  BOOST_TEST(!tracker.ack_due(now));
  receive(1, false, Ecn::ect1);
  tracker.on_ack_sent(now);
  receive(2, true, Ecn::ce);
  BOOST_TEST(tracker.ack_due(now));
  BOOST_TEST((tracker.ecn() == EcnCounts{.ect0 = 1, .ect1 = 1, .ce = 1}));
}

BOOST_AUTO_TEST_CASE(duplicate_changes_nothing) {
  receive(0);
  tracker.on_ack_sent(now);
  receive(0, true, Ecn::ce);
  BOOST_TEST(!tracker.has_something_new());
  BOOST_TEST(!tracker.ack_due(now + 1s));
  BOOST_TEST(!tracker.ecn().has_value());
}

BOOST_AUTO_TEST_CASE(delay_is_that_of_the_largest_number) {
  receive(0);
  receive(5);
  now += 10ms;
  receive(3);
  BOOST_TEST((tracker.delay(now) == 10ms));
}

BOOST_AUTO_TEST_CASE(request_sets_the_number_of_packets_and_the_delay) {
  BOOST_TEST(tracker.on_request(request(0, 3, 9ms)).has_value());
  for (std::uint64_t number = 0; number < 3; ++number) receive(number);
  BOOST_TEST(!tracker.ack_due(now));
  BOOST_TEST((tracker.deadline() == now + 9ms));
  receive(3);  // more than three
  BOOST_TEST(tracker.ack_due(now));
  tracker.on_ack_sent(now);
  BOOST_TEST(tracker.on_request(request(1, 0, 9ms)).has_value());
  receive(4);
  BOOST_TEST(tracker.ack_due(now));
  tracker.on_ack_sent(now);
  // The largest threshold there is means that time alone decides.
  BOOST_TEST(tracker.on_request(request(2, (std::uint64_t{1} << 62) - 1, 2ms)).has_value());
  for (std::uint64_t number = 5; number < 5000; ++number) receive(number);
  BOOST_TEST(!tracker.ack_due(now + 1ms));
  BOOST_TEST(tracker.ack_due(now + 2ms));
}

BOOST_AUTO_TEST_CASE(request_that_is_not_newer_is_ignored) {
  BOOST_TEST(tracker.on_request(request(5, 50, 9ms)).has_value());
  BOOST_TEST(tracker.on_request(request(5, 0, 8ms)).has_value());
  BOOST_TEST(tracker.on_request(request(4, 0, 8ms)).has_value());
  receive(0);
  BOOST_TEST(!tracker.ack_due(now));
  BOOST_TEST((tracker.deadline() == now + 9ms));
}

BOOST_AUTO_TEST_CASE(request_for_less_than_the_announced_delay_breaks_the_rules) {
  BOOST_TEST((AckTracker::announced_min_delay(25ms) == 1ms));
  BOOST_TEST((AckTracker::announced_min_delay(400'500ns) == 400us));
  BOOST_TEST(tracker.on_request(request(0, 50, 1ms)).has_value());
  const auto refused = tracker.on_request(request(1, 0, 999us));
  BOOST_TEST_REQUIRE(!refused.has_value());
  BOOST_TEST((refused.error().code == TransportErrorCode::protocol_violation));
  BOOST_TEST(refused.error().frame_type == frame_type::kAckFrequency);
  receive(0);
  BOOST_TEST(!tracker.ack_due(now));  // nothing changed
}

BOOST_AUTO_TEST_CASE(immediate_ack_is_for_one_packet) {
  tracker.on_immediate_ack();
  receive(0);
  BOOST_TEST(tracker.ack_due(now));
  tracker.on_ack_sent(now);
  receive(1);
  BOOST_TEST(!tracker.ack_due(now));
}

// The examples of draft-ietf-quic-ack-frequency, "Response to Out-of-Order Packets".
BOOST_AUTO_TEST_CASE(reordering_threshold_says_which_gap_is_told_at_once) {
  const auto told_at = [](std::uint64_t threshold, std::initializer_list<std::uint64_t> numbers) {
    Fixture it;
    BOOST_TEST(it.tracker.on_request(it.request(0, 1000, 25ms, threshold)).has_value());
    std::vector<std::uint64_t> told;
    for (const std::uint64_t number : numbers) {
      it.receive(number);
      if (!it.tracker.ack_due(it.now)) continue;
      told.push_back(number);
      it.tracker.on_ack_sent(it.now);
    }
    return told;
  };
  using Numbers = std::vector<std::uint64_t>;
  BOOST_TEST(told_at(3, {0, 1, 3, 4, 5, 8, 9, 10}) == (Numbers{5, 9, 10}));
  BOOST_TEST(told_at(5, {0, 1, 3, 5, 6, 7, 8, 9, 10}) == (Numbers{7, 9}));
  BOOST_TEST(told_at(1, {0, 1, 3, 4, 2, 5}) == (Numbers{3, 2}));
  BOOST_TEST(told_at(0, {0, 1, 3, 9, 2, 500}).empty());
  BOOST_TEST(told_at(2, {1, 2}) == (Numbers{2}));                  // the first packet is missing
  BOOST_TEST(told_at(4, {0, 3, 2, 1, 4, 5, 6, 7, 8, 9}).empty());  // late, but within the threshold
}

BOOST_AUTO_TEST_CASE(numbers_that_the_ranges_no_longer_tell_of_are_not_missing) {
  BOOST_TEST(tracker.on_request(request(0, 1000, 25ms, 10)).has_value());
  for (const std::uint64_t number : {0, 5, 6}) receive(number);
  tracker.on_ack_sent(now);
  tracker.on_ack_acknowledged(PacketNumber(6));
  for (std::uint64_t number = 7; number < 30; ++number) receive(number);
  BOOST_TEST(!tracker.ack_due(now));
}

BOOST_AUTO_TEST_CASE(congestion_mark_is_told_at_once_whatever_was_asked) {
  BOOST_TEST(tracker.on_request(request(0, 1000, 25ms, 0)).has_value());
  receive(0, true, Ecn::ect0);
  BOOST_TEST(!tracker.ack_due(now));
  receive(1, true, Ecn::ce);
  BOOST_TEST(tracker.ack_due(now));
}

BOOST_AUTO_TEST_CASE(every_second_number_keeps_a_bounded_number_of_ranges) {  // threat t03
  for (std::uint64_t number = 0; number < 1'000'000; number += 2) {
    receive(number);
    if (tracker.ack_due(now)) tracker.on_ack_sent(now);
  }
  BOOST_TEST_REQUIRE(tracker.ranges().size() == kMaxAckRanges + 1);
  BOOST_TEST(tracker.ranges().front().last.value() == 999'998u);
  BOOST_TEST(tracker.ranges().back().first.value() == 999'998u - 2 * kMaxAckRanges);
  receive(1);  // older than everything kept, of which there is no room for more
  BOOST_TEST(tracker.ranges().back().first.value() == 999'998u - 2 * kMaxAckRanges);
}

BOOST_AUTO_TEST_CASE(what_the_peer_knows_is_dropped) {
  for (std::uint64_t number : {0, 1, 4, 5, 8, 9}) receive(number);
  tracker.on_ack_sent(now);
  receive(10);
  receive(12);
  tracker.on_ack_acknowledged(PacketNumber(9));
  BOOST_TEST(ranges() == (Ranges{{12, 12}, {10, 10}}));
  tracker.on_ack_acknowledged(PacketNumber(12));
  BOOST_TEST(ranges() == (Ranges{{12, 12}}));  // the largest stays: it carries the delay
  receive(13);
  BOOST_TEST(ranges() == (Ranges{{12, 13}}));
}

BOOST_AUTO_TEST_CASE(packet_that_came_after_the_acknowledged_ack_is_not_dropped_with_it) {
  receive(0);
  receive(2);
  tracker.on_ack_sent(now);  // largest 2, without 1
  receive(1);
  tracker.on_ack_acknowledged(PacketNumber(2));
  BOOST_TEST(ranges() == (Ranges{{1, 2}}));
  tracker.on_ack_sent(now);  // largest 2, with 1: may have been lost, cannot be told from the first
  tracker.on_ack_acknowledged(PacketNumber(2));
  BOOST_TEST(ranges() == (Ranges{{1, 2}}));
  receive(3);
  tracker.on_ack_sent(now);
  tracker.on_ack_acknowledged(PacketNumber(3));
  BOOST_TEST(ranges() == (Ranges{{3, 3}}));
}

BOOST_AUTO_TEST_CASE(no_receive_time_is_kept_that_nobody_wants) {
  receive(0);
  BOOST_TEST(tracker.receive_times().empty());
}

BOOST_AUTO_TEST_CASE(each_receive_time_is_told_once_and_in_the_order_of_arrival) {
  tracker.report_receive_times(4, now - 10ms);
  receive(1);
  now += 2ms;
  receive(0);
  receive(0);  // a copy of it
  now += 1ms;
  receive(2, false);  // asks for no ACK
  receive(5);
  BOOST_TEST((times_of(tracker) == Times{{1, 10}, {0, 12}, {5, 13}}));
  tracker.on_ack_sent(now);
  BOOST_TEST(tracker.receive_times().empty());
  receive(6);
  BOOST_TEST((times_of(tracker) == Times{{6, 13}}));
}

BOOST_AUTO_TEST_CASE(of_more_packets_than_can_be_told_the_newest_are) {
  for (const std::size_t most : {std::size_t{1}, std::size_t{2}, std::size_t{3}, kMaxReceiveTimes}) {
    AckTracker limited(25ms);
    limited.report_receive_times(most, now);
    for (std::uint64_t number = 0; number < 300; ++number) {
      limited.on_packet_received(now + number * 1ms, PacketNumber(number), true);
      const auto told = times_of(limited);
      BOOST_REQUIRE(told.size() == std::min<std::size_t>(most, number + 1));
      for (std::size_t i = 0; i < told.size(); ++i) {
        const std::uint64_t expected = number + 1 - told.size() + i;
        BOOST_REQUIRE(told[i].first == expected);
        BOOST_REQUIRE(told[i].second == static_cast<long>(expected));
      }
    }
  }
}

// The frame has no room for a time before the epoch, after its end, or before the one of an earlier packet.
BOOST_AUTO_TEST_CASE(receive_times_never_run_backwards) {
  tracker.report_receive_times(8, now);
  const Timestamp epoch = now;
  for (const Duration since : {-5ms, 3ms, 1ms, 4ms}) {
    now = epoch + since;
    receive(tracker.receive_times().size());
  }
  BOOST_TEST((times_of(tracker) == Times{{0, 0}, {1, 3}, {2, 3}, {3, 4}}));
  now = epoch + kLatestReceiveTime + 1h;
  receive(4);
  BOOST_TEST((tracker.receive_times().back().at == kLatestReceiveTime));
}

BOOST_AUTO_TEST_SUITE_END()
