// What holds for every link and every load.
#include <fmt/format.h>
#include <rapidcheck.h>

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <string>
#include <vector>

#include "netem/link.h"

using namespace std::chrono_literals;
using namespace mxp;
using namespace mxp::netem;

namespace {

double ratio() { return *rc::gen::inRange(0, 1001) / 1000.0; }
Duration up_to(Duration longest) { return Duration(*rc::gen::inRange<std::int64_t>(0, longest.count() + 1)); }
bool maybe() { return *rc::gen::arbitrary<bool>(); }

LossModel any_loss() {
  switch (*rc::gen::inRange(0, 4)) {
    case 0: return NoLoss{};
    case 1: return RandomLoss{.p = ratio(), .correlation = ratio()};
    case 2: return GilbertElliott{.p = ratio(), .r = ratio(), .loss_in_bad = ratio(), .loss_in_good = ratio()};
    default: {
      const double p13 = ratio();
      const double p31 = ratio();
      return FourStateLoss{.p13 = p13, .p31 = p31, .p32 = (1 - p31) / 2, .p23 = ratio(), .p14 = (1 - p13) / 2};
    }
  }
}

LinkSpec any_spec() {
  LinkSpec spec;
  if (maybe())
    spec.delay = {.mean = up_to(50ms) + 1us,
                  .jitter = up_to(50ms),
                  .correlation = ratio(),
                  .distribution = static_cast<Distribution>(*rc::gen::inRange(0, 4))};
  spec.loss = any_loss();
  if (maybe()) spec.duplicate = {.p = ratio(), .correlation = ratio()};
  if (maybe()) spec.corrupt = {.p = ratio(), .correlation = ratio()};
  if (maybe() && spec.delay.mean.count() > 0)
    spec.reorder = {.chance = {.p = ratio(), .correlation = ratio()}, .gap = *rc::gen::inRange(0u, 6u)};
  if (maybe()) spec.rate = ByteRate::bytes_per_second(*rc::gen::inRange<std::uint64_t>(1000, 10'000'000));
  if (!spec.rate.is_zero() && maybe()) {
    spec.queue = {.discipline = static_cast<QueueDiscipline>(*rc::gen::inRange(0, 3)),
                  .ecn = maybe(),
                  .target = up_to(5ms),
                  .interval = up_to(100ms) + 1us,
                  .probability = ratio()};
    if (spec.queue.discipline == QueueDiscipline::red) {
      spec.queue.target = 5ms;
      spec.queue.interval = 100ms;
      spec.queue.max_bytes = *rc::gen::inRange(3000u, 20'000u);
      spec.queue.harddrop = maybe();
    } else if (spec.queue.discipline == QueueDiscipline::codel) {
      spec.queue.probability = 0.02;
    } else {
      spec.queue = {};
    }
  }
  if (maybe()) spec.drops.packets = {{.first = *rc::gen::inRange(1u, 5u), .last = 6}};
  if (maybe()) spec.limit = {.packets = *rc::gen::inRange(1u, 50u), .automatic = maybe()};
  if (maybe())
    spec.slot = {
        .min = up_to(5ms), .max = 10ms, .packets = *rc::gen::inRange(0u, 5u), .bytes = *rc::gen::inRange(0u, 5000u)};
  if (maybe()) spec.mtu = *rc::gen::inRange(68u, 1500u);
  if (maybe()) spec.outage = {.length = up_to(20ms) + 1ns, .every = 50ms};
  spec.order = maybe() ? Order::keep : Order::time;
  spec.ecn = maybe() && !std::holds_alternative<NoLoss>(spec.loss);
  return spec;
}

struct Sent {
  std::vector<Departure> out;  // without bytes
  LinkCounters counters;
};

Sent drive(const LinkSpec& spec) {
  Link link(spec, {.seed = *rc::gen::arbitrary<std::uint64_t>()});
  Sent sent;
  Timestamp now{1s};
  const auto take_until = [&](Timestamp until) {
    while (auto packet = link.take(until)) {
      packet->bytes = {};
      sent.out.push_back(*packet);
    }
  };
  for (const auto size : *rc::gen::container<std::vector<std::uint16_t>>(rc::gen::inRange<std::uint16_t>(0, 1500))) {
    now += up_to(2ms);
    if (maybe()) take_until(now);
    link.offer(std::vector<std::uint8_t>(size), now, size % 3u, static_cast<Ecn>(size % 4u));
  }
  take_until(kNever);
  RC_ASSERT(!link.next_departure().has_value());
  RC_ASSERT(link.queued_packets() == 0u);
  sent.counters = link.counters();
  return sent;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(netem_properties)

BOOST_AUTO_TEST_CASE(no_packet_is_unaccounted_for) {
  BOOST_TEST(rc::check("in = out - duplicated + lost + tail_dropped + queue_dropped", [] {
    const Sent sent = drive(any_spec());
    const LinkCounters& c = sent.counters;
    RC_ASSERT(c.in + c.duplicated == c.out + c.lost + c.tail_dropped + c.queue_dropped);
    RC_ASSERT(c.lost >= c.lost_outage + c.lost_too_big + c.lost_listed);
    RC_ASSERT(c.out == sent.out.size());
    RC_ASSERT(c.delay.count() == c.out);
  }));
}

BOOST_AUTO_TEST_CASE(departures_come_in_order_of_time_and_never_before_the_offer) {
  BOOST_TEST(rc::check("due times rise from take to take", [] {
    const Sent sent = drive(any_spec());
    Timestamp last{};
    for (const Departure& packet : sent.out) {
      RC_ASSERT(packet.due_at >= packet.offered_at);
      RC_ASSERT(packet.due_at >= last);
      last = packet.due_at;
    }
  }));
}

BOOST_AUTO_TEST_CASE(kept_order_is_never_broken_but_by_reorder) {
  BOOST_TEST(rc::check("order keep", [] {
    LinkSpec spec = any_spec();
    spec.order = Order::keep;
    const bool reorders = spec.reorder.chance.p > 0;
    const Sent sent = drive(spec);
    std::vector<std::uint64_t> highest(3);
    for (const Departure& packet : sent.out) {
      if (packet.reordered) {
        RC_ASSERT(reorders);
        continue;
      }
      RC_ASSERT(packet.index >= highest[packet.flow]);
      highest[packet.flow] = packet.index;
    }
  }));
}

BOOST_AUTO_TEST_CASE(text_of_any_link_reads_back_as_itself) {
  BOOST_TEST(rc::check("to_string and parse_link_spec are inverse", [] {
    const std::string text = to_string(any_spec());
    const auto parsed = parse_link_spec(text);
    if (!parsed) RC_FAIL(text + ": " + parsed.error());
    RC_ASSERT(to_string(*parsed) == text);
  }));
}

BOOST_AUTO_TEST_CASE(no_text_breaks_the_parser) {
  BOOST_TEST(rc::check("words in any order parse or say why not", [] {
    static const std::vector<std::string> kWords = {
        "delay",        "10ms",   "5%",     "loss",  "random", "gemodel", "state",   "reorder",  "gap",
        "rate",         "10mbit", "limit",  "auto",  "slot",   "packets", "bytes",   "order",    "keep",
        "distribution", "normal", "outage", "every", "1",      "0",       "-1",      "",         "mtu",
        "1500",         "ecn",    "nan",    "1e400", "rebind", "trace",   "corrupt", "queue",    "codel",
        "red",          "target", "min",    "max",   "burst",  "marks",   "strip",   "droplist", "1-3,h2"};
    std::string text;
    for (const auto& word : *rc::gen::container<std::vector<std::string>>(rc::gen::elementOf(kWords)))
      text += word + " ";
    const auto parsed = parse_link_spec(text);
    if (!parsed) RC_ASSERT(!parsed.error().empty());
  }));
}

BOOST_AUTO_TEST_SUITE_END()
