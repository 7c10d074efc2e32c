// The link in virtual time: its statistics against what the models promise (fixed seeds, so never by luck), its rules,
// its determinism.
#include "netem/link.h"

#include <fmt/format.h>

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

using namespace std::chrono_literals;
using namespace mxp;
using namespace mxp::netem;

namespace {

constexpr Timestamp kStart{1h};

struct Arrival {
  std::uint64_t index;
  Duration after_offer;
  Timestamp at;
  std::vector<std::uint8_t> bytes;
  bool duplicate;
  bool corrupted;
  bool reordered;
  Ecn ecn;
};

LinkSpec spec(std::string_view text) {
  auto parsed = parse_link_spec(text);
  BOOST_REQUIRE_MESSAGE(parsed.has_value(), text << ": " << (parsed ? "" : parsed.error()));
  return *parsed;
}

// A sender of `packets` datagrams of `size` bytes at an even pace, and all that comes out.
struct Run {
  explicit Run(std::string_view text, std::uint64_t seed = 1) : link(spec(text), {.seed = seed}) {}
  Run(const LinkSpec& link_spec, std::uint64_t seed) : link(link_spec, {.seed = seed}) {}

  Run& send(std::size_t packets, std::size_t size = 1000, Duration pace = 1ms, FlowId flow = 0,
            Ecn ecn = Ecn::not_ect) {
    for (std::size_t i = 0; i < packets; ++i) {
      drain(now);
      verdicts.push_back(link.offer(std::vector<std::uint8_t>(size, 0x5a), now, flow, ecn));
      now += pace;
    }
    return *this;
  }
  Run& drain(Timestamp until) {
    while (const auto due = link.next_departure()) {
      if (*due > until) break;
      const auto packet = link.take(*due);
      BOOST_REQUIRE(packet.has_value());
      arrivals.push_back({packet->index,
                          *due - packet->offered_at,
                          *due,
                          {packet->bytes.begin(), packet->bytes.end()},
                          packet->duplicate,
                          packet->corrupted,
                          packet->reordered,
                          packet->ecn});
    }
    return *this;
  }
  Run& drain() { return drain(kNever); }
  const LinkCounters& counters() const { return link.counters(); }

