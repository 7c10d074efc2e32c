// Links that change over time, played in virtual time.
#include "netem/timeline.h"

#include <boost/test/unit_test.hpp>
#include <string>
#include <vector>

using namespace std::chrono_literals;
using namespace mxp;
using namespace mxp::netem;

namespace {

constexpr Timestamp kOrigin{1h};

LinkSpec words(std::string_view text) {
  const auto parsed = parse_link_spec(text);
  BOOST_REQUIRE_MESSAGE(parsed.has_value(), text);
  return *parsed;
}

// All changes until then, as lines: "1500ms up delay 5ms".
std::vector<std::string> played(TimelinePlayer& player, Duration until) {
  std::vector<std::string> lines;
  player.start(kOrigin);
  while (player.next_change() <= kOrigin + until) {
    const Timestamp at = player.next_change();
    const auto change = player.take(at);
    BOOST_REQUIRE(change.has_value());
    std::string line = std::to_string((at - kOrigin) / 1ms) + "ms ";
    line += change->direction == Direction::up ? "up" : "down";
    if (change->spec) line += " " + to_string(*change->spec);
    if (change->blocked) line += *change->blocked ? " blocked" : " open";
    if (change->rebind) line += " rebind";
    if (change->path == Link::Path::other) line += " other";
    lines.push_back(line);
  }
  return lines;
}

using Lines = std::vector<std::string>;

}  // namespace

BOOST_AUTO_TEST_SUITE(netem_timeline)

BOOST_AUTO_TEST_CASE(steps_come_in_their_time) {
  Timeline timeline{.up = words("delay 1ms"), .down = words("delay 1ms"), .events = {}, .repeat = {}};
  timeline.events.push_back({.at = 1s, .direction = Direction::up, .spec = words("delay 5ms")});
  timeline.events.push_back({.at = 2s, .direction = Direction::down, .blocked = true});
  timeline.events.push_back({.at = 3s, .direction = Direction::down, .path = Link::Path::other, .blocked = false});
  timeline.events.push_back({.at = 3s, .rebind = true});
  TimelinePlayer player(timeline);
  BOOST_TEST(played(player, 1h) ==
                 (Lines{"1000ms up delay 5ms", "2000ms down blocked", "3000ms down open other", "3000ms up rebind"}),
             boost::test_tools::per_element());
  BOOST_TEST(to_string(player.link(Direction::up).spec) == "delay 5ms");
  BOOST_TEST(!player.link(Direction::down).blocked);
  BOOST_TEST((player.next_change() == kNever));
}

BOOST_AUTO_TEST_CASE(a_ramp_is_a_staircase_between_two_links) {
  Timeline timeline{.up = words("delay 10ms 2ms loss 2% rate 10mbit"), .down = {}, .events = {}, .repeat = {}};
  timeline.events.push_back(
      {.at = 1s, .direction = Direction::up, .spec = words("delay 30ms loss 4% rate 2mbit mtu 1400"), .ramp = 40ms});
  TimelinePlayer player(timeline);
  BOOST_TEST(played(player, 1h) == (Lines{"1000ms up delay 10ms 2ms loss 2% rate 10mbit mtu 1400",
                                          "1010ms up delay 15ms 1500us loss 2.5% rate 8mbit mtu 1400",
                                          "1020ms up delay 20ms 1ms loss 3% rate 6mbit mtu 1400",
                                          "1030ms up delay 25ms 500us loss 3.5% rate 4mbit mtu 1400",
                                          "1040ms up delay 30ms loss 4% rate 2mbit mtu 1400"}),
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_step_ends_the_ramp_of_its_direction) {
  Timeline timeline{.up = words("delay 10ms"), .down = {}, .events = {}, .repeat = {}};
  timeline.events.push_back({.at = 0s, .direction = Direction::up, .spec = words("delay 110ms"), .ramp = 100ms});
  timeline.events.push_back({.at = 15ms, .direction = Direction::up, .spec = words("delay 1ms")});
  TimelinePlayer player(timeline);
  const Lines lines = played(player, 1h);
  const Lines expected = {"0ms up delay 10ms", "10ms up delay 20ms", "15ms up delay 1ms"};
  BOOST_TEST(lines == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(long_ramps_have_a_bounded_number_of_steps) {
  Timeline timeline{.up = words("delay 10ms"), .down = {}, .events = {}, .repeat = {}};
  timeline.events.push_back({.at = 0s, .direction = Direction::up, .spec = words("delay 110ms"), .ramp = 1h});
  TimelinePlayer player(timeline);
  const auto lines = played(player, 2h);
  BOOST_TEST(lines.size() == TimelinePlayer::kMostRampSteps + 1);
  BOOST_TEST(lines.back() == "3600000ms up delay 110ms");
}

BOOST_AUTO_TEST_CASE(everything_begins_again_after_the_period) {
  Timeline timeline{.up = words("delay 1ms"), .down = words("delay 2ms"), .events = {}, .repeat = 10s};
  timeline.events.push_back({.at = 4s, .direction = Direction::up, .spec = words("delay 5ms"), .blocked = true});
  TimelinePlayer player(timeline);
  BOOST_TEST(played(player, 15s) == (Lines{"4000ms up delay 5ms blocked", "10000ms up delay 1ms open",
                                           "10000ms down delay 2ms open", "14000ms up delay 5ms blocked"}),
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(loss_models_that_have_nothing_between_them_change_at_once) {
  const auto half = [](std::string_view from, std::string_view to) {
    return to_string(between(words(from), words(to), 0.5));
  };
  BOOST_TEST(half("", "loss 2%") == "loss 1%");
  BOOST_TEST(half("loss 2%", "") == "loss 1%");
  BOOST_TEST(half("loss 2%", "loss gemodel 1% 25%") == "loss gemodel 1% 25% 100% 0%");
  BOOST_TEST(half("loss gemodel 1% 20%", "loss gemodel 3% 40%") == "loss gemodel 2% 30% 100% 0%");
  BOOST_TEST(half("rate 10mbit", "") == "");
}

// The simulator's use: a link and a player beside each other, one clock.
BOOST_AUTO_TEST_CASE(a_link_follows_its_timeline_in_virtual_time) {
  Timeline timeline{.up = words("delay 10ms"), .down = {}, .events = {}, .repeat = {}};
  timeline.events.push_back({.at = 50ms, .direction = Direction::up, .blocked = true});
  timeline.events.push_back({.at = 80ms, .direction = Direction::up, .spec = words("delay 40ms"), .blocked = false});
  TimelinePlayer player(timeline);
  player.start(kOrigin);
  Link up(timeline.up);
  Link down(timeline.down);
  std::string arrivals;
  for (Timestamp now = kOrigin; now < kOrigin + 120ms; now += 10ms) {
    while (const auto change = player.take(now)) apply(*change, up, down);
    up.offer({}, now);
  }
  while (const auto packet = up.take(kNever)) arrivals += std::to_string((packet->due_at - kOrigin) / 1ms) + " ";
  BOOST_TEST(arrivals == "10 20 30 40 50 120 130 140 150 ");
  BOOST_TEST(up.counters().lost_outage == 3u);
}

BOOST_AUTO_TEST_SUITE_END()
