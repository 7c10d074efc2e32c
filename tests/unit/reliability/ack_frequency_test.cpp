// The sender's policy of docs/protocol.md §6, "ACK frequency".
#include "reliability/ack_frequency.h"

#include <boost/test/unit_test.hpp>

using namespace mxp;
using namespace std::chrono_literals;

namespace ack_frequency_test {
namespace {

constexpr std::size_t kDatagramBytes = 1200;
const PacketNumber kLater(1000);

struct Fixture {
  // A path that has never lost or acknowledged anything has its first window of ten packets; slow start goes on.
  PathControl path_of(Duration round_trip, CongestionControl algorithm = CongestionControl::newreno) {
    PathControl path(PathId::first, {.congestion_control = algorithm}, kDatagramBytes);
    path.seed_rtt(now, round_trip);
    return path;
  }
  std::optional<AckFrequencyFrame> due(PacketNumber next, const PathControl& path,
                                       AckFrequency::Order order = AckFrequency::Order::kept) const {
    return frequency.request_due(now, next, path, order);
  }
  void ask(const AckFrequencyFrame& frame) { frequency.on_sent(now, frame); }

  Fixture() { frequency.on_peer_parameters(1ms, 25ms); }
  Timestamp now{1h};
  AckFrequency frequency;
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(ack_frequency, Fixture)

BOOST_AUTO_TEST_CASE(peer_that_announced_nothing_is_asked_for_nothing) {
  const PathControl path = path_of(40ms, CongestionControl::none);
  BOOST_TEST(due(kLater, path).has_value());
  frequency.on_peer_parameters(std::nullopt, 25ms);
  BOOST_TEST(!frequency.peer_takes_requests());
  BOOST_TEST(!due(kLater, path).has_value());
}

BOOST_AUTO_TEST_CASE(nothing_is_asked_for_the_first_packets_nor_before_the_round_trip_is_known) {
  const PathControl path = path_of(40ms, CongestionControl::none);
  BOOST_TEST(!due(PacketNumber(99), path).has_value());
  BOOST_TEST(due(PacketNumber(100), path).has_value());
  const PathControl unknown(PathId::first, {.congestion_control = CongestionControl::none}, kDatagramBytes);
  BOOST_TEST(!due(kLater, unknown).has_value());
}

BOOST_AUTO_TEST_CASE(a_small_window_is_acknowledged_more_often) {
  const auto request = due(kLater, path_of(80ms));
  BOOST_TEST_REQUIRE(request.has_value());
  BOOST_TEST(request->threshold == 1u);  // every second packet
  BOOST_TEST((request->max_ack_delay == 20ms));
  BOOST_TEST(request->reordering_threshold == 3u);  // the packet threshold of loss detection
}

BOOST_AUTO_TEST_CASE(a_huge_window_is_acknowledged_by_bounded_steps) {
  const auto request = due(kLater, path_of(80ms, CongestionControl::none));
  BOOST_TEST_REQUIRE(request.has_value());
  BOOST_TEST(request->threshold == 127u);
}

BOOST_AUTO_TEST_CASE(one_for_each_sixteenth_of_the_window_and_twice_as_many_in_slow_start) {
  PathControl path = path_of(80ms);
  // Slow start until the window holds so many.
  for (std::uint64_t number = 0; path.congestion_window() < 512 * kDatagramBytes;) {
    SentPacket packet{.sent_at = now, .size_bytes = kDatagramBytes, .ack_eliciting = true, .in_flight = true};
    for (; path.bytes_in_flight() + kDatagramBytes <= path.congestion_window(); ++number) {
      packet.number = PacketNumber(number);
      path.on_packet_sent(packet);
    }
    now += 80ms;
    path.begin_update();
    path.on_acknowledged(packet);
    path.finish_ack(now, std::span(&packet, 1), true);
  }
  BOOST_TEST_REQUIRE(path.in_slow_start());
  // Asked for something far from all that may be wanted, so that a request is due in any case.
  ask({.sequence = 0, .threshold = 5000, .max_ack_delay = 20ms, .reordering_threshold = 3});
  now += 80ms;
  const auto request = due(kLater, path);
  BOOST_TEST_REQUIRE(request.has_value());
  BOOST_TEST(request->threshold + 1 == path.congestion_window() / kDatagramBytes / 32);
  SentPacket packet{
      .number = kLater, .sent_at = now, .size_bytes = kDatagramBytes, .ack_eliciting = true, .in_flight = true};
  path.on_packet_sent(packet);
  const LostPacket lost{packet, LossReason::reordering};
  path.begin_update();
  path.on_lost(now, std::span(&lost, 1));
  BOOST_TEST_REQUIRE(!path.in_slow_start());
  BOOST_TEST(due(kLater, path)->threshold + 1 == path.congestion_window() / kDatagramBytes / 16);
}

BOOST_AUTO_TEST_CASE(the_delay_is_a_quarter_of_the_round_trip_within_bounds) {
  const auto asked = [&](Duration round_trip) { return due(kLater, path_of(round_trip))->max_ack_delay; };
  BOOST_TEST((asked(20ms) == 5ms));
  BOOST_TEST((asked(40ms) == 10ms));
  BOOST_TEST((asked(600ms) == 25ms));  // not more than what the peer does by itself
  frequency.on_peer_parameters(8ms, 9ms);
  BOOST_TEST((asked(20ms) == 8ms));  // what it cannot do is not asked for
}

// A lone call whose packet is lost is sent again after a probe timeout, which the peer's delay is a part of.
BOOST_AUTO_TEST_CASE(on_short_round_trips_the_peer_keeps_its_own_policy_but_for_the_delay) {
  const PathControl path = path_of(19ms, CongestionControl::none);
  const auto request = due(kLater, path);
  BOOST_TEST_REQUIRE(request.has_value());
  BOOST_TEST(request->threshold + 1 == AckTracker::kInterval);
  BOOST_TEST(request->reordering_threshold == 1u);
  BOOST_TEST((request->max_ack_delay == 5ms));
  ask(*request);
  now += 1h;
  BOOST_TEST(!due(kLater, path_of(1ms)).has_value());
  BOOST_TEST(!due(kLater, path_of(19ms), AckFrequency::Order::mixed).has_value());
  frequency.on_peer_parameters(1ms, 5ms);  // as brief already
  BOOST_TEST(!due(kLater, path).has_value());
}

BOOST_AUTO_TEST_CASE(a_round_trip_that_varies_about_the_bound_changes_nothing) {
  ask(*due(kLater, path_of(21ms, CongestionControl::none)));
  for (const Duration round_trip : {19ms, 21ms, 15ms, 25ms}) {
    now += 1h;
    BOOST_TEST(!due(kLater, path_of(round_trip, CongestionControl::none)).has_value());
  }
  now += 1h;
  const auto back = due(kLater, path_of(14ms, CongestionControl::none));
  BOOST_TEST_REQUIRE(back.has_value());
  BOOST_TEST(back->threshold + 1 == AckTracker::kInterval);
  ask(*back);
  for (const Duration round_trip : {19ms, 14ms}) {
    now += 1h;
    BOOST_TEST(!due(kLater, path_of(round_trip, CongestionControl::none)).has_value());
  }
  now += 1h;
  BOOST_TEST(due(kLater, path_of(20ms, CongestionControl::none)).has_value());
}

BOOST_AUTO_TEST_CASE(the_same_is_not_asked_for_again_and_little_changes_not_at_all) {
  const PathControl path = path_of(40ms);
  ask(*due(kLater, path));
  now += 1h;
  BOOST_TEST(!due(kLater, path).has_value());
  BOOST_TEST(!due(kLater, path_of(70ms)).has_value());
  const auto next = due(kLater, path_of(80ms));
  BOOST_TEST_REQUIRE(next.has_value());
  BOOST_TEST(next->sequence == 1u);
}

BOOST_AUTO_TEST_CASE(late_packets_are_told_at_once_where_packets_overtake_others) {
  const PathControl path = path_of(40ms);
  ask(*due(kLater, path));
  now += 40ms;
  const auto mixed = due(kLater, path, AckFrequency::Order::mixed);
  BOOST_TEST_REQUIRE(mixed.has_value());
  BOOST_TEST(mixed->reordering_threshold == 1u);
  ask(*mixed);
  now += 40ms;
  BOOST_TEST(!due(kLater, path, AckFrequency::Order::mixed).has_value());
  BOOST_TEST(due(kLater, path).has_value());
}

BOOST_AUTO_TEST_CASE(at_most_one_request_in_a_round_trip) {
  ask(*due(kLater, path_of(40ms)));
  const PathControl other = path_of(400ms);
  now += 399ms;
  BOOST_TEST(!due(kLater, other).has_value());
  now += 1ms;
  BOOST_TEST(due(kLater, other).has_value());
}

BOOST_AUTO_TEST_CASE(until_the_request_is_acknowledged_the_longer_delay_counts) {
  BOOST_TEST((frequency.peer_max_ack_delay() == 25ms));
  ask({.sequence = 0, .threshold = 9, .max_ack_delay = 5ms, .reordering_threshold = 3});
  BOOST_TEST((frequency.peer_max_ack_delay() == 25ms));
  ask({.sequence = 1, .threshold = 9, .max_ack_delay = 8ms, .reordering_threshold = 3});
  frequency.on_acknowledged(0);  // the later request is under way still
  BOOST_TEST((frequency.peer_max_ack_delay() == 25ms));
  frequency.on_acknowledged(1);
  BOOST_TEST((frequency.peer_max_ack_delay() == 8ms));
  ask({.sequence = 2, .threshold = 9, .max_ack_delay = 20ms, .reordering_threshold = 3});
  BOOST_TEST((frequency.peer_max_ack_delay() == 20ms));  // at once: the peer may have read it
}

BOOST_AUTO_TEST_CASE(a_lost_request_is_repeated_unless_a_later_one_was_sent) {
  const PathControl path = path_of(40ms);
  ask(*due(kLater, path));
  now += 40ms;
  BOOST_TEST(!due(kLater, path).has_value());
  frequency.on_lost(0);
  const auto again = due(kLater, path);
  BOOST_TEST_REQUIRE(again.has_value());
  BOOST_TEST(again->sequence == 1u);
  ask(*again);
  now += 40ms;
  frequency.on_lost(0);
  BOOST_TEST(!due(kLater, path).has_value());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace ack_frequency_test
