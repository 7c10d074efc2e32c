// Threats t01 to t03 and t39: what a peer can do with the frames that acknowledge.
#include <boost/test/unit_test.hpp>

#include "connection/access.h"
#include "support/allocation_counter.h"
#include "support/attacker.h"

using namespace mxp;
using namespace mxp::test;

BOOST_AUTO_TEST_SUITE(acknowledgements)

namespace {

// An attacker with windows that never hold the victim back, connected.
struct Scene {
  explicit Scene(std::uint64_t seed = 1, DirectPair::Config pair_config = {})
      : pair([&] {
          pair_config.seed = seed;
          return pair_config;
        }()),
        attacker(pair.server, pair.now, wide(seed)) {
    pair.server.app.keep_data = false;
    BOOST_REQUIRE(attacker.connect());
  }
  static Attacker::Config wide(std::uint64_t seed) {
    Attacker::Config config{.seed = 1000 + seed};
    config.transport.flow_control.connection_window = config.transport.flow_control.stream_window = std::uint64_t{1}
                                                                                                    << 40;
    config.transport.idle_timeout = 0s;
    return config;
  }
  // The victim has this much to send.
  void victim_writes(std::size_t bytes) {
    Connection& victim = attacker.connection();
    stream = *victim.open_stream(StreamType::unidirectional);
    pair.server.app.send(victim, stream, Bytes(bytes));
  }
  // Lets the victim's pacer and timers run.
  void step(Duration span) {
    pair.now += span;
    attacker.wake();
    attacker.collect();
  }
  void expect_close(TransportErrorCode code, std::uint64_t frame_type) {
    attacker.collect();
    const auto close = attacker.seen_close();
    BOOST_REQUIRE(close.has_value());
    BOOST_TEST(!close->application);
    BOOST_TEST((close->transport_code() == code));
    BOOST_TEST(close->frame_type == frame_type);
  }

  DirectPair pair;
  Attacker attacker;
  StreamId stream;
};

}  // namespace

BOOST_AUTO_TEST_CASE(t01_ack_of_never_sent) {
  const auto next = [](const Scene& scene) { return scene.attacker.session->largest_opened + 1; };
  const std::vector<std::function<Bytes(const Scene&)>> forgeries = {
      [&](const Scene& s) { return raw_ack(next(s), 0); },
      [&](const Scene& s) { return raw_ack(next(s), next(s)); },
      [&](const Scene& s) { return raw_ack(next(s) + 100, 0); },
      [&](const Scene&) { return raw_ack(kMaxVarint, 0); },
      [&](const Scene&) { return raw_ack(kMaxVarint, kMaxVarint); },
      [&](const Scene& s) { return raw_ack(next(s) + 2, 0, {0, next(s)}); },  // what was sent hides behind what was not
  };
  for (const auto& forge : forgeries) {
    Scene scene;
    scene.victim_writes(5000);
    scene.attacker.collect();
    const ConnectionStats before = scene.attacker.connection().stats();
    BOOST_TEST(before.bytes_in_flight > 0u);
    scene.attacker.send(forge(scene));
    const ConnectionStats after = scene.attacker.connection().stats();
    BOOST_TEST(after.congestion_window == before.congestion_window);
    BOOST_TEST(after.bytes_in_flight == before.bytes_in_flight);
    BOOST_TEST((after.smoothed_rtt == before.smoothed_rtt));
    BOOST_TEST(after.stream_bytes_acknowledged == before.stream_bytes_acknowledged);
    scene.expect_close(TransportErrorCode::protocol_violation, frame_type::kAck);
  }
}

BOOST_AUTO_TEST_CASE(t01_ack_of_a_skipped_number) {
  Scene scene;
  scene.victim_writes(4 << 20);
  // Honest until a number is missing.
  std::optional<std::uint64_t> hole;
  for (int round = 0; round < 500 && !hole; ++round) {
    scene.step(1ms);
    std::set<std::uint64_t> numbers;
    for (const Answer& answer : scene.attacker.answers) numbers.insert(answer.number.value());
    for (std::uint64_t n = 0; n < scene.attacker.session->largest_opened && !hole; ++n)
      if (!numbers.contains(n)) hole = n;
    if (!hole) scene.attacker.acknowledge();
  }
  BOOST_REQUIRE(hole.has_value());
  BOOST_TEST(!scene.attacker.seen_close().has_value());
  scene.attacker.send(raw_ack(*hole, 0));
  scene.expect_close(TransportErrorCode::protocol_violation, frame_type::kAck);
}

