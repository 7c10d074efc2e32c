#include "scheduler/datagrams.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <functional>
#include <string>
#include <vector>

#include "core/frame_reader.h"

using namespace mxp;
using namespace std::chrono_literals;

namespace datagrams_test {

BOOST_AUTO_TEST_SUITE(datagrams)

namespace {

using Bytes = std::vector<std::uint8_t>;
using Kind = DatagramError::Kind;
constexpr auto kCritical = MessageClass::critical;
constexpr auto kControl = MessageClass::control;
constexpr auto kBackground = MessageClass::background;
constexpr std::size_t kRoom = 1170;  // of a packet of 1200 bytes, without the frame's type

struct Told final : DatagramEvents {
  std::vector<std::pair<std::uint64_t, DatagramOutcome>> outcomes;
  int writable = 0;
  std::function<void()> hook;
  void on_datagram_outcome(std::uint64_t cookie, DatagramOutcome outcome) override {
    outcomes.emplace_back(cookie, outcome);
    if (hook) hook();
  }
  void on_datagrams_writable() override { ++writable; }
};

struct Scene {
  explicit Scene(const DatagramConfig& config = {}) : queue(config, told) {
    queue.on_peer_limit(65507);
    queue.set_path_limit(kRoom);
  }

  std::expected<void, DatagramError> send(std::size_t size, std::uint8_t fill, DatagramOptions options = {}) {
    return queue.send(Bytes(size, fill), options);
  }
  // What one packet takes of a class: size and first byte of each datagram.
  std::vector<std::pair<std::size_t, int>> packet(MessageClass of = kBackground, std::size_t space = kRoom + 1) {
    Bytes buffer(space);
    Writer out(buffer);
    const bool pending = queue.has_pending(of, now);
    const bool wrote = queue.write(of, now, out, [this](const SentFrame& frame) { sent.push_back(frame); });
    BOOST_TEST((pending || !wrote));
    std::vector<std::pair<std::size_t, int>> found;
    FrameReader reader(out.so_far());
    while (const auto frame = reader.next().value()) {
      if (std::holds_alternative<PaddingFrame>(*frame)) continue;
      const ByteView data = std::get<DatagramFrame>(*frame).data;
      BOOST_TEST(std::ranges::all_of(data, [&](std::uint8_t byte) { return byte == data[0]; }));
      found.emplace_back(data.size(), data.empty() ? -1 : data[0]);
    }
    BOOST_TEST(wrote == !found.empty());
    return found;
  }
  std::vector<std::pair<std::uint64_t, DatagramOutcome>> outcomes() {
    queue.tell_outcomes();
    BOOST_TEST(!queue.has_outcomes());
    return std::exchange(told.outcomes, {});
  }

