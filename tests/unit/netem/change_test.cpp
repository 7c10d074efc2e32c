// A link that becomes another one while packets are on their way.
#include <boost/test/unit_test.hpp>
#include <string>
#include <vector>

#include "netem/link.h"

using namespace std::chrono_literals;
using namespace mxp;
using namespace mxp::netem;

namespace {

constexpr Timestamp kZero{1h};

LinkSpec link_spec(std::string_view text) {
  const auto parsed = parse_link_spec(text);
  BOOST_REQUIRE_MESSAGE(parsed.has_value(), text);
  return *parsed;
}

// Index and time since kZero of all that arrives.
std::vector<std::pair<std::uint64_t, Duration>> drain(Link& link) {
  std::vector<std::pair<std::uint64_t, Duration>> out;
  while (const auto packet = link.take(kNever)) out.emplace_back(packet->index, packet->due_at - kZero);
  return out;
}

using Arrivals = std::vector<std::pair<std::uint64_t, Duration>>;

}  // namespace

BOOST_AUTO_TEST_SUITE(netem_change)

BOOST_AUTO_TEST_CASE(what_is_on_its_way_arrives_as_it_would_have) {
  Link link(link_spec("delay 50ms"));
  link.offer({}, kZero);
  link.change(link_spec("delay 80ms"));
  link.offer({}, kZero + 1ms);
  BOOST_TEST((drain(link) == Arrivals{{0, 50ms}, {1, 81ms}}));
}

BOOST_AUTO_TEST_CASE(on_the_same_path_a_shorter_delay_overtakes_nothing_and_on_another_one_it_does) {
  for (const auto path : {Link::Path::same, Link::Path::other}) {
    Link link(link_spec("delay 100ms"));
    link.offer({}, kZero);
    link.change(link_spec("delay 10ms"), path);
    link.offer({}, kZero + 1ms);
    const Arrivals expected =
        path == Link::Path::same ? Arrivals{{0, 100ms}, {1, 100ms}} : Arrivals{{1, 11ms}, {0, 100ms}};
    BOOST_TEST((drain(link) == expected));
  }
}

BOOST_AUTO_TEST_CASE(what_waits_in_a_managed_queue_leaves_at_the_new_rate) {
  const std::vector<std::uint8_t> bytes(972);  // 1 ms at 8 Mbit/s
  Link link(link_spec("rate 8mbit queue codel"));
  for (int i = 0; i < 3; ++i) link.offer(bytes, kZero);
  link.change(link_spec("rate 4mbit queue codel"));
  BOOST_TEST((drain(link) == Arrivals{{0, 1ms}, {1, 3ms}, {2, 5ms}}));
}

BOOST_AUTO_TEST_CASE(a_queue_that_is_managed_no_more_loses_nothing) {
  const std::vector<std::uint8_t> bytes(972);
  Link link(link_spec("rate 8mbit queue codel"));
  for (int i = 0; i < 3; ++i) link.offer(bytes, kZero);
  link.change(link_spec("rate 8mbit"));
  link.offer(bytes, kZero);
  BOOST_TEST((drain(link) == Arrivals{{0, 1ms}, {1, 2ms}, {2, 3ms}, {3, 4ms}}));
}

BOOST_AUTO_TEST_CASE(the_draws_go_on) {
  const auto losses = [](bool change) {
    Link link(link_spec("loss 50%"), {.seed = 4});
    std::string text;
    for (int i = 0; i < 200; ++i) {
      if (change && i == 100) link.change(link_spec("loss 50% delay 5ms"));
      text += link.offer({}, kZero + i * 1ms).fate == Fate::lost ? 'x' : '.';
    }
    return text;
  };
  BOOST_TEST(losses(true) == losses(false));
}

BOOST_AUTO_TEST_CASE(nothing_enters_during_a_black_out) {
  Link link(link_spec("delay 10ms"));
  link.offer({}, kZero);
  link.set_blocked(true);
  BOOST_TEST((link.offer({}, kZero + 1ms).fate == Fate::lost_outage));
  link.set_blocked(false);
  link.offer({}, kZero + 2ms);
  BOOST_TEST((drain(link) == Arrivals{{0, 10ms}, {2, 12ms}}));
  BOOST_TEST(link.counters().lost_outage == 1u);
}

BOOST_AUTO_TEST_CASE(a_flow_sends_no_more_than_its_byte_limit) {
  LinkSpec spec;
  Link link(spec);
  const auto sent = [&](FlowId flow) {
    int passed = 0;
    for (int i = 0; i < 5; ++i) passed += link.offer(std::vector<std::uint8_t>(100), kZero, flow).fate == Fate::passed;
    return passed;
  };
  BOOST_TEST(sent(0) == 5);
  spec.flow_bytes = 350;
  link.change(spec);
  BOOST_TEST(sent(0) == 3);  // counted from when the limit came
  BOOST_TEST(sent(0) == 0);
  BOOST_TEST(sent(1) == 3);
  spec.flow_bytes = std::nullopt;
  link.change(spec);
  BOOST_TEST(sent(0) == 5);
}

BOOST_AUTO_TEST_CASE(several_links_may_count_together) {
  LinkCounters all;
  Link one(link_spec("loss 100%"), {.seed = 1, .counters = &all});
  Link two({}, {.seed = 1, .counters = &all});
  one.offer({}, kZero);
  two.offer({}, kZero);
  BOOST_TEST(all.in == 2u);
  BOOST_TEST(all.lost == 1u);
  BOOST_TEST(one.counters().in == 2u);
}

BOOST_AUTO_TEST_SUITE_END()
