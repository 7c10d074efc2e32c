// A run that is recorded and repeated.
#include "netem/recording.h"

#include <boost/test/unit_test.hpp>
#include <string>
#include <utility>
#include <vector>

#include "netem/link.h"

using namespace std::chrono_literals;
using namespace mxp;
using namespace mxp::netem;

namespace {

constexpr Timestamp kFirst{1h};

struct Arrived {
  std::uint64_t packet;
  Duration delay;
  bool copy;
  bool corrupted;
  std::vector<std::uint8_t> bytes;
  bool operator==(const Arrived&) const = default;
};

struct Played {
  std::string record = recording_header();
  std::vector<Arrived> arrived;
  LinkCounters counters;
};

Played play(const LinkSpec& spec, std::uint64_t seed, const Recording* replay, int packets = 400) {
  Link link(spec, {.seed = seed, .direction = Direction::down, .replay = replay});
  Played played;
  const auto take = [&](Timestamp now) {
    while (const auto packet = link.take(now)) {
      const Duration delay = packet->due_at - packet->offered_at;
      played.arrived.push_back(
          {packet->index, delay, packet->duplicate, packet->corrupted, {packet->bytes.begin(), packet->bytes.end()}});
      RecordedDeparture departure{.delay = delay,
                                  .copy = packet->duplicate,
                                  .ahead = packet->reordered,
                                  .marked = packet->ecn == Ecn::ce,
                                  .flipped_bit = {}};
      if (packet->corrupted) departure.flipped_bit = packet->flipped_bit;
      played.record += recorded_departure(Direction::down, 3, packet->index, departure);
    }
  };
  for (int i = 0; i < packets; ++i) {
    const Timestamp now = kFirst + i * 1ms;
    take(now);
    const Verdict verdict = link.offer(std::vector<std::uint8_t>(200, 7), now, 3, Ecn::ect0);
    if (verdict.fate != Fate::passed && !verdict.duplicated)
      played.record += recorded_loss(Direction::down, 3, verdict.index);
  }
  take(kNever);
  played.counters = link.counters();
  return played;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(netem_recording)

BOOST_AUTO_TEST_CASE(another_link_does_the_same_to_each_packet) {
  const LinkSpec spec = *parse_link_spec(
      "delay 10ms 4ms loss 10% duplicate 10% corrupt 10% reorder 10% rate 1200kbit limit 30 queue codel ecn");
  const Played first = play(spec, 1, nullptr);
  BOOST_TEST(first.counters.lost > 0u);
  BOOST_TEST(first.counters.duplicated > 0u);
  BOOST_TEST(first.counters.corrupted > 0u);
  BOOST_TEST(first.counters.tail_dropped > 0u);
  BOOST_TEST(first.counters.marked > 0u);
  const auto recording = Recording::parse(first.record);
  BOOST_REQUIRE_MESSAGE(recording.has_value(), recording.error());
  const Played second = play({}, 2, &*recording);
  BOOST_TEST((second.arrived == first.arrived));
}

BOOST_AUTO_TEST_CASE(past_the_end_of_the_recording_the_link_decides) {
  const auto recording = Recording::parse("mxp-netem-record 1\ndown 3 0 5000000\ndown 3 2 7000000\n");
  BOOST_REQUIRE(recording.has_value());
  const Played played = play(*parse_link_spec("delay 1ms"), 1, &*recording, 4);
  std::string text;
  for (const Arrived& one : played.arrived)
    text += std::to_string(one.packet) + ":" + std::to_string(one.delay / 1ms) + " ";
  BOOST_TEST(text == "3:1 0:5 2:7 ");
  BOOST_TEST(!recording->of(Direction::up, 3, 0).has_value());
  BOOST_TEST(!recording->of(Direction::down, 2, 0).has_value());
}

BOOST_AUTO_TEST_CASE(malformed_recordings_are_refused_with_the_line_at_fault) {
  const std::string head = recording_header();
  const std::vector<std::pair<std::string, std::string_view>> table = {
      {"something else\n", "line 1"},
      {"", "line 1"},
      {head + "left 0 0 5\n", "line 2: up or down"},
      {head + "up 0 0\n", "line 2: up or down"},
      {head + "up 0 0 5\nup x 0 5\n", "line 3: flow and packet"},
      {head + "up 0 -1 5\n", "line 2: flow and packet"},
      {head + "up 0 0 soon\n", "line 2: the delay"},
      {head + "up 0 0 18446744073709551615\n", "line 2: the delay"},
      {head + "up 0 0 lost copy\n", "line 2: nothing follows"},
      {head + "up 0 0 5 twice\n", "line 2: copy, ahead"},
      {head + "up 0 0 5 corrupt\n", "line 2: copy, ahead"},
  };
  for (const auto& [text, says] : table) {
    const auto recording = Recording::parse(text);
    BOOST_REQUIRE_MESSAGE(!recording.has_value(), text);
    BOOST_TEST(recording.error().find(says) != std::string::npos, recording.error());
  }
  BOOST_TEST(Recording::parse(head).has_value());
}

BOOST_AUTO_TEST_SUITE_END()