  Link link;
  Timestamp now = kStart;
  std::vector<Arrival> arrivals;
  std::vector<Verdict> verdicts;
};

// Four standard deviations of a binomial share: a right model fails it for one seed in 16,000; the seeds are fixed.
bool within_binomial(std::uint64_t hits, std::uint64_t trials, double p) {
  const double sigma = std::sqrt(p * (1 - p) / static_cast<double>(trials));
  return std::abs(static_cast<double>(hits) / static_cast<double>(trials) - p) < 4 * sigma + 1e-12;
}

double mean_ms(const Run& run) {
  double sum = 0;
  for (const Arrival& arrival : run.arrivals)
    sum += std::chrono::duration<double, std::milli>(arrival.after_offer).count();
  return sum / static_cast<double>(run.arrivals.size());
}

std::size_t overtakers(const Run& run) {
  std::size_t count = 0;
  std::uint64_t highest = 0;
  for (const Arrival& arrival : run.arrivals) {
    if (arrival.index < highest) ++count;
    highest = std::max(highest, arrival.index);
  }
  return count;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(netem_link)

BOOST_AUTO_TEST_CASE(perfect_link_passes_everything_at_once_and_unchanged) {
  Link link(LinkSpec{});
  BOOST_TEST(!link.next_departure().has_value());
  const std::vector<std::uint8_t> bytes = {1, 2, 3};
  BOOST_TEST((link.offer(bytes, kStart, 9, Ecn::ect0).fate == Fate::passed));
  BOOST_TEST((link.next_departure() == kStart));
  const auto packet = link.take(kStart);
  BOOST_REQUIRE(packet.has_value());
  BOOST_TEST(std::vector<std::uint8_t>(packet->bytes.begin(), packet->bytes.end()) == bytes,
             boost::test_tools::per_element());
  BOOST_TEST(packet->flow == 9u);
  BOOST_TEST((packet->ecn == Ecn::ect0));
  BOOST_TEST(!link.take(kStart + 1h).has_value());
}

BOOST_AUTO_TEST_CASE(nothing_leaves_before_it_is_due) {
  Run run("delay 20ms");
  run.link.offer({}, kStart);
  BOOST_TEST((run.link.next_departure() == kStart + 20ms));
  BOOST_TEST(!run.link.take(kStart + 20ms - 1ns).has_value());
  BOOST_TEST(run.link.take(kStart + 20ms).has_value());
}

BOOST_AUTO_TEST_CASE(views_of_taken_packets_stay_valid_until_the_next_offer) {
  Run run("delay 1ms");
  for (std::uint8_t i = 0; i < 50; ++i) run.link.offer(std::vector<std::uint8_t>(100, i), kStart);
  std::vector<Departure> batch;
  while (auto packet = run.link.take(kStart + 1ms)) batch.push_back(*packet);
  BOOST_REQUIRE(batch.size() == 50u);
  for (std::uint8_t i = 0; i < 50; ++i) BOOST_TEST(batch[i].bytes[99] == i);
}

BOOST_AUTO_TEST_CASE(random_loss_takes_its_share) {
  for (const auto& [text, p] :
       std::map<std::string, double>{{"loss 1%", 0.01}, {"loss 30%", 0.3}, {"loss 0%", 0}, {"loss 100%", 1}}) {
    Run run(text, 11);
    run.send(20'000, 10).drain();
    BOOST_TEST(within_binomial(run.counters().lost, 20'000, p), text << " lost " << run.counters().lost);
    BOOST_TEST(run.counters().in == 20'000u);
    BOOST_TEST(run.counters().out == 20'000u - run.counters().lost);
  }
}

BOOST_AUTO_TEST_CASE(gilbert_elliott_has_its_stationary_loss_and_burst_length) {
  // p 1 %, r 25 %: loss p/(p+r) = 3.85 %, bursts of 4 packets.
  Run run("loss gemodel 1% 25%", 5);
  run.send(200'000, 10).drain();
  std::size_t bursts = 0;
  bool before = false;
  for (const Verdict& verdict : run.verdicts) {
    const bool lost = verdict.fate == Fate::lost;
    if (lost && !before) ++bursts;
    before = lost;
  }
  const double loss = static_cast<double>(run.counters().lost) / 200'000;
  BOOST_TEST(loss == 0.01 / 0.26, boost::test_tools::tolerance(0.06));
  BOOST_TEST(static_cast<double>(run.counters().lost) / static_cast<double>(bursts) == 4.0,
             boost::test_tools::tolerance(0.05));

  // With losses in both states: (r*loss_in_good + p*loss_in_bad) / (p+r).
  Run mixed("loss gemodel 5% 20% 60% 2%", 6);
  mixed.send(200'000, 10).drain();
  BOOST_TEST(static_cast<double>(mixed.counters().lost) / 200'000 == (0.2 * 0.02 + 0.05 * 0.6) / 0.25,
             boost::test_tools::tolerance(0.05));
}

BOOST_AUTO_TEST_CASE(four_state_model_has_its_stationary_loss) {
  // Without isolated losses and without returns within a burst: bursts of 1/p31 packets, good periods of 1/p13.
  Run run("loss state 2% 50%", 3);
  run.send(200'000, 10).drain();
  BOOST_TEST(static_cast<double>(run.counters().lost) / 200'000 == 0.02 / 0.52, boost::test_tools::tolerance(0.05));
  // Isolated losses only: every one is followed by a packet that passes.
  Run isolated("loss state 0% 100% 0% 100% 30%", 3);
  isolated.send(20'000, 10).drain();
  BOOST_TEST(static_cast<double>(isolated.counters().lost) / 20'000 == 0.3 / 1.3, boost::test_tools::tolerance(0.05));
  for (std::size_t i = 1; i < isolated.verdicts.size(); ++i) {
    BOOST_REQUIRE(!(isolated.verdicts[i].fate == Fate::lost && isolated.verdicts[i - 1].fate == Fate::lost));
  }
}

BOOST_AUTO_TEST_CASE(jitter_has_the_mean_and_the_width_that_were_asked_for) {
  // order time: keeping the order can only add delay.
  struct Case {
    std::string_view text;
    double mean_ms;
    double lowest_ms;
    double highest_ms;
  };
  for (const Case& c : {Case{"delay 50ms 10ms order time", 50, 40, 60},
                        Case{"delay 50ms 10ms distribution normal order time", 50, 10, 90},
                        Case{"delay 50ms 10ms distribution pareto order time", 49.4, 43, 90},
                        Case{"delay 50ms 10ms distribution paretonormal order time", 49.6, 34, 90}}) {
    Run run(c.text, 2);
    run.send(50'000, 10).drain();
    BOOST_TEST(mean_ms(run) == c.mean_ms, boost::test_tools::tolerance(0.01));
    for (const Arrival& arrival : run.arrivals) {
      const double ms = std::chrono::duration<double, std::milli>(arrival.after_offer).count();
      BOOST_REQUIRE(ms >= c.lowest_ms);
      BOOST_REQUIRE(ms <= c.highest_ms);
    }
  }
}

BOOST_AUTO_TEST_CASE(jitter_reorders_only_when_asked_to) {
  Run keep("delay 50ms 20ms", 4);
  keep.send(5'000, 10).drain();
  BOOST_TEST(overtakers(keep) == 0u);
  Run time("delay 50ms 20ms order time", 4);
  time.send(5'000, 10).drain();
  BOOST_TEST(overtakers(time) > 1'000u);
}

BOOST_AUTO_TEST_CASE(order_keep_says_how_much_delay_it_added) {
  // Ten packets a millisecond and 20 ms of jitter either way: nearly every packet waits for a slower one before it, so
  // that the mean delay is near the largest one.
  Run keep("delay 50ms 20ms limit 100000", 4);
  keep.send(20'000, 10, 100us).drain();
  const auto shift = std::chrono::duration<double, std::milli>(keep.counters().order_shift.mean()).count();
  BOOST_TEST(keep.counters().order_shift.count() == 20'000u);
  BOOST_TEST(shift > 10);
  BOOST_TEST(mean_ms(keep) - shift == 50.0, boost::test_tools::tolerance(0.01));  // what jitter alone would have given
  // The wire keeps the order as well; the wait behind slower packets is the same.
  Run with_rate("delay 50ms 20ms limit 100000 rate 10gbit", 4);
  with_rate.send(20'000, 10, 100us).drain();
  BOOST_TEST((with_rate.counters().order_shift.mean() == keep.counters().order_shift.mean()));
  // Rare packets do not meet, and without jitter nobody overtakes.
  Run rare("delay 50ms 20ms", 4);
  rare.send(100, 10, 1s).drain();
  BOOST_TEST((rare.counters().order_shift.max() == 0ns));
  Run even("delay 50ms", 4);
  even.send(100, 10).drain();
  BOOST_TEST((even.counters().order_shift.max() == 0ns));
  Run time("delay 50ms 20ms order time", 4);
  time.send(1'000, 10, 100us).drain();
  BOOST_TEST(time.counters().order_shift.count() == 0u);
}

BOOST_AUTO_TEST_CASE(delay_counts_from_when_a_packet_came) {
  Link link(spec("delay 20ms"));
  link.offer({}, kStart, 0, Ecn::not_ect, 5ms);
  const auto packet = link.take(kStart + 20ms);
  BOOST_REQUIRE(packet.has_value());
  BOOST_TEST((packet->due_at == kStart + 20ms));
  BOOST_TEST((packet->waited == 5ms));
  BOOST_TEST((link.counters().delay.max() == 25ms));
}

BOOST_AUTO_TEST_CASE(correlated_jitter_moves_slowly) {
  const auto mean_step = [](std::string_view text) {
    Run run(text, 8);
    run.send(20'000, 10, 1s).drain();
    double sum = 0;
    for (std::size_t i = 1; i < run.arrivals.size(); ++i) {
      sum += std::abs(static_cast<double>((run.arrivals[i].after_offer - run.arrivals[i - 1].after_offer).count()));
    }
    return sum;
  };
  BOOST_TEST(mean_step("delay 50ms 20ms 90%") < mean_step("delay 50ms 20ms") / 5);
}

BOOST_AUTO_TEST_CASE(reorder_sends_its_share_at_once_and_delays_the_others) {
  Run run("delay 10ms reorder 25%", 9);
  run.send(20'000, 10).drain();
  BOOST_TEST(within_binomial(run.counters().reordered, 20'000, 0.25));
  for (const Arrival& arrival : run.arrivals)
    BOOST_REQUIRE((arrival.after_offer == (arrival.reordered ? Duration(0) : Duration(10ms))));
  BOOST_TEST(overtakers(run) > 0u);
}

BOOST_AUTO_TEST_CASE(reorder_gap_delays_at_least_that_many_less_one_between) {
  // "gap 5" alone: every fifth packet passes those before it.
  Run run("delay 10ms gap 5", 1);
  run.send(100, 10).drain();
  for (const Verdict& verdict : run.verdicts) BOOST_TEST(verdict.reordered == (verdict.index % 5 == 4));
}

BOOST_AUTO_TEST_CASE(rate_is_met_within_one_percent) {
  Run run("rate 10mbit limit 100000", 1);
  run.send(5'000, 1200, 100us).drain();  // 98 Mbit/s offered
  BOOST_TEST(static_cast<double>(run.counters().rate().bits_per_second()) == 10e6, boost::test_tools::tolerance(0.01));
  // 1200 + 28 bytes at 10 Mbit/s.
  BOOST_TEST((run.arrivals.front().after_offer == 982'400ns));
}

BOOST_AUTO_TEST_CASE(rate_counts_overhead_and_cells) {
  // ATM: 1028 bytes of IP in 22 cells of 48 + 5 bytes = 1166 bytes at 8 Mbit/s.
  Run run("rate 8mbit 0 48 5");
  run.send(1, 1000).drain();
  BOOST_TEST((run.arrivals.front().after_offer == 1'166us));
  Run overhead("rate 8mbit 18");
  overhead.send(1, 1000).drain();
  BOOST_TEST((overhead.arrivals.front().after_offer == 1'046us));
}

BOOST_AUTO_TEST_CASE(waiting_for_the_wire_and_being_on_the_way_overlap) {
  // As in sch_netem: max(now + delay, end of the packet before) + time on the wire.
  Run run("delay 10ms rate 8mbit");
  run.send(3, 972, 0ms).drain();  // 1000 bytes each: 1 ms
  BOOST_TEST((run.arrivals[0].after_offer == 11ms));
  BOOST_TEST((run.arrivals[1].after_offer == 12ms));
  BOOST_TEST((run.arrivals[2].after_offer == 13ms));
}

BOOST_AUTO_TEST_CASE(full_queue_drops_the_newest_and_counts_it_apart_from_loss) {
  Run run("delay 10ms limit 5");
  run.send(8, 10, 0ms).drain();
  BOOST_TEST(run.counters().tail_dropped == 3u);
  BOOST_TEST(run.counters().lost == 0u);
  BOOST_TEST((run.verdicts[4].fate == Fate::passed));
  BOOST_TEST((run.verdicts[5].fate == Fate::tail_dropped));
  BOOST_TEST(run.arrivals.size() == 5u);
}

BOOST_AUTO_TEST_CASE(automatic_limit_holds_what_is_on_the_way_and_half_as_much_again) {
  // 100 Mbit/s x 200 ms = 2.5 MB: more than 1000 packets of 1228 bytes are on the way.
  Run plain("rate 100mbit delay 200ms");
  plain.send(4'000, 1200, 100us).drain();  // 98 Mbit/s offered
  BOOST_TEST(plain.counters().tail_dropped > 0u);
  Run automatic("rate 100mbit delay 200ms limit auto");
  automatic.send(4'000, 1200, 100us).drain();
  BOOST_TEST(automatic.counters().tail_dropped == 0u);
  Run flood("rate 100mbit delay 200ms limit auto");
  flood.send(10'000, 1200, 10us).drain();  // ten times the rate: even this queue has an end
  BOOST_TEST(flood.counters().tail_dropped > 0u);
}

BOOST_AUTO_TEST_CASE(copies_are_made_of_the_share_that_was_asked_for) {
  Run run("duplicate 10%", 3);
  run.send(20'000, 10).drain();
  BOOST_TEST(within_binomial(run.counters().duplicated, 20'000, 0.1));
  BOOST_TEST(run.counters().out == 20'000u + run.counters().duplicated);
  std::map<std::uint64_t, int> copies;
  for (const Arrival& arrival : run.arrivals) {
    if (arrival.duplicate) ++copies[arrival.index];
  }
  BOOST_TEST(copies.size() == run.counters().duplicated);
}

BOOST_AUTO_TEST_CASE(corruption_flips_exactly_one_bit_of_its_share) {
  Run run("corrupt 20%", 3);
  run.send(20'000, 64).drain();
  BOOST_TEST(within_binomial(run.counters().corrupted, 20'000, 0.2));
  std::set<std::size_t> places;
  for (const Arrival& arrival : run.arrivals) {
    int flipped = 0;
    for (std::size_t i = 0; i < arrival.bytes.size(); ++i) {
      const int bits = std::popcount(static_cast<unsigned>(arrival.bytes[i] ^ 0x5a));
      if (bits > 0) places.insert(i);
      flipped += bits;
    }
    BOOST_REQUIRE(flipped == (arrival.corrupted ? 1 : 0));
  }
  BOOST_TEST(places.size() == 64u);
  Run empty("corrupt 100%");
  empty.send(1, 0).drain();
  BOOST_TEST(empty.counters().corrupted == 0u);
}

BOOST_AUTO_TEST_CASE(ecn_marks_where_it_would_lose_if_the_packet_allows_it) {
  Run capable("loss 10% ecn delay 5ms", 3);
  capable.send(10'000, 10, 1ms, 0, Ecn::ect0).drain();
  BOOST_TEST(capable.counters().lost == 0u);
  BOOST_TEST(within_binomial(capable.counters().marked, 10'000, 0.1));
  std::size_t marked = 0;
  for (const Arrival& arrival : capable.arrivals) {
    marked += arrival.ecn == Ecn::ce ? 1 : 0;
    BOOST_REQUIRE((arrival.after_offer == 5ms));
  }
  BOOST_TEST(marked == capable.counters().marked);
  Run incapable("loss 10% ecn", 3);
  incapable.send(10'000, 10).drain();
  BOOST_TEST(incapable.counters().lost == capable.counters().marked);
  BOOST_TEST(incapable.counters().marked == 0u);
}

BOOST_AUTO_TEST_CASE(a_long_queue_marks_what_may_be_marked_and_loses_nothing) {
  // 1000 bytes take 1 ms. A burst of 20 waits 1, 2, ... 20 ms; more than 5 ms are too much.
  LinkSpec link = spec("rate 8mbit delay 30ms limit 1000");
  link.header_bytes = 0;
  link.ce_threshold = 5ms;
  Run burst(link, 1);
  burst.send(20, 1000, 0ms, 0, Ecn::ect0).drain();
  BOOST_REQUIRE(burst.arrivals.size() == 20u);
  for (const Arrival& arrival : burst.arrivals) {
    BOOST_TEST((arrival.ecn == (arrival.index < 5 ? Ecn::ect0 : Ecn::ce)), "packet " << arrival.index);
    BOOST_TEST(burst.verdicts[arrival.index].marked == (arrival.index >= 5));
  }
  BOOST_TEST(burst.counters().marked == 15u);
  Run paced(link, 1);
  paced.send(20, 1000, 1ms, 0, Ecn::ect0).drain();
  BOOST_TEST(paced.counters().marked == 0u);
  Run incapable(link, 1);
  incapable.send(20, 1000, 0ms).drain();
  BOOST_TEST(incapable.counters().marked == 0u);
  BOOST_TEST(incapable.arrivals.size() == 20u);
  for (const Arrival& arrival : incapable.arrivals) BOOST_TEST((arrival.ecn == Ecn::not_ect));
}

BOOST_AUTO_TEST_CASE(a_link_that_strips_marks_passes_the_packets_unmarked) {
  LinkSpec link = spec("rate 8mbit delay 30ms");
  link.ce_threshold = 5ms;
  link.marks = Marks::strip;
  Run run(link, 1);
  run.send(10, 1000, 0ms, 0, Ecn::ect0).send(10, 1000, 0ms, 0, Ecn::ce).drain();
  BOOST_REQUIRE(run.arrivals.size() == 20u);
  for (const Arrival& arrival : run.arrivals) BOOST_TEST((arrival.ecn == Ecn::not_ect));
  BOOST_TEST(run.counters().marked == 0u);
  // What cannot be marked is lost where `ecn` would have marked it.
  LinkSpec losing = spec("loss 100% ecn");
  losing.marks = Marks::strip;
  Run lost(losing, 1);
  lost.send(10, 1000, 1ms, 0, Ecn::ect0).drain();
  BOOST_TEST(lost.counters().lost == 10u);
}

BOOST_AUTO_TEST_CASE(the_mtu_changes_while_packets_are_on_the_way) {
  Run run("mtu 1500 delay 10ms");
  run.send(1, 1400);
  run.link.set_mtu(1280);  // what has entered passes
  run.send(1, 1400).send(1, 1252);
  run.link.set_mtu(0);
  run.send(1, 60'000).drain();
  const Fate expected[] = {Fate::passed, Fate::lost_too_big, Fate::passed, Fate::passed};
  for (std::size_t i = 0; i < 4; ++i) BOOST_TEST((run.verdicts[i].fate == expected[i]), "packet " << i);
  BOOST_TEST(run.arrivals.size() == 3u);
}

BOOST_AUTO_TEST_CASE(packets_above_the_mtu_are_lost) {
  Run run("mtu 1400");
  run.send(1, 1372).send(1, 1373).drain();
  BOOST_TEST((run.verdicts[0].fate == Fate::passed));
  BOOST_TEST((run.verdicts[1].fate == Fate::lost_too_big));
  BOOST_TEST(run.counters().lost == 1u);
  BOOST_TEST(run.counters().lost_too_big == 1u);
  auto ipv6 = spec("mtu 1400");
  ipv6.header_bytes = 48;
  Run run6(ipv6, 1);
  run6.send(1, 1352).send(1, 1353).drain();
  BOOST_TEST(run6.counters().lost_too_big == 1u);
}

BOOST_AUTO_TEST_CASE(outages_come_at_the_end_of_each_period) {
  Run run("outage 2s every 10s");
  run.send(30, 10, 1s).drain();
  for (const Verdict& verdict : run.verdicts) {
    BOOST_TEST((verdict.fate == Fate::lost_outage) == (verdict.index % 10 >= 8), "packet " << verdict.index);
  }
  BOOST_TEST(run.counters().lost == 6u);
  BOOST_TEST(run.counters().lost_outage == 6u);
}

BOOST_AUTO_TEST_CASE(slots_send_in_bursts_of_bounded_size) {
  Run run("slot 10ms packets 4");
  run.send(8, 10, 0ms).drain();
  for (std::size_t i = 0; i < 8; ++i) BOOST_TEST((run.arrivals[i].after_offer == (i < 4 ? 10ms : 20ms)));
  Run bytes("slot 10ms bytes 2000");
  bytes.send(6, 972, 0ms).drain();
  for (std::size_t i = 0; i < 6; ++i) BOOST_TEST((bytes.arrivals[i].after_offer == 10ms * static_cast<int>(i / 2 + 1)));
  Run drawn("slot 5ms 15ms", 2);
  drawn.send(2'000, 10, 100ms).drain();
  BOOST_TEST(mean_ms(drawn) == 10.0, boost::test_tools::tolerance(0.02));
}

BOOST_AUTO_TEST_CASE(recorded_link_sends_at_its_opportunities) {
  auto recorded = spec("trace some.file");
  recorded.trace.opportunities_ms = {5, 5, 20};
  Run run(recorded, 1);
  run.send(4, 1472, 0ms).drain();
  BOOST_TEST((run.arrivals[0].after_offer == 5ms));
  BOOST_TEST((run.arrivals[1].after_offer == 5ms));
  BOOST_TEST((run.arrivals[2].after_offer == 20ms));
  BOOST_TEST((run.arrivals[3].after_offer == 25ms));  // the second lap
}

// --- determinism --------------------------------------------------------------------------------------------------

namespace {

constexpr std::string_view kEverything =
    "delay 20ms 5ms 25% loss gemodel 5% 30% duplicate 5% 20% corrupt 3% reorder 10% 50% gap 3 rate 50mbit limit 100000";

std::string decisions(const Run& run) {
  std::string text;
  for (const Verdict& v : run.verdicts) {
    text += fmt::format("{}{}{}{} ", v.fate == Fate::passed ? "p" : "l", v.duplicated ? "d" : "",
                        v.corrupted ? "c" : "", v.reordered ? "r" : "");
  }
  return text;
}

}  // namespace

BOOST_AUTO_TEST_CASE(decisions_do_not_depend_on_timing) {
  Run even(kEverything, 77);
  even.send(3'000, 100, 1ms).drain();
  Run hasty(kEverything, 77);
  hasty.send(1'000, 100, 1us).send(500, 100, 3s).send(1'500, 100, 77us).drain();
  BOOST_TEST(decisions(even) == decisions(hasty));
  for (const char decision : {'p', 'l', 'd', 'c', 'r'}) BOOST_TEST(decisions(even).find(decision) != std::string::npos);
}

BOOST_AUTO_TEST_CASE(decisions_of_a_flow_do_not_depend_on_other_flows) {
  Run alone(kEverything, 77);
  alone.send(500, 100);
  Run crowded(kEverything, 77);
  Run one_of_them(kEverything, 77);
  for (int i = 0; i < 500; ++i) {
    crowded.send(1, 100, 10us, 0);
    one_of_them.verdicts.push_back(crowded.verdicts.back());
    crowded.send(i % 4, 200, 10us, 1 + static_cast<FlowId>(i % 3));
  }
  BOOST_TEST(decisions(alone) == decisions(one_of_them));
}

BOOST_AUTO_TEST_CASE(full_queue_does_not_shift_later_decisions) {
  Run roomy("delay 10ms loss gemodel 10% 30% reorder 20% gap 2 limit 100000", 5);
  Run tight("delay 10ms loss gemodel 10% 30% reorder 20% gap 2 limit 3", 5);
  roomy.send(2'000, 10, 1ms);
  tight.send(2'000, 10, 1ms);
  BOOST_TEST(tight.counters().tail_dropped > 0u);
  for (std::size_t i = 0; i < 2'000; ++i)
    BOOST_REQUIRE((tight.verdicts[i].fate == Fate::lost) == (roomy.verdicts[i].fate == Fate::lost));
}

BOOST_AUTO_TEST_CASE(seed_direction_and_flow_each_change_the_decisions) {
  const auto losses = [](std::uint64_t seed, netem::Direction direction, FlowId flow) {
    Link link(*parse_link_spec("loss 50%"), {.seed = seed, .direction = direction});
    std::string text;
    for (int i = 0; i < 200; ++i) text += link.offer({}, kStart, flow).fate == Fate::lost ? 'x' : '.';
    return text;
  };
  const std::set<std::string> all = {losses(1, netem::Direction::up, 0), losses(2, netem::Direction::up, 0),
                                     losses(1, netem::Direction::down, 0), losses(1, netem::Direction::up, 1),
                                     losses(0, netem::Direction::up, 0)};
  BOOST_TEST(all.size() == 5u);
  BOOST_TEST(losses(1, netem::Direction::up, 0) == losses(1, netem::Direction::up, 0));
}

BOOST_AUTO_TEST_CASE(same_seed_means_the_same_losses_in_every_release) {
  Link link(*parse_link_spec("loss 50%"), {.seed = 7});
  std::string text;
  for (int i = 0; i < 40; ++i) text += link.offer({}, kStart).fate == Fate::lost ? 'x' : '.';
  BOOST_TEST(text == "x...xxxxx...x..xxx.x.xxxx..x.x.x....x.xx");
}

BOOST_AUTO_TEST_CASE(forgotten_flow_starts_again_at_its_first_packet) {
  Run run("loss 50%", 3);
  run.send(50);
  run.link.forget(0);
  run.send(50);
  for (std::size_t i = 0; i < 50; ++i) BOOST_TEST((run.verdicts[i].fate == run.verdicts[i + 50].fate));
  BOOST_TEST(run.verdicts[50].index == 0u);
}

BOOST_AUTO_TEST_SUITE_END()
