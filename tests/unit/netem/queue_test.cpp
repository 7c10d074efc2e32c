// CoDel and RED by themselves against what their papers calculate, and in front of a wire.
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "netem/codel.h"
#include "netem/link.h"
#include "netem/red.h"

using namespace std::chrono_literals;
using namespace mxp;
using namespace mxp::netem;

namespace {

constexpr Timestamp kBegin{1h};

LinkSpec queue_spec(std::string_view text) {
  const auto parsed = parse_link_spec(text);
  BOOST_REQUIRE_MESSAGE(parsed.has_value(), text);
  return *parsed;
}

// A sender that takes no notice of losses: `packets` of 1222 + 28 bytes, one every `pace`. Returns the delay of those
// that arrived.
struct Load {
  Load(std::string_view text, std::size_t packets, Duration pace, Ecn ecn = Ecn::not_ect)
      : link(queue_spec(text), {.seed = 5}) {
    const std::vector<std::uint8_t> bytes(1'222);
    Timestamp now = kBegin;
    for (std::size_t i = 0; i < packets; ++i, now += pace) {
      take(now);
      link.offer(bytes, now, 0, ecn);
    }
    while (const auto due = link.next_departure()) take(*due);
  }
  void take(Timestamp now) {
    while (const auto packet = link.take(now)) {
      waits.push_back(packet->due_at - packet->offered_at);
      marked += packet->ecn == Ecn::ce ? 1 : 0;
    }
  }
  Link link;
  std::vector<Duration> waits;
  std::size_t marked = 0;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(netem_queue)

// RFC 8289 §5.3: after an interval above the target, one drop; the n-th after it interval / sqrt(n) after the one
// before.
BOOST_AUTO_TEST_CASE(codel_drops_at_the_times_of_its_control_law) {
  Codel codel(5ms, 100ms);
  std::vector<double> drops_ms;
  for (Timestamp now = kBegin; now < kBegin + 1s; now += 100us) {
    const Codel::Head head{.waited = 10ms, .bytes = 1'500, .bytes_behind = 100'000};
    while (codel.judge(head, now) == QueueFate::drop) {
      drops_ms.push_back(std::chrono::duration<double, std::milli>(now - kBegin).count());
    }
  }
  double expected = 100;
  BOOST_REQUIRE(drops_ms.size() > 15u);
  for (std::size_t i = 0; i < drops_ms.size(); ++i) {
    BOOST_TEST(std::abs(drops_ms[i] - expected) < 0.2, i << ": " << drops_ms[i] << " instead of " << expected);
    expected += 100 / std::sqrt(static_cast<double>(i + 1));
  }
}

BOOST_AUTO_TEST_CASE(codel_leaves_short_waits_and_single_packets_alone) {
  Codel patient(5ms, 100ms);
  Codel small(5ms, 100ms);
  for (Timestamp now = kBegin; now < kBegin + 2s; now += 1ms) {
    // Below the target once in each interval.
    const Duration waited = (now - kBegin) % 90ms == 0ms ? 4ms : 50ms;
    BOOST_REQUIRE((patient.judge({.waited = waited, .bytes = 1'500, .bytes_behind = 50'000}, now) == QueueFate::send));
    BOOST_REQUIRE((small.judge({.waited = 50ms, .bytes = 1'500, .bytes_behind = 1'500}, now) == QueueFate::send));
  }
}

BOOST_AUTO_TEST_CASE(codel_marks_what_allows_it_at_the_same_times) {
  Codel codel(5ms, 100ms);
  std::size_t marks = 0;
  for (Timestamp now = kBegin; now < kBegin + 300ms; now += 100us) {
    const QueueFate fate =
        codel.judge({.waited = 10ms, .bytes = 1'500, .bytes_behind = 100'000, .may_mark = true}, now);
    BOOST_REQUIRE((fate != QueueFate::drop));
    marks += fate == QueueFate::mark ? 1 : 0;
  }
  BOOST_TEST(marks == 3u);  // at 100, 200 and 270.7 ms
}

BOOST_AUTO_TEST_CASE(red_averages_with_its_weight) {
  const RedLevels levels{.min_bytes = 1e9, .max_bytes = 2e9, .weight = 1.0 / 256};
  Red red({}, levels, ByteRate::bytes_per_second(1'000'000));
  for (int i = 0; i < 300; ++i) red.judge(50'000, false, 0.5, kBegin);
  BOOST_TEST(red.average_bytes() == 50'000 * (1 - std::pow(255.0 / 256, 300)), boost::test_tools::tolerance(1e-9));
  // A packet of 1000 bytes takes 1 ms, so 200 ms of an empty queue count as 200 packets.
  const double before = red.average_bytes();
  red.on_empty(kBegin);
  red.judge(0, false, 0.5, kBegin + 200ms);
  BOOST_TEST(red.average_bytes() == before * std::pow(255.0 / 256, 200), boost::test_tools::tolerance(1e-9));
}

// Floyd and Jacobson's example: bursts of 50 packets below a minimum of 5 need a weight of at most 0.0042.
BOOST_AUTO_TEST_CASE(red_weight_is_that_of_the_paper) {
  BOOST_TEST(red_weight(50, 5) == 1.0 / 256);
  BOOST_TEST(red_weight(5, 5) == 0.5);
}

// The number of packets from one choice to the next is uniform between 1 and 1/p (method 2 of the paper).
BOOST_AUTO_TEST_CASE(red_spaces_its_choices_evenly) {
  LinkSpec::Queue queue;
  queue.probability = 0.1;
  const RedLevels levels{.min_bytes = 10'000, .max_bytes = 30'000, .weight = 1};
  Red red(queue, levels, ByteRate::bytes_per_second(1'000'000));
  const FlowDraws draws(3, 0, 0);
  std::vector<double> gaps(21);
  std::size_t gap = 0;
  double choices = 0;
  for (std::uint64_t i = 0; i < 200'000; ++i) {
    ++gap;
    // Half way between the levels: 5 %.
    if (red.judge(20'000, false, draws.uniform({.packet = i}, Purpose::queue), kBegin) == QueueFate::send) continue;
    BOOST_REQUIRE(gap <= 20u);
    ++gaps[gap];
    ++choices;
    gap = 0;
  }
  double chi_square = 0;
  for (std::size_t i = 1; i <= 20; ++i) {
    const double expected = choices / 20;
    chi_square += (gaps[i] - expected) * (gaps[i] - expected) / expected;
  }
  BOOST_TEST(chi_square < 43.8);  // 19 degrees of freedom, once in a thousand
}

BOOST_AUTO_TEST_CASE(red_passes_below_its_minimum_and_nothing_beyond_its_maximum) {
  LinkSpec::Queue queue;
  queue.ecn = true;
  const RedLevels levels{.min_bytes = 10'000, .max_bytes = 30'000, .weight = 1};
  Red red(queue, levels, ByteRate::bytes_per_second(1'000'000));
  BOOST_TEST((red.judge(9'999, true, 0.0, kBegin) == QueueFate::send));
  BOOST_TEST((red.judge(30'000, true, 0.99, kBegin) == QueueFate::mark));
  BOOST_TEST((red.judge(30'000, false, 0.99, kBegin) == QueueFate::drop));
  queue.harddrop = true;
  Red hard(queue, levels, ByteRate::bytes_per_second(1'000'000));
  BOOST_TEST((hard.judge(30'000, true, 0.99, kBegin) == QueueFate::drop));
}

BOOST_AUTO_TEST_CASE(an_idle_managed_queue_changes_nothing) {
  // 10 Mbit/s carry a packet a millisecond; one every 2 ms never waits.
  for (const std::string queue : {"queue codel", "queue red"}) {
    const Load managed("delay 20ms 3ms rate 10mbit loss 1% " + queue, 2'000, 2ms);
    const Load plain("delay 20ms 3ms rate 10mbit loss 1%", 2'000, 2ms);
    BOOST_TEST((managed.waits.size() == plain.waits.size()));
    BOOST_TEST(managed.link.counters().queue_dropped == 0u);
  }
}

BOOST_AUTO_TEST_CASE(a_managed_queue_bounds_the_wait_that_droptail_lets_grow) {
  // 25 % more than the wire takes, for 10 s.
  constexpr std::size_t kPackets = 12'500;
  const Load plain("rate 10mbit limit 1000", kPackets, 800us);
  const Load codel("rate 10mbit limit 1000 queue codel", kPackets, 800us);
  const Load red("rate 10mbit limit 1000 queue red min 15k max 45k probability 50%", kPackets, 800us);
  for (const Load* load : {&plain, &codel, &red}) {
    const LinkCounters& counters = load->link.counters();
    BOOST_TEST(counters.in == counters.out + counters.tail_dropped + counters.queue_dropped);
    BOOST_TEST(static_cast<double>(counters.rate().bits_per_second()) == 10e6, boost::test_tools::tolerance(0.01));
  }
  BOOST_TEST((plain.waits.back() > 900ms));
  BOOST_TEST(codel.link.counters().tail_dropped == 0u);
  BOOST_TEST((codel.waits.back() < 300ms));  // CoDel takes its time with senders that do not answer
  BOOST_TEST(red.link.counters().tail_dropped == 0u);
  BOOST_TEST((red.waits.back() < 60ms));
}

BOOST_AUTO_TEST_CASE(a_managed_queue_marks_instead_where_it_may) {
  for (const std::string queue : {"queue codel ecn", "queue red min 15k max 1m ecn"}) {
    const Load marking("rate 10mbit limit 100000 " + queue, 3'000, 800us, Ecn::ect0);
    const Load dropping("rate 10mbit limit 100000 " + queue, 3'000, 800us);
    BOOST_TEST(marking.link.counters().queue_dropped == 0u);
    BOOST_TEST(marking.marked > 0u);
    BOOST_TEST(marking.link.counters().marked == marking.marked);
    BOOST_TEST(dropping.link.counters().queue_dropped > 0u);
    BOOST_TEST(dropping.marked == 0u);
  }
}

BOOST_AUTO_TEST_CASE(a_managed_queue_works_in_front_of_a_recorded_link) {
  LinkSpec spec = queue_spec("trace x queue codel");
  spec.trace.opportunities_ms = {1, 2};  // 12 Mbit/s
  Link link(spec);
  const std::vector<std::uint8_t> bytes(1'472);
  for (int i = 0; i < 2'000; ++i) {
    const Timestamp now = kBegin + i * 500us;
    while (link.take(now)) {
    }
    link.offer(bytes, now);
  }
  while (const auto due = link.next_departure()) link.take(*due);
  BOOST_TEST(link.counters().queue_dropped > 10u);
  BOOST_TEST(static_cast<double>(link.counters().rate().bits_per_second()) == 12e6, boost::test_tools::tolerance(0.01));
}

BOOST_AUTO_TEST_CASE(listed_packets_are_lost_and_no_others) {
  Link link(queue_spec("droplist 1-2,5"));
  std::string fates;
  for (int i = 0; i < 7; ++i) {
    fates += link.offer({}, kBegin, 0).fate == Fate::lost_listed ? 'x' : '.';
    fates += link.offer({}, kBegin, 1).fate == Fate::lost_listed ? 'x' : '.';
  }
  BOOST_TEST(fates == "xxxx....xx....");
  BOOST_TEST(link.counters().lost_listed == 6u);
  BOOST_TEST(link.counters().lost == 6u);
}

BOOST_AUTO_TEST_SUITE_END()
