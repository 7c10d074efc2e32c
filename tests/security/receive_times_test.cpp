// Threat t50: what a peer can do with the receive times in ACKs.
#include <boost/test/unit_test.hpp>

#include "connection/access.h"
#include "support/attacker.h"

using namespace mxp;
using namespace mxp::test;

BOOST_AUTO_TEST_SUITE(receive_times)

namespace {

// A victim and an attacker that announce so many times. The victim has much to send.
struct Told {
  Told(std::size_t victims, std::size_t attackers)
      : pair(config_of(victims)), attacker(pair.server, pair.now, wide(attackers)) {
    pair.server.app.keep_data = false;
    BOOST_REQUIRE(attacker.connect());
    Connection& victim = attacker.connection();
    (void)victim.write(*victim.open_stream(StreamType::unidirectional), Bytes(4 << 20));
  }
  static DirectPair::Config config_of(std::size_t times) {
    DirectPair::Config config;
    config.server.transport.recovery.receive_times_per_ack = times;
    return config;
  }
  static Attacker::Config wide(std::size_t times) {
    Attacker::Config config;
    config.transport.flow_control.connection_window = config.transport.flow_control.stream_window = 1u << 30;
    config.transport.recovery.receive_times_per_ack = times;
    return config;
  }
  void step(Duration span) {
    pair.now += span;
    attacker.wake();
    attacker.collect();
  }
  std::uint64_t largest() const { return attacker.session->largest_opened; }
  // An ACK of the largest number opened, with what follows the ranges as it is.
  Bytes ack_with(const Bytes& times) const { return Bytes{0x20} + varint(largest()) + Bytes{0, 0, 0} + times; }
  void expect_close(TransportErrorCode code, std::uint64_t frame_type) {
    attacker.collect();
    const auto close = attacker.seen_close();
    BOOST_REQUIRE(close.has_value());
    BOOST_TEST((close->transport_code() == code));
    BOOST_TEST(close->frame_type == frame_type);
  }
  ConnectionStats stats() { return attacker.connection().stats(); }
  // How many times each of the victim's ACKs told.
  std::vector<std::size_t> times_told() const {
    std::vector<std::size_t> counts;
    for (const Answer& answer : attacker.answers)
      for (const Frame& frame : answer.frames)
        if (const auto* ack = std::get_if<AckFrame>(&frame)) counts.push_back(ack->times ? ack->times->size() : 0);
    return counts;
  }

  DirectPair pair;
  Attacker attacker;
};

}  // namespace

BOOST_AUTO_TEST_CASE(t50_times_that_nobody_asked_for) {
  for (const std::uint64_t type : {frame_type::kAckTimes, frame_type::kAckEcnTimes}) {
    Told scene(0, 8);
    scene.step(1ms);
    const std::uint64_t in_flight = scene.stats().bytes_in_flight;
    BOOST_TEST(in_flight > 0u);
    const Bytes counts = type == frame_type::kAckEcnTimes ? Bytes{0, 0, 0} : Bytes{};
    Bytes ack = scene.ack_with(counts + Bytes{1, 0, 1, 7});
    ack.front() = static_cast<std::uint8_t>(type);
    scene.attacker.send(ack);
    BOOST_TEST(scene.stats().bytes_in_flight == in_flight);  // it acknowledged nothing
    scene.expect_close(TransportErrorCode::unknown_frame, type);
  }
}

BOOST_AUTO_TEST_CASE(t50_more_times_than_asked) {
  for (const std::uint8_t count : {std::uint8_t{4}, std::uint8_t{5}}) {
    Told scene(4, 8);
    scene.step(1ms);
    BOOST_REQUIRE(scene.largest() >= 5u);
    scene.attacker.send(scene.ack_with(Bytes{1, 0, count, 40, 1, 1, 1} + Bytes(count - 4u)));
    if (count == 4) {
      scene.attacker.collect();
      BOOST_TEST(!scene.attacker.seen_close().has_value());
      BOOST_TEST(scene.stats().forward_queue_delay.has_value());
    } else {
      BOOST_TEST(!scene.stats().forward_queue_delay.has_value());
      scene.expect_close(TransportErrorCode::frame_encoding_error, frame_type::kAckTimes);
    }
  }
}

BOOST_AUTO_TEST_CASE(t50_times_before_the_epoch_or_out_of_all_bounds) {
  for (const Bytes& times : {Bytes{1, 0, 2, 7, 8}, Bytes{1, 0, 1} + varint(kMaxVarint), Bytes{1, 0, 0},
                             Bytes{1} + varint(kMaxVarint) + Bytes{1, 7}, Bytes{1, 0, 2, 7}}) {
    Told scene(64, 64);
    scene.step(1ms);
    scene.attacker.send(scene.ack_with(times));
    scene.expect_close(TransportErrorCode::frame_encoding_error, frame_type::kAckTimes);
  }
}