// Whatever a peer says of ECN marks, it can only make us slower towards itself, or send without marks.
BOOST_AUTO_TEST_CASE(t60_false_ecn_counts) {
  const auto run = [](const std::function<EcnCounts(std::uint64_t marked)>& lie) {
    Scene scene;
    scene.victim_writes(4 << 20);
    for (int round = 0; round < 40; ++round) {
      scene.step(1ms);
      scene.attacker.counts = lie(scene.attacker.connection().stats().ecn_marked_sent);
      scene.attacker.acknowledge();
    }
    BOOST_TEST(!scene.attacker.seen_close().has_value());
    BOOST_TEST(scene.attacker.connection().stats().congestion_window >= 2 * kMinInitialSize);
    BOOST_TEST(scene.attacker.connection().stats().stream_bytes_acknowledged > 0u);
    return scene.attacker.connection().stats();
  };
  const ConnectionStats honest =
      run([](std::uint64_t marked) { return EcnCounts{.ect0 = marked, .ect1 = 0, .ce = 0}; });
  BOOST_TEST((honest.ecn == EcnState::capable));
  const ConnectionStats all_ce =
      run([](std::uint64_t marked) { return EcnCounts{.ect0 = 0, .ect1 = 0, .ce = marked}; });
  BOOST_TEST((all_ce.ecn == EcnState::capable));
  BOOST_TEST(all_ce.ecn_ce_reported > 0u);
  BOOST_TEST(all_ce.ecn_ce_reported <= all_ce.ecn_marked_sent);
  BOOST_TEST(all_ce.congestion_window < honest.congestion_window);
  const ConnectionStats absurd = run([](std::uint64_t) { return EcnCounts{kMaxVarint, kMaxVarint, kMaxVarint}; });
  BOOST_TEST((absurd.ecn == EcnState::failed));
  BOOST_TEST(absurd.ecn_ce_reported == 0u);
}

BOOST_AUTO_TEST_CASE(t02_optimistic_ack) {
  // It acknowledges what it counts, without having seen it: it cannot know which numbers were left out.
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    Scene scene(seed);
    scene.victim_writes(8 << 20);
    std::uint64_t largest_window = 0;
    std::uint64_t packets = scene.attacker.answers.size();
    scene.attacker.answers.clear();
    bool caught = false;
    for (int round = 0; round < 5000 && !caught; ++round) {
      scene.step(1ms);
      packets += scene.attacker.answers.size();
      caught = scene.attacker.seen_close().has_value();
      scene.attacker.answers.clear();
      largest_window =
          std::max(largest_window, scene.attacker.connection().stats().congestion_window / kMinInitialSize);
      if (!caught && packets > 0) scene.attacker.send(raw_ack(packets - 1, packets - 1));
    }
    BOOST_TEST(caught);
    BOOST_TEST(packets < 8 * std::max<std::uint64_t>(64, largest_window));
    BOOST_REQUIRE(scene.pair.server.app.closed.size() == 1u);
    BOOST_TEST((scene.pair.server.app.closed[0].transport_code() == TransportErrorCode::protocol_violation));
  }
}

BOOST_AUTO_TEST_CASE(t03_ack_range_memory) {
  // Every second number, so that each packet is a range of its own at the receiver.
  Scene scene;
  std::int64_t live = 0;
  std::size_t most_ranges = 0, largest_answer = 0;
  constexpr std::uint64_t kPackets = 20'000;
  for (std::uint64_t i = 1; i <= kPackets; ++i) {
    scene.attacker.send(frames(PingFrame{}));
    ++scene.attacker.session->next_number;
    scene.attacker.collect();
    for (const Answer& answer : scene.attacker.answers) {
      largest_answer = std::max(largest_answer, answer.size);
      for (const Frame& frame : answer.frames)
        if (const auto* ack = std::get_if<AckFrame>(&frame)) most_ranges = std::max(most_ranges, ack->ranges.size());
    }
    scene.attacker.answers.clear();
    scene.pair.server_trace.sent.clear();
    if (i == kPackets / 2) live = live_bytes();
  }
  BOOST_TEST(most_ranges == 1 + kMaxAckRanges);
  BOOST_TEST(largest_answer <= kMinInitialSize);
  BOOST_TEST(live_bytes() - live < 4096);
  BOOST_TEST(scene.attacker.connection().stats().packets_received >= kPackets);
}