  Told told;
  Datagrams queue;
  Timestamp now{1h};
  std::vector<SentFrame> sent;
};

using Sizes = std::vector<std::pair<std::size_t, int>>;
using Outcomes = std::vector<std::pair<std::uint64_t, DatagramOutcome>>;

DatagramError refused(const std::expected<void, DatagramError>& result) {
  BOOST_REQUIRE(!result.has_value());
  return result.error();
}

}  // namespace

BOOST_AUTO_TEST_CASE(as_many_as_fit_go_into_a_packet_in_their_order) {
  Scene scene;
  for (const std::uint8_t i : {1, 2, 3, 4}) BOOST_REQUIRE(scene.send(400, i).has_value());
  BOOST_REQUIRE(scene.send(0, 0).has_value());
  BOOST_TEST((scene.packet() == Sizes{{400, 1}, {400, 2}}));
  BOOST_TEST((scene.packet() == Sizes{{400, 3}, {400, 4}, {0, -1}}));
  BOOST_TEST(scene.packet().empty());
  BOOST_TEST(scene.queue.counters().sent == 5u);
  BOOST_TEST(scene.queue.queued() == 0u);
  BOOST_REQUIRE(scene.sent.size() == 5u);
  BOOST_TEST((scene.sent[0].kind == SentFrame::Kind::datagram));
  BOOST_TEST(scene.sent[0].length == 400u);
}

// The order of a class is kept: a small one does not overtake a large one that has to wait for the next packet.
BOOST_AUTO_TEST_CASE(what_does_not_fit_any_more_waits_for_the_next_packet) {
  Scene scene;
  (void)scene.send(1000, 1);
  (void)scene.send(1170, 2);
  (void)scene.send(10, 3);
  BOOST_TEST((scene.packet() == Sizes{{1000, 1}}));
  BOOST_TEST(scene.packet(kBackground, 600).empty());
  BOOST_TEST((scene.packet() == Sizes{{1170, 2}}));
  BOOST_TEST((scene.packet() == Sizes{{10, 3}}));
  BOOST_TEST(scene.queue.counters().too_large == 0u);
}

BOOST_AUTO_TEST_CASE(classes_have_queues_of_their_own) {
  Scene scene;
  (void)scene.send(10, 1);
  (void)scene.send(10, 2, {.traffic_class = kCritical});
  BOOST_TEST(scene.queue.has_pending(kCritical, scene.now));
  BOOST_TEST(!scene.queue.has_pending(kControl, scene.now));
  BOOST_TEST((scene.packet(kCritical) == Sizes{{10, 2}}));
  BOOST_TEST(!scene.queue.has_pending(kCritical, scene.now));
  BOOST_TEST(scene.queue.has_pending(scene.now));
  BOOST_TEST((scene.packet(kBackground) == Sizes{{10, 1}}));
  BOOST_TEST(!scene.queue.has_pending(scene.now));
}

BOOST_AUTO_TEST_CASE(the_smallest_limit_is_named) {
  Told told;
  Datagrams queue({.queue_bytes = 5000}, told);
  const Bytes data(6000);
  queue.set_path_limit(9000);
  BOOST_TEST((refused(queue.send({}, {})) == DatagramError{Kind::not_taken_by_peer}));
  BOOST_TEST(queue.largest() == 0u);
  queue.on_peer_limit(8000);
  BOOST_TEST((refused(queue.send(data, {})) == DatagramError{Kind::too_large, 5000}));
  queue.on_peer_limit(4000);
  BOOST_TEST((refused(queue.send(data, {})) == DatagramError{Kind::too_large, 4000}));
  queue.set_path_limit(kRoom);
  BOOST_TEST((refused(queue.send(data, {})) == DatagramError{Kind::too_large, kRoom}));
  BOOST_TEST(queue.send(ByteView(data).first(kRoom), {}).has_value());
  BOOST_TEST(queue.counters().too_large == 0u);  // nothing that was taken
}

BOOST_AUTO_TEST_CASE(a_path_that_carries_less_drops_what_waits) {
  Scene scene;
  scene.queue.set_path_limit(2000);
  (void)scene.send(1171, 1, {.cookie = 7});
  (void)scene.send(1170, 2, {.cookie = 8});
  scene.queue.set_path_limit(kRoom);
  BOOST_TEST((scene.packet() == Sizes{{1170, 2}}));
  BOOST_TEST((scene.outcomes() == Outcomes{{7, DatagramOutcome::too_large}}));
  BOOST_TEST(scene.queue.counters().too_large == 1u);
}

BOOST_AUTO_TEST_CASE(a_full_queue_blocks_and_says_when_there_is_room) {
  Scene scene({.queue_bytes = 3000, .queue_datagrams = 3});
  for (const std::uint8_t i : {1, 2, 3}) BOOST_REQUIRE(scene.send(500, i).has_value());
  BOOST_TEST((refused(scene.send(0, 4)) == DatagramError{Kind::queue_full}));  // by number
  BOOST_TEST(!scene.queue.has_outcomes());
  (void)scene.packet();
  BOOST_TEST(scene.queue.has_outcomes());
  scene.queue.tell_outcomes();
  scene.queue.tell_outcomes();
  BOOST_TEST(scene.told.writable == 1);

  (void)scene.packet();
  for (const std::uint8_t i : {1, 2}) BOOST_REQUIRE(scene.send(1100, i).has_value());
  BOOST_TEST((refused(scene.send(801, 4)) == DatagramError{Kind::queue_full}));  // by bytes
  BOOST_REQUIRE(scene.send(800, 3).has_value());
  (void)scene.packet();
  scene.queue.tell_outcomes();
  BOOST_TEST(scene.told.writable == 2);
  BOOST_TEST(scene.queue.counters().dropped == 0u);
}

BOOST_AUTO_TEST_CASE(the_newest_is_dropped_and_counted) {
  Scene scene({.queue_datagrams = 1});
  BOOST_REQUIRE(scene.send(10, 1).has_value());
  BOOST_TEST((refused(scene.send(10, 2, {.policy = DatagramPolicy::drop_newest, .cookie = 5})) ==
              DatagramError{Kind::queue_full}));
  BOOST_TEST(scene.queue.counters().dropped == 1u);
  BOOST_TEST((scene.packet() == Sizes{{10, 1}}));
  BOOST_TEST(scene.outcomes().empty());
  BOOST_TEST(scene.told.writable == 0);
}

BOOST_AUTO_TEST_CASE(the_oldest_of_the_least_important_class_gives_way) {
  Scene scene({.queue_bytes = 4000, .queue_datagrams = 4});
  const auto drop = [](MessageClass of, std::uint64_t cookie) {
    return DatagramOptions{.traffic_class = of, .policy = DatagramPolicy::drop_oldest, .cookie = cookie};
  };
  for (const std::uint64_t i : {1, 2}) (void)scene.send(10, 0, drop(kBackground, i));
  for (const std::uint64_t i : {3, 4}) (void)scene.send(10, 0, drop(kControl, i));
  BOOST_REQUIRE(scene.send(10, 0, drop(kControl, 5)).has_value());  // of the class below its own, the oldest
  BOOST_TEST((scene.outcomes() == Outcomes{{1, DatagramOutcome::dropped}}));
  BOOST_REQUIRE(scene.send(10, 0, drop(kBackground, 6)).has_value());  // of its own
  BOOST_TEST((scene.outcomes() == Outcomes{{2, DatagramOutcome::dropped}}));
  BOOST_REQUIRE(scene.send(10, 0, drop(kControl, 7)).has_value());
  BOOST_REQUIRE(scene.send(10, 0, drop(kControl, 8)).has_value());
  BOOST_TEST((scene.outcomes() == Outcomes{{6, DatagramOutcome::dropped}, {3, DatagramOutcome::dropped}}));
  // Four of a class above its own wait.
  BOOST_TEST((refused(scene.send(10, 0, drop(kBackground, 9))) == DatagramError{Kind::queue_full}));
  BOOST_TEST(scene.queue.queued() == 4u);
  // As many go as its bytes ask for.
  scene.queue.set_path_limit(4000);
  BOOST_REQUIRE(scene.send(3975, 0, drop(kCritical, 10)).has_value());
  BOOST_TEST((scene.outcomes() == Outcomes{{4, DatagramOutcome::dropped}, {5, DatagramOutcome::dropped}}));
  BOOST_TEST(scene.queue.counters().dropped == 6u);
}

// An application that sends for ever from one callback gets no memory without bound for what it will be told.
BOOST_AUTO_TEST_CASE(outcomes_that_wait_to_be_told_are_bounded) {
  Scene scene({.queue_datagrams = 3});
  int taken = 0;
  while (scene.send(1, 0, {.policy = DatagramPolicy::drop_oldest, .cookie = 1}).has_value() && taken < 100) ++taken;
  BOOST_TEST(taken == 6);
  BOOST_TEST(scene.outcomes().size() == 3u);
  BOOST_TEST(scene.send(1, 0, {.policy = DatagramPolicy::drop_oldest, .cookie = 1}).has_value());
}

BOOST_AUTO_TEST_CASE(what_is_late_is_not_sent) {
  Scene scene;
  BOOST_TEST((scene.queue.deadline() == kNever));
  (void)scene.send(10, 1, {.expires_at = scene.now + 30ms, .cookie = 1});
  (void)scene.send(10, 2, {.traffic_class = kCritical, .expires_at = scene.now + 10ms, .cookie = 2});
  (void)scene.send(10, 3, {.expires_at = scene.now + 20ms, .cookie = 3});
  (void)scene.send(10, 4, {.cookie = 4});
  BOOST_TEST((scene.queue.deadline() == scene.now + 10ms));
  scene.now += 10ms;
  scene.queue.expire(scene.now - 1ns);
  BOOST_TEST(scene.outcomes().empty());
  scene.queue.expire(scene.now);
  BOOST_TEST((scene.outcomes() == Outcomes{{2, DatagramOutcome::expired}}));
  BOOST_TEST((scene.queue.deadline() == scene.now + 10ms));
  // A packet that comes before the deadline is looked at judges by itself.
  scene.now += 20ms;
  BOOST_TEST((scene.packet() == Sizes{{10, 4}}));
  BOOST_TEST((scene.outcomes() == Outcomes{{1, DatagramOutcome::expired}, {3, DatagramOutcome::expired}}));
  BOOST_TEST(scene.queue.counters().expired == 3u);
  BOOST_TEST((scene.queue.deadline() == kNever));
}

BOOST_AUTO_TEST_CASE(what_is_late_already_is_not_taken) {
  Scene scene;
  scene.queue.on_clock(scene.now);
  BOOST_TEST((refused(scene.send(10, 1, {.expires_at = scene.now, .cookie = 1})) == DatagramError{Kind::expired}));
  BOOST_TEST(scene.send(10, 1, {.expires_at = scene.now + 1ns}).has_value());
  BOOST_TEST(scene.outcomes().empty());
  BOOST_TEST(scene.queue.counters().expired == 0u);
}

BOOST_AUTO_TEST_CASE(what_became_of_it_is_told_to_those_who_asked) {
  Scene scene;
  (void)scene.send(10, 1, {.cookie = UINT64_MAX});
  (void)scene.send(10, 2, {.cookie = 0});
  (void)scene.send(10, 3);
  (void)scene.send(10, 4);
  (void)scene.packet();
  BOOST_REQUIRE(scene.sent.size() == 4u);
  scene.queue.on_lost(scene.sent[0]);
  scene.queue.on_acknowledged(scene.sent[1]);
  scene.queue.on_acknowledged(scene.sent[2]);
  scene.queue.on_lost(scene.sent[3]);
  BOOST_TEST((scene.outcomes() == Outcomes{{UINT64_MAX, DatagramOutcome::lost}, {0, DatagramOutcome::delivered}}));
  BOOST_TEST(scene.queue.counters().acknowledged == 2u);
  BOOST_TEST(scene.queue.counters().lost == 2u);
  BOOST_TEST(!scene.queue.has_pending(scene.now));  // what is lost is not sent again
}

BOOST_AUTO_TEST_CASE(an_application_may_send_from_inside_an_outcome) {
  Scene scene({.queue_datagrams = 1});
  const DatagramOptions options{.policy = DatagramPolicy::drop_oldest, .cookie = 1};
  scene.told.hook = [&] { (void)scene.send(10, 1, options); };
  (void)scene.send(10, 0, options);
  (void)scene.send(10, 0, options);
  for (int i = 1; i <= 3; ++i) {  // each time it drops another one: told by the next call
    scene.queue.tell_outcomes();
    BOOST_TEST(scene.told.outcomes.size() == static_cast<std::size_t>(i));
    BOOST_TEST(scene.queue.has_outcomes());
  }
}

BOOST_AUTO_TEST_CASE(a_rate_holds_datagrams_back) {
  Scene scene({.rate = ByteRate::bytes_per_second(1'000'000), .burst_bytes = 1500});
  for (const std::uint8_t i : {1, 2, 3}) (void)scene.send(1000, i);
  BOOST_TEST((scene.queue.held_until(scene.now) == kNever));
  BOOST_TEST((scene.packet() == Sizes{{1000, 1}}));
  BOOST_TEST(!scene.queue.has_pending(kBackground, scene.now));
  BOOST_TEST(!scene.queue.has_pending(scene.now));
  BOOST_TEST(scene.packet().empty());
  BOOST_TEST((scene.queue.held_until(scene.now) == scene.now + 500us));
  scene.now += 500us;
  BOOST_TEST(scene.queue.has_pending(kBackground, scene.now));
  BOOST_TEST((scene.packet() == Sizes{{1000, 2}}));
  BOOST_TEST((scene.queue.held_until(scene.now) == scene.now + 1ms));
  scene.now += 1h;
  BOOST_TEST((scene.packet() == Sizes{{1000, 3}}));
  BOOST_TEST((scene.queue.held_until(scene.now) == kNever));
}

BOOST_AUTO_TEST_CASE(the_end_forgets_and_tells_nothing) {
  Scene scene;
  (void)scene.send(1000, 1, {.expires_at = scene.now + 1s, .cookie = 1});
  (void)scene.packet();
  (void)scene.send(1000, 2, {.expires_at = scene.now + 1s, .cookie = 2});
  scene.queue.on_lost(scene.sent.at(0));
  scene.queue.drop_all();
  BOOST_TEST(scene.outcomes().empty());
  BOOST_TEST(scene.queue.queued() == 0u);
  BOOST_TEST((scene.queue.deadline() == kNever));
  BOOST_TEST(!scene.queue.has_pending(scene.now));
  BOOST_TEST((refused(scene.send(1, 1)) == DatagramError{Kind::not_taken_by_peer}));
}

// Once it has been as full as it gets, the queue grows no more; empty, it gives everything back.
BOOST_AUTO_TEST_CASE(memory_is_that_of_the_fullest_time) {
  Scene scene({.queue_bytes = 100'000, .queue_datagrams = 200});
  const auto fill = [&] {
    std::size_t size = 0;
    while (scene.send(size, 1, {.cookie = 1}).has_value()) size = (size + 137) % 1100;
  };
  BOOST_TEST(scene.queue.memory() == 0u);
  const auto turn_over = [&] {
    for (int i = 0; i < 1000; ++i) {
      (void)scene.packet();
      fill();
    }
  };
  turn_over();
  const std::size_t full = scene.queue.memory();
  BOOST_TEST(full > 100'000u);
  BOOST_TEST(full < 350'000u);
  turn_over();
  BOOST_TEST(scene.queue.memory() == full);
  scene.queue.shrink();  // not while something waits
  BOOST_TEST(scene.queue.memory() == full);
  while (!scene.packet().empty()) {
  }
  scene.queue.shrink();
  BOOST_TEST(scene.queue.memory() < 20'000u);
  BOOST_TEST(scene.send(1000, 1).has_value());
  BOOST_TEST((scene.packet() == Sizes{{1000, 1}}));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace datagrams_test