// What is said of times decides nothing: the victim sends what it sends to a peer that says nothing of them.
BOOST_AUTO_TEST_CASE(t50_false_times_change_nothing_but_the_measurement) {
  const auto run = [](const std::function<std::optional<Duration>(int round)>& claim) {
    Told scene(64, 64);
    for (int round = 0; round < 60; ++round) {
      scene.step(1ms);
      const auto claimed = claim(round);
      if (claimed) scene.attacker.times = {{PacketNumber(scene.largest()), *claimed}};
      scene.attacker.acknowledge();
      const ConnectionStats stats = scene.stats();
      BOOST_REQUIRE(stats.forward_queue_delay.has_value() == claimed.has_value());
      if (claimed) BOOST_TEST((*stats.forward_queue_delay >= 0ms && *stats.forward_queue_delay <= 60ms));
    }
    scene.attacker.collect();
    BOOST_TEST(!scene.attacker.seen_close().has_value());
    BOOST_TEST(scene.stats().stream_bytes_acknowledged > 100'000u);
    return scene.stats();
  };
  const ConnectionStats silent = run([](int) { return std::nullopt; });
  const ConnectionStats absurd = run([](int round) { return round % 2 == 0 ? kLatestReceiveTime : Duration::zero(); });
  BOOST_TEST(absurd.congestion_window == silent.congestion_window);
  BOOST_TEST(absurd.bytes_sent == silent.bytes_sent);
  BOOST_TEST(absurd.packets_lost == silent.packets_lost);
  BOOST_TEST((absurd.smoothed_rtt == silent.smoothed_rtt));
  BOOST_TEST(absurd.stream_bytes_acknowledged == silent.stream_bytes_acknowledged);
}

BOOST_AUTO_TEST_CASE(t50_no_more_is_told_than_both_sides_want) {
  struct Case {
    std::size_t victims, attackers, told;
  };
  for (const Case& one :
       {Case{0, 0, 0}, Case{0, 8, 0}, Case{8, 0, 0}, Case{64, 4, 4}, Case{4, 64, 4}, Case{1, 1, 1}, Case{64, 64, 10}}) {
    BOOST_TEST_CONTEXT(one.victims << " and " << one.attackers) {
      Told scene(one.victims, one.attackers);
      // An ACK for ten packets.
      scene.attacker.ask(frames(AckFrequencyFrame{0, 9, 20ms, 0}));
      scene.attacker.run_due();
      scene.attacker.answers.clear();
      for (int i = 0; i < 9; ++i) scene.attacker.send(frames(PingFrame{}));
      scene.attacker.ask(frames(PingFrame{}));
      BOOST_TEST(scene.times_told() == std::vector{one.told}, boost::test_tools::per_element());
      // Packets that ask for no ACK are not told of.
      scene.attacker.answers.clear();
      for (int i = 0; i < 70; ++i) scene.attacker.send(Bytes(3));
      scene.pair.now += 1s;
      scene.attacker.ask(frames(PingFrame{}, ImmediateAckFrame{}));
      BOOST_TEST(scene.times_told() == std::vector(1, std::min<std::size_t>(one.told, 1)),
                 boost::test_tools::per_element());
    }
  }
}

BOOST_AUTO_TEST_CASE(t50_what_is_kept_of_times_is_counted) {
  const auto held = [](std::size_t victims, std::size_t attackers) {
    Told scene(victims, attackers);
    scene.step(1ms);
    return scene.pair.server.endpoint.stats().memory_in_use;
  };
  const std::uint64_t without = held(0, 64);
  BOOST_TEST(held(64, 0) == without);
  BOOST_TEST(held(64, 64) == without + 2 * kMaxReceiveTimes * sizeof(ReceiveTime));
}

// Each packet far below the one before it and long after: a range of times for each, and nothing in them is short.
BOOST_AUTO_TEST_CASE(t50_times_leave_room_for_data_however_packets_arrive) {
  Told scene(64, 64);
  scene.attacker.send(frames(AckFrequencyFrame{0, kMaxReceiveTimes - 1, 10s, 0}));
  scene.attacker.run_due();
  scene.attacker.answers.clear();
  for (std::uint64_t i = kMaxReceiveTimes; i > 0; --i) {
    scene.pair.now += 20ms;
    scene.attacker.send_raw(scene.attacker.session->seal(frames(PingFrame{}), 20 + 30 * i));
  }
  scene.attacker.collect();
  const auto size_of = [](const AckFrame& ack) { return frames(Frame(ack)).size(); };
  std::size_t most = 0;
  for (const Answer& answer : scene.attacker.answers) {
    for (const Frame& frame : answer.frames) {
      const auto* ack = std::get_if<AckFrame>(&frame);
      if (ack == nullptr) continue;
      AckFrame plain = *ack;
      plain.times.reset();
      most = std::max(most, size_of(*ack) - size_of(plain));
    }
  }
  BOOST_TEST(most <= 256u);
  BOOST_TEST(most > 200u);
}

BOOST_AUTO_TEST_SUITE_END()
