// RFC 9002 §7 and Appendix B, with windows that follow from its text.
#include "reliability/newreno.h"

#include <boost/test/unit_test.hpp>
#include <vector>

using namespace mxp;
using namespace std::chrono_literals;

namespace newreno_test {
namespace {

constexpr std::uint32_t kSize = 1200;

struct NewRenoFixture {
  NewReno reno{kSize, true};
  RttEstimator rtt{100ms};
  Timestamp now{10s};
  std::uint64_t number = 0;

  NewRenoFixture() { rtt.on_sample(now, 100ms, 0ms); }
  std::uint64_t segments() const { return reno.window() / kSize; }

  static void ack_with(NewReno& controller, const RttEstimator& rtt, Timestamp now, unsigned packets, Timestamp sent_at,
                       bool app_limited) {
    std::vector<SentPacket> acknowledged;
    for (unsigned i = 0; i < packets; ++i) {
      acknowledged.push_back({.number = PacketNumber(i),
                              .sent_at = sent_at,
                              .size_bytes = kSize,
                              .ack_eliciting = true,
                              .in_flight = true});
      controller.on_packet_sent(acknowledged.back(), 0);
    }
    controller.on_ack({.now = now,
                       .acknowledged = acknowledged,
                       .bytes = std::uint64_t{packets} * kSize,
                       .largest = PacketNumber(packets),
                       .app_limited = app_limited},
                      rtt);
  }
  void ack(unsigned packets, Timestamp sent_at, bool app_limited = false) {
    ack_with(reno, rtt, now, packets, sent_at, app_limited);
  }
  bool lose(Timestamp when, Timestamp sent_at) {
    return reno.on_loss({.now = when, .lost = {}, .bytes = kSize, .packets = 1, .latest_sent_at = sent_at}, rtt);
  }
  // Slow start to 80 segments, cut to 40.
  void grow_and_cut() {
    ack(70, now);
    BOOST_TEST_REQUIRE(segments() == 80u);
    now += 1ms;
    BOOST_TEST_REQUIRE(lose(now, now - 1us));
  }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(newreno, NewRenoFixture)

BOOST_AUTO_TEST_CASE(slow_start_adds_what_was_acknowledged) {
  BOOST_TEST(segments() == 10u);
  BOOST_TEST(reno.in_slow_start());
  ack(10, now);
  BOOST_TEST(segments() == 20u);
  ack(20, now);
  BOOST_TEST(segments() == 40u);
}

BOOST_AUTO_TEST_CASE(without_pacing_one_ack_adds_eight_segments_at_most) {
  NewReno unpaced(kSize, false);
  ack_with(unpaced, rtt, now, 10, now, false);
  BOOST_TEST(unpaced.window() == 18u * kSize);
}

BOOST_AUTO_TEST_CASE(loss_halves_the_window_and_ends_slow_start) {
  grow_and_cut();
  BOOST_TEST(segments() == 40u);
  BOOST_TEST(!reno.in_slow_start());
}

BOOST_AUTO_TEST_CASE(a_ce_mark_is_one_loss_for_the_round_trip_and_is_never_taken_back) {
  grow_and_cut();
  const auto mark = [&](Timestamp sent_at) {
    reno.on_ack({.now = now, .acknowledged = {}, .largest_sent_at = sent_at, .ecn_ce = 3}, rtt);
  };
  mark(now);  // sent before the cut
  BOOST_TEST(segments() == 40u);
  const Timestamp cut_at = now;
  now += 100ms;
  mark(cut_at + 1us);
  BOOST_TEST(segments() == 20u);
  reno.on_late_arrival(1, 1);
  BOOST_TEST(segments() == 20u);
  BOOST_TEST(!lose(now, now));
  BOOST_TEST(segments() == 20u);
}

BOOST_AUTO_TEST_CASE(one_cut_for_each_round_trip) {
  grow_and_cut();
  BOOST_TEST(!lose(now + 10ms, now));
  BOOST_TEST(segments() == 40u);
  BOOST_TEST(lose(now + 200ms, now + 100ms));
  BOOST_TEST(segments() == 20u);
}

BOOST_AUTO_TEST_CASE(congestion_avoidance_adds_one_segment_for_each_window) {
  grow_and_cut();
  now += 200ms;
  for (unsigned window = 40; window < 50; ++window) {
    BOOST_TEST(segments() == window);
    ack(window - 1, now);
    BOOST_TEST(segments() == window);
    ack(1, now);
  }
  BOOST_TEST(reno.window() == 50u * kSize);
}

BOOST_AUTO_TEST_CASE(what_was_acknowledged_beyond_a_window_counts_for_the_next) {
  grow_and_cut();
  ack(45, now + 1ms);
  BOOST_TEST(segments() == 41u);
  ack(35, now + 1ms);
  BOOST_TEST(segments() == 41u);
  ack(1, now + 1ms);
  BOOST_TEST(segments() == 42u);
}

BOOST_AUTO_TEST_CASE(packets_from_before_the_cut_do_not_grow_the_window) {
  grow_and_cut();
  ack(200, now - 1ms);
  BOOST_TEST(segments() == 40u);
  ack(40, now + 1ms);
  BOOST_TEST(segments() == 41u);
}

BOOST_AUTO_TEST_CASE(a_window_that_was_not_used_does_not_grow) {
  ack(10, now, true);
  BOOST_TEST(segments() == 10u);
}

BOOST_AUTO_TEST_CASE(window_never_falls_below_two_segments) {
  for (int i = 1; i <= 10; ++i) BOOST_TEST(lose(now + i * 1s, now + i * 1s - 1ms));
  BOOST_TEST(reno.window() == 2u * kSize);
}

BOOST_AUTO_TEST_CASE(persistent_congestion_falls_to_the_minimum_and_starts_slowly) {
  grow_and_cut();
  reno.on_persistent_congestion();
  BOOST_TEST(reno.window() == 2u * kSize);
  BOOST_TEST(reno.in_slow_start());  // up to the half that the loss left
  ack(100, now - 1ms);               // recovery is over as well
  BOOST_TEST(segments() == 102u);
  BOOST_TEST(!reno.in_slow_start());
  reno.on_late_arrival(1, 1);  // the cut before it cannot be taken back any more
  BOOST_TEST(segments() == 102u);
  BOOST_TEST(!reno.in_slow_start());
}

BOOST_AUTO_TEST_CASE(cut_is_taken_back_when_all_its_losses_arrive) {
  grow_and_cut();
  BOOST_TEST(!lose(now, now - 1us));
  reno.on_late_arrival(1, 2);
  BOOST_TEST(segments() == 40u);
  reno.on_late_arrival(2, 2);
  BOOST_TEST(segments() == 80u);
  BOOST_TEST(reno.in_slow_start());
  reno.on_late_arrival(2, 2);
  BOOST_TEST(segments() == 80u);
}

BOOST_AUTO_TEST_CASE(a_window_that_has_outgrown_the_cut_does_not_fall_when_it_is_taken_back) {
  grow_and_cut();
  now += 200ms;
  for (unsigned window = 40; window < 90; ++window) ack(window, now);
  BOOST_TEST_REQUIRE(segments() == 90u);
  reno.on_late_arrival(1, 1);
  BOOST_TEST(segments() == 90u);
}

BOOST_AUTO_TEST_CASE(datagram_size_sets_the_initial_window_and_later_the_unit) {
  reno.on_datagram_size(1400);
  BOOST_TEST(reno.window() == 14'000u);
  ack(1, now);
  const auto window = reno.window();
  reno.on_datagram_size(9000);
  BOOST_TEST(reno.window() == std::max<std::uint64_t>(window, 18'000));  // at least two of the new size
  reno.on_datagram_size(1400);
  const auto before = reno.window();
  BOOST_TEST(before == 18'000u);
  now += 1ms;
  BOOST_TEST(lose(now, now));
  BOOST_TEST(reno.window() == 9000u);
  ack(8, now + 1ms);  // a window of 1200-byte packets
  BOOST_TEST(reno.window() == 10'400u);
}

BOOST_AUTO_TEST_CASE(pacing_is_twice_the_window_in_slow_start_and_a_quarter_more_after_it) {
  BOOST_TEST(reno.pacing_rate(rtt).bytes_per_second() == 20u * kSize * 10);
  grow_and_cut();
  BOOST_TEST(reno.pacing_rate(rtt).bytes_per_second() == 50u * kSize * 10);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace newreno_test