BOOST_AUTO_TEST_CASE(t03_ack_with_too_many_ranges) {
  for (const std::size_t ranges : {kMaxAckRanges, kMaxAckRanges + 1}) {
    Scene scene;
    scene.victim_writes(1 << 20);
    while (scene.attacker.session->largest_opened < 400) {
      scene.step(1ms);
      scene.attacker.acknowledge();
    }
    // Every second one of those that came, from the highest down; two apart, so that skipped numbers are left out.
    std::set<std::uint64_t> numbers;
    for (const Answer& answer : scene.attacker.answers) numbers.insert(answer.number.value());
    std::vector<std::uint64_t> chosen;
    for (auto it = numbers.rbegin(); it != numbers.rend() && chosen.size() <= ranges; ++it)
      if (chosen.empty() || chosen.back() >= *it + 2) chosen.push_back(*it);
    BOOST_REQUIRE(chosen.size() == ranges + 1);
    std::vector<std::uint64_t> rest;
    for (std::size_t i = 1; i < chosen.size(); ++i) {
      rest.push_back(chosen[i - 1] - chosen[i] - 2);
      rest.push_back(0);
    }
    scene.attacker.send(raw_ack(chosen[0], 0, rest));
    if (ranges <= kMaxAckRanges) {
      scene.attacker.collect();
      BOOST_TEST(!scene.attacker.seen_close().has_value());
    } else {
      scene.expect_close(TransportErrorCode::frame_encoding_error, frame_type::kAck);
    }
  }
}

BOOST_AUTO_TEST_CASE(t03_a_peer_that_never_acknowledges_the_oldest_packet_bounds_our_memory) {
  Scene scene;
  scene.victim_writes(1);
  Connection& victim = scene.attacker.connection();
  std::int64_t live = 0;
  std::optional<std::uint64_t> oldest;
  // A window's worth is acknowledged at once, always without the very first packet and in two ranges.
  for (int round = 0; round < 6000; ++round) {
    (void)victim.write(scene.stream, Bytes(2000));
    scene.step(1ms);
    std::vector<std::uint64_t> numbers;
    for (const Answer& answer : scene.attacker.answers) numbers.push_back(answer.number.value());
    scene.attacker.answers.clear();
    scene.pair.server_trace.sent.clear();
    for (const std::uint64_t number : numbers) {
      if (!oldest) oldest = number;
      else scene.attacker.send(raw_ack(number, 0));
    }
    if (round == 3000) live = live_bytes();
  }
  BOOST_REQUIRE((victim.state() == ConnectionState::established));
  BOOST_TEST(live_bytes() - live < 64 * 1024);
  BOOST_TEST(ConnectionAccess::parts(victim).sent_frames.size() < 4096u);
}

BOOST_AUTO_TEST_CASE(t39_a_full_window_does_not_spin) {
  // The victim may not send, wants to, keeps its connection alive, and is talked to: each turn at one point of time
  // ends.
  DirectPair::Config config;
  config.server.transport.keepalive = 1s;
  config.server.transport.idle_timeout = 0s;
  Scene scene(1, config);
  scene.victim_writes(1 << 20);
  std::uint64_t most_turns = 0;
  std::uint64_t datagrams = 0;
  const Timestamp end = scene.pair.now + 60s;
  while (scene.pair.now < end) {
    std::uint64_t turns = 0;
    while ((scene.attacker.wake() || scene.attacker.collect() != 0) && turns < 1000) ++turns;
    most_turns = std::max(most_turns, turns);
    BOOST_REQUIRE(turns < 1000u);
    datagrams += scene.attacker.answers.size();
    scene.attacker.answers.clear();
    scene.pair.now = std::min(end, std::max(scene.pair.now + 1us, scene.pair.server.endpoint.next_timeout()));
  }
  BOOST_TEST(most_turns < 100u);
  BOOST_TEST(datagrams < 100u);
  // What it is asked it answers with acknowledgements alone, which no window forbids.
  const std::uint64_t in_flight = scene.attacker.connection().stats().bytes_in_flight;
  for (int i = 0; i < 20; ++i) scene.attacker.ask(frames(PingFrame{}));
  BOOST_TEST(scene.attacker.count<AckFrame>() >= 1u);
  BOOST_TEST(scene.attacker.connection().stats().bytes_in_flight == in_flight);
}

BOOST_AUTO_TEST_SUITE_END()
