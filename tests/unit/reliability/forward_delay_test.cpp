// docs/protocol.md §4.2, RFC 6817 §2.4.
#include "reliability/forward_delay.h"

#include <boost/test/unit_test.hpp>
#include <utility>
#include <vector>

#include "core/frame_reader.h"
#include "core/frame_writer.h"

using namespace mxp;
using namespace std::chrono_literals;

namespace forward_delay_test {
namespace {

constexpr PathId kPath{3};

// Packets that are sent, and ACKs that tell when they arrived. The ACKs take as long as they like to come back.
struct Flow {
  ForwardDelay forward;
  Timestamp now{1h};
  Duration peers_clock = 17min;  // what the peer's clock shows beyond ours
  std::vector<SentPacket> sent;
  std::vector<ReceiveTime> arrived;

  void send(Duration way, PathId path = kPath) {
    SentPacket packet;
    packet.number = PacketNumber(next_++);
    packet.sent_at = now;
    packet.path = path;
    sent.push_back(packet);
    arrived.push_back({packet.number, now.time_since_epoch() + way + peers_clock});
  }
  // What was sent is acknowledged, with these times.
  bool acknowledge(std::vector<ReceiveTime> told) {
    std::array<std::uint8_t, 1200> buffer;
    Writer out(buffer);
    const AckRange all{PacketNumber(0), PacketNumber(next_)};
    BOOST_REQUIRE(write_ack(out, std::span(&all, 1), {}, std::nullopt, {told}));
    const Frame frame = FrameReader(out.so_far()).next().value().value();
    const auto& times = std::get<AckFrame>(frame).times;
    const bool taken = forward.on_ack(now, kPath, sent, times.value_or(ReceiveTimes()));
    sent.clear();
    arrived.clear();
    return taken;
  }
  bool acknowledge() {
    std::ranges::sort(arrived, {}, [](const ReceiveTime& time) { return std::pair(time.at, time.number); });
    return acknowledge(arrived);
  }
  bool round(Duration way, Duration round_trip = 1s) {
    send(way);
    now += round_trip;
    return acknowledge();
  }

 private:
  std::uint64_t next_ = 10;
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(forward_delay, Flow)

BOOST_AUTO_TEST_CASE(nothing_is_known_before_the_first_time) {
  BOOST_TEST(!forward.queue().has_value());
  send(20ms);
  BOOST_TEST(!acknowledge({}));
  BOOST_TEST(!forward.queue().has_value());
  BOOST_TEST(round(20ms));
  BOOST_TEST((forward.queue() == 0ms));
}

BOOST_AUTO_TEST_CASE(what_a_packet_waited_is_told_whatever_the_clocks_and_the_way_back_say) {
  round(20ms);
  round(57ms, 80ms);
  BOOST_TEST((forward.queue() == 37ms));
  round(57ms, 3s);  // the same way there, and a long one back
  BOOST_TEST((forward.queue() == 37ms));
  round(20ms, 3s);
  BOOST_TEST((forward.queue() == 0ms));
  round(15ms);  // it had never been seen empty
  BOOST_TEST((forward.queue() == 0ms));
  round(20ms);
  BOOST_TEST((forward.queue() == 5ms));
}

BOOST_AUTO_TEST_CASE(of_several_packets_the_last_to_arrive_counts) {
  round(20ms);
  for (const Duration way : {20ms, 21ms, 22ms}) send(way);
  now += 1s;
  BOOST_TEST(acknowledge());
  BOOST_TEST((forward.queue() == 2ms));
  send(120ms);  // overtaken
  now += 10ms;
  send(25ms);
  now += 1s;
  BOOST_TEST(acknowledge());
  BOOST_TEST((forward.queue() == 100ms));
}

BOOST_AUTO_TEST_CASE(only_packets_of_the_path_that_were_just_acknowledged_say_something) {
  round(20ms);
  const std::vector<ReceiveTime> nobodys = {{PacketNumber(3), 2h}, {PacketNumber(4), 2h}};
  BOOST_TEST(!acknowledge(nobodys));
  send(90ms, PathId{4});
  now += 1s;
  BOOST_TEST(!acknowledge());
  BOOST_TEST((forward.queue() == 0ms));
}

BOOST_AUTO_TEST_CASE(clocks_that_drift_apart_pretend_little) {
  for (const int parts_in_a_million : {100, -100}) {
    forward = {};
    for (int i = 0; i < 3000; ++i) {
      peers_clock += parts_in_a_million * 1us;  // of the second that a round takes
      round(20ms);
      BOOST_REQUIRE((*forward.queue() <= 3ms));
    }
    BOOST_TEST((*forward.queue() >= (parts_in_a_million > 0 ? Duration(1ms) : Duration(0ms))));  // it drifted at all
  }
}

BOOST_AUTO_TEST_CASE(a_way_that_became_longer_is_the_way_after_half_a_minute) {
  round(20ms);
  for (int i = 0; i < 19; ++i) round(50ms);
  BOOST_TEST((forward.queue() == 30ms));
  for (int i = 0; i < 12; ++i) round(50ms);
  BOOST_TEST((forward.queue() == 0ms));
  // And nothing is left after a long silence.
  for (const Duration silence : {Duration(31s), Duration(1h)}) {
    round(20ms);
    now += silence;
    round(50ms);
    BOOST_TEST((forward.queue() == 0ms));
    round(51ms);
    BOOST_TEST((forward.queue() == 1ms));
  }
}

BOOST_AUTO_TEST_CASE(absurd_times_stay_within_the_round_trip) {
  for (const Duration claimed : {kLatestReceiveTime, Duration(0), kLatestReceiveTime, Duration(1us), Duration(5h)}) {
    send(20ms);
    now += 90ms;
    BOOST_TEST(acknowledge({{sent.back().number, claimed}}));
    BOOST_TEST((*forward.queue() >= 0ms && *forward.queue() <= 90ms));
  }
  // One packet with two times, and a driver whose time runs backwards.
  send(20ms);
  now -= 3h;
  BOOST_TEST(acknowledge({{sent.back().number, 1h}, {sent.back().number, 2h}}));
  BOOST_TEST((forward.queue() == 0ms));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace forward_delay_test
