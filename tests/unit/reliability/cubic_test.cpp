// RFC 9438, RFC 9002 §7. The expected windows are computed here from the formulas of the RFC, not by the code under
// test.
#include "reliability/cubic.h"

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <vector>

using namespace mxp;
using namespace std::chrono_literals;

namespace {

constexpr double kSegment = 1200;

// A path of constant round-trip time; the whole window is acknowledged once in each, in ACKs of about ten packets.
struct CubicFixture {
  Cubic cubic{1200, true};
  RttEstimator rtt{100ms};
  Timestamp now{10s};
  std::uint64_t number = 0;

  CubicFixture() { rtt.on_sample(now, 100ms, 0ms); }
  void set_rtt(Duration value) {
    rtt = RttEstimator(value);
    rtt.on_sample(now, value, 0ms);
  }
  double segments() const { return static_cast<double>(cubic.window()) / kSegment; }

  void ack(unsigned packets, Timestamp sent_at, bool app_limited = false) {
    std::vector<SentPacket> acknowledged;
    for (unsigned i = 0; i < packets; ++i) {
      acknowledged.push_back({.number = PacketNumber(number++),
                              .sent_at = sent_at,
                              .size_bytes = 1200,
                              .ack_eliciting = true,
                              .in_flight = true});
      cubic.on_packet_sent(acknowledged.back(), 0);
    }
    cubic.on_ack({.now = now,
                  .acknowledged = acknowledged,
                  .bytes = packets * 1200u,
                  .largest = PacketNumber(number - 1),
                  .rtt_sampled = false,
                  .app_limited = app_limited},
                 rtt);
  }
  // One packet, sent at `sent_at`, is lost. Whether the window was cut.
  bool lose(Timestamp when, Timestamp sent_at) {
    return cubic.on_loss({.now = when, .lost = {}, .bytes = 1200, .packets = 1, .latest_sent_at = sent_at}, rtt);
  }
  void round(bool app_limited = false) {
    const auto window = static_cast<unsigned>(segments());
    const unsigned acks = std::max(1u, window / 10);
    const Duration step = rtt.smoothed() / acks;
    for (unsigned i = 0; i < acks; ++i) {
      now += step;
      ack(window / acks, now - rtt.smoothed() + 1ns, app_limited);
    }
  }
  // Slow start up to at least so many segments, then the cut. Returns the window before it.
  double grow_and_cut(double wanted) {
    while (segments() < wanted) ack(static_cast<unsigned>(std::min(segments(), wanted - segments()) + 1), now);
    const double before = segments();
    now += 1ms;
    BOOST_TEST_REQUIRE(lose(now, now - 1us));
    return before;
  }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(cubic_window, CubicFixture)

BOOST_AUTO_TEST_CASE(initial_window_is_ten_packets_and_slow_start_doubles_it) {
  BOOST_TEST(cubic.window() == 12'000u);
  BOOST_TEST(cubic.in_slow_start());
  ack(10, now);
  BOOST_TEST(cubic.window() == 24'000u);
  BOOST_TEST(Cubic(9000, true).window() == 18'000u);  // RFC 9002 §7.2: at least two packets …
  BOOST_TEST(Cubic(1472, true).window() == 14'720u);  // … and otherwise at most 14,720 bytes
}

BOOST_AUTO_TEST_CASE(cut_is_to_seven_tenths) {
  const double before = grow_and_cut(100);
  BOOST_TEST(segments() == 0.7 * before, boost::test_tools::tolerance(0.001));
  BOOST_TEST(!cubic.in_slow_start());
}

BOOST_AUTO_TEST_CASE(window_follows_the_cubic_curve_of_the_rfc) {
  const double w_max = grow_and_cut(1000);
  const double k = std::cbrt(w_max * (1 - 0.7) / 0.4);  // RFC 9438 §4.2
  const Timestamp epoch = now + 1ns;
  now = epoch;
  ack(10, now);
  double worst = 0;
  while (now < epoch + 20s) {
    round();
    const double t = std::chrono::duration<double>(now - epoch).count();
    const double expected = 0.4 * std::pow(t - k, 3) + w_max;  // RFC 9438 figure 1
    worst = std::max(worst, std::abs(segments() - expected) / expected);
  }
  BOOST_TEST(k > 8.0);
  BOOST_TEST(segments() > 1.3 * w_max);  // well into the convex region
  BOOST_TEST(worst < 0.02);              // the window aims one round trip ahead and gets there in steps
}

BOOST_AUTO_TEST_CASE(small_windows_grow_at_least_like_reno) {
  set_rtt(10ms);  // K is above two seconds: the curve alone would hardly grow within these
  const double w_max = grow_and_cut(20);
  now += 1ns;
  const double start = segments();
  for (int i = 0; i < 8; ++i) round();
  // RFC 9438 §4.3: alpha = 3 × 0.3 / 1.7 segments for each round trip.
  BOOST_TEST(segments() == start + 8 * (0.9 / 1.7), boost::test_tools::tolerance(0.05));
  while (segments() < w_max) round();
  const double at_w_max = segments();
  for (int i = 0; i < 10; ++i) round();
  BOOST_TEST(segments() == at_w_max + 10, boost::test_tools::tolerance(0.05));  // alpha is 1 from there
}

BOOST_AUTO_TEST_CASE(a_ce_mark_is_one_loss_for_the_round_trip_and_is_never_taken_back) {
  ack(90, now);
  const double before = segments();
  const auto mark = [&](Timestamp sent_at) {
    cubic.on_ack({.now = now, .acknowledged = {}, .largest_sent_at = sent_at, .ecn_ce = 1}, rtt);
  };
  now += 1ms;
  mark(now - 1us);
  BOOST_TEST(segments() == 0.7 * before, boost::test_tools::tolerance(1e-3));
  BOOST_TEST(!cubic.in_slow_start());
  mark(now);  // sent before the cut
  BOOST_TEST(!lose(now, now));
  cubic.on_late_arrival(1, 1);
  BOOST_TEST(segments() == 0.7 * before, boost::test_tools::tolerance(1e-3));
  now += 100ms;
  mark(now - 1ms);
  BOOST_TEST(segments() == 0.49 * before, boost::test_tools::tolerance(1e-3));
}

BOOST_AUTO_TEST_CASE(one_cut_for_each_round_trip) {
  grow_and_cut(100);
  const auto after_first = cubic.window();
  for (int i = 0; i < 50; ++i) {  // more losses of the same flight
    now += 1ms;
    BOOST_TEST(!lose(now, Timestamp(10s)));
  }
  BOOST_TEST(cubic.window() == after_first);
  BOOST_TEST(lose(now + 100ms, now + 50ms));  // sent after the cut
  BOOST_TEST(cubic.window() < after_first);
}

BOOST_AUTO_TEST_CASE(acknowledgements_from_before_the_cut_do_not_grow_the_window) {
  grow_and_cut(100);
  const auto window = cubic.window();
  now += 50ms;
  ack(50, now - 60ms);
  BOOST_TEST(cubic.window() == window);
}

BOOST_AUTO_TEST_CASE(fast_convergence_gives_way_to_newcomers) {
  grow_and_cut(1000);
  const double at_second_cut = segments();  // below the plateau of 1000
  now += 200ms;
  BOOST_TEST(lose(now, now - 1ms));
  // The plateau is now (1 + 0.7) / 2 of the window, and K follows from it.
  const double plateau = at_second_cut * 0.85;
  const double k = std::cbrt((plateau - 0.7 * at_second_cut) / 0.4);
  now += 1ns;
  const Timestamp epoch = now;
  ack(10, now);
  while (now < epoch + std::chrono::duration_cast<Duration>(std::chrono::duration<double>(k))) round();
  BOOST_TEST(segments() == plateau, boost::test_tools::tolerance(0.01));
}

BOOST_AUTO_TEST_CASE(application_limited_acknowledgements_never_grow_the_window) {
  ack(10, now, true);
  BOOST_TEST(cubic.window() == 12'000u);
  grow_and_cut(100);
  now += 1ns;
  ack(10, now);
  const auto window = cubic.window();
  for (int i = 0; i < 600; ++i) round(true);  // a minute
  BOOST_TEST(cubic.window() == window);
  round();  // RFC 9438 §5.8: the minute does not count
  BOOST_TEST(cubic.window() < window + 5 * 1200);
}

BOOST_AUTO_TEST_CASE(window_never_falls_below_two_packets) {
  for (int i = 0; i < 50; ++i) {
    now += 1s;
    lose(now, now - 1ms);
    BOOST_TEST(cubic.window() >= 2400u);
  }
  BOOST_TEST(cubic.window() == 2400u);
  cubic.on_persistent_congestion();
  BOOST_TEST(cubic.window() == 2400u);
}

BOOST_AUTO_TEST_CASE(persistent_congestion_starts_over_in_slow_start_up_to_the_threshold) {
  const double before = grow_and_cut(100);
  cubic.on_persistent_congestion();
  BOOST_TEST(cubic.window() == 2400u);
  BOOST_TEST(cubic.in_slow_start());
  now += 1ms;
  while (cubic.in_slow_start()) ack(static_cast<unsigned>(segments()), now);
  BOOST_TEST(segments() == 0.7 * before, boost::test_tools::tolerance(0.001));
}

BOOST_AUTO_TEST_CASE(wrong_cut_is_taken_back_once) {
  const double before = grow_and_cut(100);
  cubic.on_late_arrival(1, 1);
  BOOST_TEST(segments() == before, boost::test_tools::tolerance(0.001));
  BOOST_TEST(cubic.in_slow_start());
  now += 1s;
  lose(now, now - 1ms);
  cubic.on_persistent_congestion();
  cubic.on_late_arrival(1, 1);  // what was that bad is not taken back
  BOOST_TEST(cubic.window() == 2400u);
}

BOOST_AUTO_TEST_CASE(pacing_rate_is_twice_the_window_per_round_trip_in_slow_start_else_five_quarters) {
  BOOST_TEST(cubic.pacing_rate(rtt).bytes_per_second() == 240'000u);
  grow_and_cut(100);
  BOOST_TEST(
      static_cast<double>(cubic.pacing_rate(rtt).bytes_per_second()) == 12.5 * static_cast<double>(cubic.window()),
      boost::test_tools::tolerance(0.001));
}

BOOST_AUTO_TEST_CASE(unpaced_slow_start_takes_small_steps) {
  Cubic unpaced(1200, false);
  std::vector<SentPacket> acknowledged(64,
                                       {.sent_at = now, .size_bytes = 1200, .ack_eliciting = true, .in_flight = true});
  unpaced.on_ack({.now = now, .acknowledged = acknowledged, .bytes = 64 * 1200, .largest = PacketNumber(63)}, rtt);
  BOOST_TEST(unpaced.window() == 12'000u + 8 * 1200u);  // RFC 9406 §4.2
}

BOOST_AUTO_TEST_CASE(initial_window_follows_the_datagram_size_until_something_is_sent) {
  Cubic fresh(1200, true);
  fresh.on_datagram_size(1452);
  BOOST_TEST(fresh.window() == 14'520u);
  fresh.on_datagram_size(9000);
  BOOST_TEST(fresh.window() == 18'000u);  // RFC 9002 §7.2: two datagrams where ten would be more than 14,720 bytes
  fresh.on_datagram_size(1200);
  fresh.on_packet_sent({.number = PacketNumber(0), .size_bytes = 1200}, 0);
  fresh.on_datagram_size(1452);
  BOOST_TEST(fresh.window() == 12'000u);
}

BOOST_AUTO_TEST_CASE(window_never_falls_below_two_datagrams_of_a_new_size) {
  cubic.on_packet_sent({.number = PacketNumber(0), .size_bytes = 1200}, 0);
  cubic.on_datagram_size(60'000);
  BOOST_TEST(cubic.window() == 120'000u);
}

BOOST_AUTO_TEST_CASE(none_is_a_huge_window_without_pacing) {
  const auto none = make_congestion_controller(CongestionControl::none, 1200, true);
  const auto window = none->window();
  BOOST_TEST(!none->on_loss({.now = now, .lost = {}, .bytes = 1200, .packets = 1, .latest_sent_at = now}, rtt));
  none->on_persistent_congestion();
  BOOST_TEST(none->window() == window);
  BOOST_TEST(window >= (64u << 20));
  BOOST_TEST(none->pacing_rate(rtt).is_zero());
}

BOOST_AUTO_TEST_SUITE_END()
