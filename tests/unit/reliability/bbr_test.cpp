// The states of BBR on paths with known rate and round trip. How it fares on links as they are is in tests/congestion.
#include "reliability/bbr.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <ostream>

#include "unit/reliability/pipe.h"

using namespace mxp;
using namespace mxp::testing;
using namespace std::chrono_literals;

namespace mxp {
static std::ostream& operator<<(std::ostream& out, Bbr::State state) {
  static constexpr const char* kNames[] = {"startup", "drain", "down", "cruise", "refill", "up", "probe_rtt"};
  return out << kNames[static_cast<std::size_t>(state)];
}
}  // namespace mxp

namespace bbr_test {
using State = Bbr::State;

namespace {

double megabits(ByteRate rate) { return static_cast<double>(rate.bits_per_second()) * 1e-6; }

}  // namespace

BOOST_FIXTURE_TEST_SUITE(bbr, Pipe)

BOOST_AUTO_TEST_CASE(before_the_first_sample_an_initial_window_goes_in_a_millisecond) {
  const RttEstimator unknown(333ms);
  BOOST_TEST(bbr.window() == 12'000u);
  BOOST_TEST(bbr.in_slow_start());
  BOOST_TEST(bbr.pacing_rate(unknown).bytes_per_second() == 33'240'000u);  // 2.77 × 12,000 in a millisecond
}

BOOST_AUTO_TEST_CASE(packets_that_can_be_spread_over_a_measured_round_trip_are_32_at_first) {
  RttEstimator measured(333ms);
  measured.on_sample(Timestamp(1s), 50ms, 0ms);
  bbr.on_handshake_round_trip();
  BOOST_TEST(bbr.window() == 32u * 1200);
  BOOST_TEST(bbr.pacing_rate(measured).bytes_per_second() == 2'127'360u);  // 2.77 × 38,400 in 50 ms
  bbr.on_datagram_size(1472);
  BOOST_TEST(bbr.window() == 32u * 1472);
  bbr.on_datagram_size(9000);
  BOOST_TEST(bbr.window() == 32u * 1472);
  bbr.on_datagram_size(65'507);
  BOOST_TEST(bbr.window() == 2u * 65'507);
  bbr.on_datagram_size(1200);
  BOOST_TEST(bbr.window() == 32u * 1200);
}

BOOST_AUTO_TEST_CASE(a_window_that_is_in_use_does_not_change_when_the_handshake_is_heard_of) {
  run(round_trip + 5ms);
  const std::uint64_t window = bbr.window();
  BOOST_TEST(window > 12'000u);
  bbr.on_handshake_round_trip();
  BOOST_TEST(bbr.window() == window);
}

BOOST_AUTO_TEST_CASE(pacing_of_the_first_32_packets_does_not_fall_with_the_first_acknowledgements) {
  bbr.on_handshake_round_trip();
  run(round_trip - 1ms);
  BOOST_TEST(sent_packets() == 32u);
  for (int step = 0; step < 60; ++step) {
    run(1ms);
    if (delivered() == 0) continue;
    BOOST_TEST_REQUIRE(bbr.state() == State::startup);
    BOOST_TEST(pacing_mbit() >= 21.0);  // 2.77 × 38,400 bytes in 40 ms
  }
  BOOST_TEST(delivered() > 32u * 1200);
  BOOST_TEST(bbr.window() >= 2u * 32 * 1200);  // all of the first window counted
}

BOOST_AUTO_TEST_CASE(startup_doubles_the_window_in_each_round_trip) {
  rate = ByteRate::bits_per_second(1'000'000'000);
  // The rate of a round is known when it has been acknowledged: the first rounds lag behind.
  run(4 * round_trip + 5ms);
  BOOST_TEST(bbr.window() >= 60'000u);
  for (int round = 0; round < 5; ++round) {
    const auto window = static_cast<double>(bbr.window());
    run(round_trip);
    BOOST_TEST(bbr.state() == State::startup);
    BOOST_TEST(static_cast<double>(bbr.window()) >= 1.8 * window);
    BOOST_TEST(static_cast<double>(bbr.window()) <= 2.2 * window);
  }
}

BOOST_AUTO_TEST_CASE(startup_ends_three_rounds_after_the_rate_stopped_growing) {
  // The BDP, 83 packets, is reached in the fifth round trip; in those after it the queue doubles the round trip.
  BOOST_TEST(run_until(State::drain, 1s));
  const Duration took = now() - Timestamp(1s);
  BOOST_TEST((took > (4 + 3 + 3) * round_trip));
  BOOST_TEST((took < (5 + 2 * 4) * round_trip));
  BOOST_TEST(!bbr.in_slow_start());
  BOOST_TEST(megabits(bbr.model().max_rate()) == 20.0, boost::test_tools::tolerance(0.03));
}

BOOST_AUTO_TEST_CASE(drain_lasts_until_the_queue_of_startup_is_gone) {
  BOOST_TEST_REQUIRE(run_until(State::drain, 1s));
  BOOST_TEST((queue() > round_trip / 2));
  BOOST_TEST(pacing_mbit() < 11.0);
  BOOST_TEST_REQUIRE(run_until(State::down, 1s));
  BOOST_TEST(in_flight() <= 1.1 * static_cast<double>(bdp()));
  BOOST_TEST((queue() < round_trip / 8));
}

BOOST_AUTO_TEST_CASE(states_follow_each_other_in_the_order_of_the_cycle) {
  run(20s);
  const State expected[] = {State::startup, State::drain,  State::down,   State::cruise, State::refill,
                            State::up,      State::down,   State::cruise, State::refill, State::up,
                            State::down,    State::cruise, State::refill, State::up};
  BOOST_TEST_REQUIRE(changes().size() >= std::size(expected));
  for (std::size_t i = 0; i < std::size(expected); ++i) BOOST_TEST(changes()[i].state == expected[i]);
}

BOOST_AUTO_TEST_CASE(probes_are_two_to_three_seconds_apart_and_a_path_with_room_stays_full) {
  run(2s);
  const std::uint64_t before = delivered();
  run(30s);
  BOOST_TEST(static_cast<double>(delivered() - before) >= 0.97 * static_cast<double>(rate.bytes_in(30s)));
  std::vector<Timestamp> probes;
  for (const Change& change : changes())
    if (change.state == State::refill) probes.push_back(change.at);
  BOOST_TEST_REQUIRE(probes.size() >= 8u);
  for (std::size_t i = 1; i < probes.size(); ++i) {
    const Duration apart = probes[i] - probes[i - 1];
    BOOST_TEST((apart >= 2s));
    BOOST_TEST((apart <= 3s + 12 * round_trip));
  }
}

BOOST_AUTO_TEST_CASE(small_pipes_are_probed_as_often_as_a_reno_flow_would_fill_them) {
  rate = ByteRate::bits_per_second(2'400'000);  // ten packets in a round trip
  run(2s);
  const auto probed = [this] {
    return std::count_if(changes().begin(), changes().end(),
                         [](const Change& it) { return it.state == State::refill; });
  };
  const auto before = probed();
  run(10s);
  BOOST_TEST(probed() - before >= 10);  // two seconds apart there would be five
}

BOOST_AUTO_TEST_CASE(a_faster_path_is_found_and_used) {
  run(3s);
  rate = ByteRate::bits_per_second(40'000'000);
  run(12s);
  BOOST_TEST(megabits(bbr.model().max_rate()) >= 36.0);
}

BOOST_AUTO_TEST_CASE(a_slower_path_is_believed_after_two_cycles) {
  run(3s);
  rate = ByteRate::bits_per_second(5'000'000);
  run(9s);
  BOOST_TEST(megabits(bbr.model().max_rate()) <= 6.0);
  BOOST_TEST((queue() < 2 * round_trip));
}

BOOST_AUTO_TEST_CASE(a_path_that_takes_a_tenth_is_believed_within_two_seconds) {
  BOOST_TEST_REQUIRE(run_until(State::cruise, 4s));
  rate = ByteRate::bits_per_second(2'000'000);
  run(2s);
  BOOST_TEST(megabits(bbr.model().max_rate()) <= 3.0);
  BOOST_TEST((queue() < 4 * round_trip));
}

// A receiver whose processor is busy with something else for some milliseconds.
BOOST_AUTO_TEST_CASE(a_fast_path_that_is_slow_for_a_moment_is_no_slower_path) {
  const ByteRate usual = rate = ByteRate::bits_per_second(1'000'000'000);
  round_trip = 500us;
  run(1s);
  for (int stall = 0; stall < 10; ++stall) {
    rate = ByteRate::bits_per_second(200'000'000);
    run(3ms);
    BOOST_TEST((queue() > 2 * round_trip));
    BOOST_TEST((queue() < 20ms));
    rate = usual;
    run(20ms);
    BOOST_TEST(megabits(bbr.model().rate()) >= 700.0);
    run(50ms);
  }
}

BOOST_AUTO_TEST_CASE(a_path_whose_shortest_round_trip_is_seen_is_never_stopped_to_look_for_it) {
  run(60s);
  for (const Change& change : changes()) BOOST_TEST(change.state != State::probe_rtt);
}

BOOST_AUTO_TEST_CASE(a_round_trip_not_seen_for_five_seconds_is_looked_for_with_half_a_bdp) {
  run(3s);
  const Timestamp changed = now();
  round_trip = 60ms;
  BOOST_TEST_REQUIRE(run_until(State::probe_rtt, 7s));
  BOOST_TEST((now() - changed > 4s));
  const Timestamp began = now();
  run(2 * round_trip);
  BOOST_TEST(bbr.window() <= 55'000u);  // half of 20 Mbit/s × 40 ms
  BOOST_TEST(in_flight() <= 55'000u);
  BOOST_TEST_REQUIRE(run_until(State::cruise, 1s));
  BOOST_TEST((now() - began >= 200ms));
  BOOST_TEST((now() - began <= 200ms + 4 * round_trip));
  run(6s);  // and after ten seconds in all the longer one is the path's
  BOOST_TEST((bbr.model().min_rtt() >= 60ms));
  BOOST_TEST((bbr.model().min_rtt() <= 64ms));
}

BOOST_AUTO_TEST_CASE(after_a_pause_the_flow_goes_on_at_the_rate_that_it_had) {
  run(4s);
  const double before = megabits(bbr.model().max_rate());
  sending = false;
  run(8s);
  BOOST_TEST(in_flight() == 0u);
  sending = true;
  const std::uint64_t delivered_before = delivered();
  const std::size_t changes_before = changes().size();
  run(round_trip + 1s);
  BOOST_TEST(static_cast<double>(delivered() - delivered_before) >= 0.9 * static_cast<double>(rate.bytes_in(1s)));
  BOOST_TEST(megabits(bbr.model().max_rate()) >= 0.95 * before);
  BOOST_TEST(bbr.state() != State::startup);
  // The pause has drained the path: there is nothing to stop for.
  for (std::size_t i = changes_before; i < changes().size(); ++i) BOOST_TEST(changes()[i].state != State::probe_rtt);
}

BOOST_AUTO_TEST_CASE(first_packet_after_a_pause_sets_the_pace_whatever_the_phase_was) {
  BOOST_TEST_REQUIRE(run_until(State::up, 10s));
  run(2 * kSize * 1ns);
  sending = false;
  run(1s);
  if (bbr.state() != State::up) return;
  sending = true;
  run(1ms);
  BOOST_TEST(pacing_mbit() <= 20.0);
}

BOOST_AUTO_TEST_CASE(samples_that_the_application_limited_do_not_lower_the_rate) {
  run(4s);
  application = ByteRate::bits_per_second(1'000'000);
  run(30s);
  BOOST_TEST(megabits(bbr.model().max_rate()) >= 19.0);
  application = {};
  const std::uint64_t before = delivered();
  run(round_trip + 1s);
  BOOST_TEST(static_cast<double>(delivered() - before) >= 0.9 * static_cast<double>(rate.bytes_in(1s)));
}

BOOST_AUTO_TEST_CASE(loss_that_the_link_makes_itself_is_measured_and_made_up_for) {
  lose_every = 20;
  run(5s);
  BOOST_TEST(bbr.own_loss() > 0.03);
  BOOST_TEST(bbr.own_loss() < 0.07);
  const std::uint64_t before = delivered();
  run(20s);
  BOOST_TEST(static_cast<double>(delivered() - before) >= 0.95 * static_cast<double>(rate.bytes_in(20s)));
}

BOOST_AUTO_TEST_CASE(rate_does_not_collapse_at_one_percent_loss) {
  lose_every = 100;
  run(5s);
  for (int i = 0; i < 30; ++i) {
    const std::uint64_t before = delivered();
    run(1s);
    BOOST_TEST(static_cast<double>(delivered() - before) >= 0.85 * static_cast<double>(rate.bytes_in(1s)));
  }
}

BOOST_AUTO_TEST_CASE(start_up_on_a_shallow_queue_loses_less_than_a_third) {
  queue_bytes = 10'000;  // a tenth of the BDP
  run(1s);
  BOOST_TEST(lost_packets() > 0u);
  BOOST_TEST(3 * lost_packets() < sent_packets());
  BOOST_TEST(bbr.state() != State::startup);
  const std::uint64_t lost = lost_packets(), sent = sent_packets();
  run(20s);
  BOOST_TEST(static_cast<double>(lost_packets() - lost) < 0.02 * static_cast<double>(sent_packets() - sent));
  BOOST_TEST(megabits(bbr.model().max_rate()) >= 18.0);
}

BOOST_AUTO_TEST_CASE(what_trouble_cut_is_lifted_with_the_next_probe) {
  run(3s);
  BOOST_TEST_REQUIRE(run_until(State::cruise, 4s));
  lose_every = 3;
  run(3 * round_trip);
  lose_every = 0;
  BOOST_TEST(bbr.model().bounds.inflight < PathModel::kUnbounded);
  BOOST_TEST_REQUIRE(run_until(State::refill, 4s));
  BOOST_TEST(bbr.model().bounds.inflight == PathModel::kUnbounded);
  BOOST_TEST(bbr.model().bounds.rate == PathModel::kUnbounded);
}

BOOST_AUTO_TEST_CASE(persistent_congestion_falls_to_four_packets_and_comes_back) {
  run(4s);
  bbr.on_persistent_congestion();
  BOOST_TEST(bbr.window() == 4u * kSize);
  run(1s);
  BOOST_TEST(bbr.window() > bdp());
}

BOOST_AUTO_TEST_CASE(datagram_size_sets_the_initial_window_and_later_the_minimum) {
  bbr.on_datagram_size(1400);
  BOOST_TEST(bbr.window() == 14'000u);
  bbr.on_datagram_size(kSize);
  BOOST_TEST(bbr.window() == 12'000u);
  run(4s);
  const std::uint64_t window = bbr.window();
  bbr.on_datagram_size(1400);
  BOOST_TEST(bbr.window() == window);
  bbr.on_persistent_congestion();
  BOOST_TEST(bbr.window() == 4u * 1400);
  bbr.on_datagram_size(9000);
  BOOST_TEST(bbr.window() == 2u * 9000);
}

// Large datagrams are used while the window holds four of them (connection/datagram_size_search.h): a window that has
// fallen as far as it can must hold less, or the size would stay for ever.
BOOST_AUTO_TEST_CASE(smallest_window_makes_large_datagrams_smaller) {
  for (std::size_t size = kMaxUdpPayload; size > 1500; size /= 2) {
    bbr.on_datagram_size(size);
    bbr.on_persistent_congestion();
    BOOST_TEST(bbr.window() >= 2 * size);
    BOOST_TEST(bbr.window() < 4 * size, "datagrams of " << size);
  }
}

// ECN: whatever was lost, the round was congested.
BOOST_AUTO_TEST_CASE(a_marked_round_bounds_what_is_in_flight_until_the_next_probe) {
  BOOST_TEST_REQUIRE(run_until(State::cruise, 4s));
  run(2 * round_trip);
  BOOST_TEST_REQUIRE(bbr.state() == State::cruise);
  BOOST_TEST(bbr.model().bounds.inflight == PathModel::kUnbounded);
  const std::uint64_t window = bbr.window();
  marks = true;
  run(2ms);
  marks = false;
  run(2 * round_trip);
  BOOST_TEST(bbr.model().bounds.inflight < PathModel::kUnbounded);
  BOOST_TEST(bbr.window() <= window * 7 / 10 + kSize);
  // One mark, one cut.
  const std::uint64_t bound = bbr.model().bounds.inflight;
  run(2 * round_trip);
  BOOST_TEST(bbr.model().bounds.inflight == bound);
}

BOOST_AUTO_TEST_CASE(a_mark_ends_up_at_once_and_startup_with_its_round) {
  BOOST_TEST_REQUIRE(run_until(State::up, 10s));
  marks = true;
  run(2ms);
  BOOST_TEST(bbr.state() == State::down);

  Pipe starting;
  starting.rate = ByteRate::bits_per_second(1'000'000'000);
  starting.run(6 * round_trip);
  BOOST_TEST_REQUIRE(starting.bbr.state() == State::startup);
  starting.marks = true;
  starting.run(round_trip + 10ms);
  BOOST_TEST(!starting.bbr.in_slow_start());
}

BOOST_AUTO_TEST_SUITE_END()

// ---- losses that were none

namespace {

// Driven by hand, so that one thing happens at a time: rounds of 100 packets, acknowledged together.
struct ByHand {
  Bbr bbr{1000};
  RttEstimator rtt{50ms};
  RateSampler sampler;
  Timestamp now{1s};
  std::uint64_t next = 0;
  std::uint64_t in_flight = 0;
  std::uint64_t marks = 0;  // CE, told of by each ACK

  std::vector<SentPacket> send(std::uint64_t count) {
    std::vector<SentPacket> packets;
    for (std::uint64_t i = 0; i < count; ++i) {
      packets.push_back({.number = PacketNumber(next++),
                         .sent_at = now,
                         .size_bytes = 1000,
                         .ack_eliciting = true,
                         .in_flight = true});
      packets.back().delivery = sampler.on_packet_sent(now, in_flight, 1000);
      bbr.on_packet_sent(packets.back(), in_flight);
      in_flight += 1000;
    }
    return packets;
  }
  // The first `lost` of the packets never arrive, and neither do the last `lost_behind`; the others do, after
  // `round_trip`.
  void round(std::uint64_t count, std::uint64_t lost, Duration round_trip = 50ms, std::uint64_t lost_behind = 0) {
    std::vector<SentPacket> packets = send(count);
    now += round_trip;
    const std::vector<SentPacket> acknowledged(packets.begin() + static_cast<std::ptrdiff_t>(lost),
                                               packets.end() - static_cast<std::ptrdiff_t>(lost_behind));
    packets.erase(packets.begin() + static_cast<std::ptrdiff_t>(lost),
                  packets.end() - static_cast<std::ptrdiff_t>(lost_behind));
    lost += lost_behind;
    const std::uint64_t before = in_flight;
    for (const SentPacket& packet : acknowledged) sampler.on_acknowledged(packet);
    rtt.on_sample(now, round_trip, 0ms);
    in_flight -= count * 1000;
    if (lost != 0) {
      sampler.on_lost(lost * 1000);
      std::vector<LostPacket> losses;
      for (std::uint64_t i = 0; i < lost; ++i) losses.push_back({packets[i], LossReason::reordering});
      bbr.on_loss({.now = now,
                   .lost = losses,
                   .bytes = lost * 1000,
                   .packets = lost,
                   .latest_sent_at = losses.back().packet.sent_at,
                   .in_flight_before = before,
                   .total_lost = sampler.lost()},
                  rtt);
    }
    bbr.on_ack({.now = now,
                .acknowledged = acknowledged,
                .bytes = acknowledged.size() * 1000,
                .largest = acknowledged.back().number,
                .rtt_sampled = true,
                .in_flight_before = before,
                .in_flight = in_flight,
                .rate = sampler.finish_ack(now),
                .ecn_ce = marks},
               rtt);
  }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(bbr_late_arrivals, ByHand)

BOOST_AUTO_TEST_CASE(heavy_loss_ends_startup) {
  for (std::uint64_t packets = 10; packets <= 80; packets *= 2) round(packets, 0);
  BOOST_TEST(bbr.state() == State::startup);
  round(160, 60);
  BOOST_TEST(bbr.state() != State::startup);
  BOOST_TEST(bbr.model().bounds.inflight_limit != PathModel::kUnbounded);
}

// Before the round is over, and before anything that arrived is known.
BOOST_AUTO_TEST_CASE(heavy_loss_ends_startup_at_once) {
  for (std::uint64_t packets = 10; packets <= 80; packets *= 2) round(packets, 0);
  const std::vector<SentPacket> packets = send(160);
  now += 50ms;
  std::vector<LostPacket> lost;
  const auto lose = [&](std::size_t first, std::size_t last) {
    lost.clear();
    for (std::size_t i = first; i < last; ++i) lost.push_back({packets[i], LossReason::reordering});
    sampler.on_lost(lost.size() * 1000);
    bbr.on_loss({.now = now,
                 .lost = lost,
                 .bytes = lost.size() * 1000,
                 .packets = lost.size(),
                 .latest_sent_at = packets[last - 1].sent_at,
                 .in_flight_before = in_flight,
                 .total_lost = sampler.lost()},
                rtt);
  };
  lose(140, 150);
  BOOST_TEST(bbr.state() == State::startup);
  lose(150, 160);
  BOOST_TEST(bbr.state() == State::startup);
  lose(100, 140);
  BOOST_TEST(bbr.state() == State::drain);
  BOOST_TEST(!bbr.in_slow_start());
  BOOST_TEST(bbr.model().bounds.inflight_limit >= 80'000u);  // at least what the round before delivered
  BOOST_TEST(bbr.model().bounds.inflight_limit < 160'000u);
}

// The limit that start-up leaves behind is what was delivered in a round, or what the path holds by its rate: whichever
// is more.
BOOST_AUTO_TEST_CASE(heavy_loss_in_startup_leaves_room_for_what_was_delivered) {
  struct Case {
    std::uint64_t packets;  // of the last round
    Duration round_trip;
    std::uint64_t limit;
  };
  for (const Case& one : {Case{160, 100ms, 160'000}, Case{20, 50ms, 80'000}}) {
    ByHand flow;
    for (std::uint64_t packets = 10; packets <= 80; packets *= 2) flow.round(packets, 0);
    flow.round(one.packets, 0, one.round_trip);
    std::vector<LostPacket> lost;
    for (const SentPacket& packet : flow.send(20)) lost.push_back({packet, LossReason::reordering});
    flow.sampler.on_lost(20'000);
    flow.bbr.on_loss({.now = flow.now,
                      .lost = lost,
                      .bytes = 20'000,
                      .packets = 20,
                      .latest_sent_at = flow.now,
                      .in_flight_before = flow.in_flight,
                      .total_lost = flow.sampler.lost()},
                     flow.rtt);
    BOOST_TEST(flow.bbr.state() == State::drain);
    BOOST_TEST(flow.bbr.model().bounds.inflight_limit == one.limit);
  }
}

BOOST_AUTO_TEST_CASE(startup_goes_on_when_half_of_what_ended_it_arrives) {
  for (std::uint64_t packets = 10; packets <= 80; packets *= 2) round(packets, 0);
  round(160, 60);
  BOOST_TEST_REQUIRE(bbr.state() != State::startup);
  bbr.on_late_arrival(29, 60);
  BOOST_TEST(bbr.state() != State::startup);
  bbr.on_late_arrival(30, 60);
  BOOST_TEST(bbr.state() == State::startup);
  BOOST_TEST(bbr.in_slow_start());
  BOOST_TEST(bbr.model().bounds.inflight_limit == PathModel::kUnbounded);
}

// Without a queue, 15 % of 200 packets are too many, and 2 % more for chance: 40 are, and 32 are not.
BOOST_AUTO_TEST_CASE(startup_goes_on_when_what_is_left_was_no_congestion) {
  for (std::uint64_t packets = 10; packets <= 80; packets *= 2) round(packets, 0);
  round(200, 0, 50ms, 40);
  BOOST_TEST_REQUIRE(bbr.state() != State::startup);
  for (std::uint64_t late = 1; late <= 4; ++late) bbr.on_late_arrival(late, 40);
  BOOST_TEST(bbr.state() != State::startup);
  for (std::uint64_t late = 5; late <= 8; ++late) bbr.on_late_arrival(late, 40);
  BOOST_TEST(bbr.state() == State::startup);
  BOOST_TEST(bbr.model().bounds.inflight_limit == PathModel::kUnbounded);
}

// The packet that overtook 40 waited 45 ms for its ACK, as its ACK says, and the 40 behind the gap came just now.
BOOST_AUTO_TEST_CASE(what_one_that_overtook_others_waited_for_is_not_taken_from_their_round_trips) {
  for (int i = 0; i < 4; ++i) round(20, 0);
  rtt.on_sample(now, 1ms, 0ms);
  const Duration before = bbr.model().min_rtt();
  BOOST_TEST((before == 50ms));
  for (int i = 0; i < 12; ++i) {
    std::vector<SentPacket> packets = send(42);
    now += 50ms;
    packets.erase(packets.begin() + 40);  // the gap
    for (const SentPacket& packet : packets) sampler.on_acknowledged(packet);
    std::rotate(packets.begin(), packets.begin() + 40, packets.end());  // ranges come from the highest down
    rtt.on_sample(now, 50ms, 45ms);
    in_flight = 0;
    bbr.on_ack({.now = now,
                .acknowledged = packets,
                .bytes = packets.size() * 1000,
                .largest = packets.front().number,
                .rtt_sampled = true,
                .in_flight_before = 42'000,
                .in_flight = 0,
                .rate = sampler.finish_ack(now)},
               rtt);
  }
  BOOST_TEST((bbr.model().min_rtt() >= 48ms));
}

BOOST_AUTO_TEST_CASE(what_a_mark_cut_stays_cut_when_losses_of_the_same_time_arrive) {
  for (std::uint64_t packets = 10; packets <= 80; packets *= 2) round(packets, 0);
  for (int i = 0; i < 30 && bbr.state() != State::cruise; ++i) round(80, 0);
  BOOST_TEST_REQUIRE(bbr.state() == State::cruise);
  marks = 1;
  round(80, 40);
  marks = 0;
  round(80, 0);
  const PathModel::Bounds cut = bbr.model().bounds;
  BOOST_TEST_REQUIRE(cut.inflight < PathModel::kUnbounded);
  bbr.on_late_arrival(40, 40);
  BOOST_TEST(bbr.model().bounds.rate == cut.rate);
  BOOST_TEST(bbr.model().bounds.inflight == cut.inflight);
}

BOOST_AUTO_TEST_CASE(startup_that_a_mark_ended_does_not_go_on_when_losses_arrive) {
  for (std::uint64_t packets = 10; packets <= 80; packets *= 2) round(packets, 0);
  BOOST_TEST_REQUIRE(bbr.state() == State::startup);
  marks = 1;
  round(160, 40);
  marks = 0;
  round(80, 0);
  BOOST_TEST_REQUIRE(!bbr.in_slow_start());
  bbr.on_late_arrival(40, 40);
  BOOST_TEST(!bbr.in_slow_start());
}

BOOST_AUTO_TEST_CASE(bounds_of_before_come_back_when_half_of_the_losses_arrive) {
  for (std::uint64_t packets = 10; packets <= 80; packets *= 2) round(packets, 0);
  for (int i = 0; i < 30 && bbr.state() != State::cruise; ++i) round(80, 0);
  BOOST_TEST_REQUIRE(bbr.state() == State::cruise);
  const PathModel::Bounds before = bbr.model().bounds;
  round(80, 40);
  round(80, 0);
  BOOST_TEST(bbr.model().bounds.rate < before.rate);
  BOOST_TEST(bbr.model().bounds.inflight < before.inflight);
  bbr.on_late_arrival(19, 40);
  BOOST_TEST(bbr.model().bounds.rate < before.rate);
  bbr.on_late_arrival(20, 40);
  BOOST_TEST(bbr.model().bounds.rate == before.rate);
  BOOST_TEST(bbr.model().bounds.inflight == before.inflight);
  BOOST_TEST(bbr.model().bounds.inflight_limit == before.inflight_limit);
}

BOOST_AUTO_TEST_CASE(startup_that_ended_because_the_pipe_was_full_does_not_begin_again) {
  for (std::uint64_t packets = 10; packets <= 80; packets *= 2) round(packets, 0);
  for (int i = 0; i < 30 && bbr.state() != State::cruise; ++i) round(80, 0);
  BOOST_TEST_REQUIRE(bbr.state() == State::cruise);
  round(80, 40);
  bbr.on_late_arrival(40, 40);
  BOOST_TEST(bbr.state() != State::startup);
}

BOOST_AUTO_TEST_CASE(losses_of_three_rounds_are_one_episode) {
  for (std::uint64_t packets = 10; packets <= 80; packets *= 2) round(packets, 0);
  const std::vector<SentPacket> packets = send(1);
  const LostPacket lost{packets[0], LossReason::time};
  const LossSample sample{.now = now,
                          .lost = std::span(&lost, 1),
                          .bytes = 1000,
                          .packets = 1,
                          .latest_sent_at = now,
                          .in_flight_before = in_flight,
                          .total_lost = 1000};
  BOOST_TEST(bbr.on_loss(sample, rtt));
  BOOST_TEST(!bbr.on_loss(sample, rtt));
  in_flight = 0;
  round(80, 0);
  round(80, 0);
  BOOST_TEST(!bbr.on_loss(sample, rtt));
  round(80, 0);
  BOOST_TEST(bbr.on_loss(sample, rtt));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace bbr_test
