// Critical data that go once more before anybody knows that they were lost.
#include "scheduler/tail_repair.h"

#include <boost/test/unit_test.hpp>

#include "support/host.h"

using namespace mxp;
using namespace mxp::test;

namespace tail_repair_test {

BOOST_AUTO_TEST_SUITE(tail_repair)

namespace {

constexpr Duration kRtt = 40ms;
constexpr Duration kDelay = 2ms;

SentFrame message(std::uint64_t sequence, std::uint32_t count = 1) {
  return {.kind = SentFrame::Kind::message, .length = count, .value = sequence};
}

struct Repair {
  void send(const SentFrame& frame, std::size_t bytes = 100) { repair.on_critical_sent(now, frame, bytes, kRtt); }
  // The sequences that go again by then.
  std::vector<std::uint64_t> after(Duration time) {
    now += time;
    std::vector<std::uint64_t> again;
    repair.repair(now, kRtt, [&](const SentFrame& frame) { again.push_back(frame.value); });
    return again;
  }
  TailRepair repair;
  Timestamp now{1h};
};

using Sequences = std::vector<std::uint64_t>;

}  // namespace

BOOST_AUTO_TEST_CASE(the_delay_is_a_quarter_of_the_round_trip_within_bounds) {
  BOOST_CHECK(TailRepair::delay(0ms) == 500us);
  BOOST_CHECK(TailRepair::delay(4ms) == 1ms);
  BOOST_CHECK(TailRepair::delay(100ms) == 2ms);
}

BOOST_AUTO_TEST_CASE(frames_go_once_more_and_never_again) {
  Repair it;
  it.send(message(1));
  BOOST_CHECK(it.repair.deadline() == it.now + kDelay);
  BOOST_CHECK(it.after(kDelay - 1ns) == Sequences{});
  BOOST_CHECK(it.after(1ns) == Sequences{1});
  BOOST_CHECK(it.repair.deadline() == kNever);
  it.send(message(1));  // the copy
  BOOST_CHECK(it.repair.deadline() == kNever);
  BOOST_CHECK(it.after(1s) == Sequences{});
  it.send(message(2));
  BOOST_CHECK(it.after(kDelay) == Sequences{2});
}

BOOST_AUTO_TEST_CASE(what_is_acknowledged_or_lost_is_not_repaired) {
  Repair it;
  it.send(message(1));
  it.send(message(2));
  it.send(message(3));
  it.repair.on_packet_sent(1 << 20);
  it.repair.on_acknowledged(message(1));
  it.repair.on_lost(message(3));
  it.repair.on_acknowledged(message(7));
  BOOST_CHECK(it.after(kDelay) == Sequences{2});
  it.send(message(4));
  it.repair.on_acknowledged(message(4));
  BOOST_CHECK(it.repair.deadline() == kNever);
}

BOOST_AUTO_TEST_CASE(each_goes_when_it_has_waited_and_takes_along_those_that_have_waited_for_half) {
  Repair it;
  it.send(message(1));
  BOOST_CHECK(it.after(700us) == Sequences{});
  it.send(message(2));
  BOOST_CHECK(it.after(700us) == Sequences{});
  it.send(message(3));
  BOOST_CHECK((it.after(600us) == Sequences{1, 2}));  // they have waited for 2 and 1.3 ms, the third for 0.6
  BOOST_CHECK(it.repair.deadline() == it.now + 1400us);
  BOOST_CHECK(it.after(1400us) == Sequences{3});
  BOOST_CHECK(it.repair.deadline() == kNever);
}

BOOST_AUTO_TEST_CASE(others_that_follow_do_not_put_it_off) {
  Repair it;
  std::uint64_t again = 0;
  for (std::uint64_t i = 0; i != 1000; ++i) {
    it.send(message(i), 10);
    again += it.after(1ms).size();
  }
  BOOST_TEST(again >= 995u);
}

BOOST_AUTO_TEST_CASE(what_was_given_up_goes_along_with_the_next_one) {
  Repair it;
  it.send(message(1));
  it.now += kDelay;
  it.repair.give_up();
  BOOST_CHECK(it.repair.deadline() == kNever);
  it.send(message(2));
  BOOST_CHECK((it.after(kDelay) == Sequences{1, 2}));
}

BOOST_AUTO_TEST_CASE(copies_stay_within_three_per_cent_and_twelve_thousand_bytes_for_each_round_trip) {
  for (const std::size_t bytes : {100u, 1000u}) {
    Repair it;
    std::uint64_t sent = 0, copied = 0;
    const Timestamp start = it.now;
    for (std::uint64_t i = 0; i != 20'000; ++i) {
      it.send(message(i), bytes);
      it.repair.on_packet_sent(bytes);
      sent += bytes;
      copied += bytes * it.after(200us).size();
    }
    const auto round_trips = static_cast<std::uint64_t>((it.now - start) / kRtt) + 1;
    BOOST_TEST(copied <= sent * 3 / 100 + 12'000 * round_trips);
    BOOST_TEST(copied >= 11'000 * round_trips);
  }
  // A frame larger than that waits for what others pay.
  Repair large;
  large.send(message(1), 12'001);
  BOOST_CHECK(large.after(kDelay) == Sequences{});
}

BOOST_AUTO_TEST_CASE(round_trips_shorter_than_ten_milliseconds_give_no_more_than_those) {
  TailRepair repair;
  Timestamp now{1h};
  std::uint64_t copied = 0;
  for (std::uint64_t i = 0; i != 1000; ++i) {
    repair.on_critical_sent(now, message(i), 1000, 100us);
    now += 1ms;
    repair.repair(now, 100us, [&](const SentFrame&) { ++copied; });
  }
  BOOST_TEST(copied <= 12u * 101);
  BOOST_TEST(copied >= 990u);
  for (std::uint64_t i = 1000; i != 9000; ++i) {
    repair.on_critical_sent(now, message(i), 1000, 100us);
    if (i % 8 == 0) now += 1ms;
    repair.repair(now, 100us, [&](const SentFrame&) { ++copied; });
  }
  BOOST_TEST(copied <= 12u * 202);
}

BOOST_AUTO_TEST_CASE(only_the_last_frames_are_remembered) {
  Repair it;
  it.repair.on_packet_sent(1 << 20);
  for (std::uint64_t i = 0; i != 100; ++i) it.send(message(i), 10);
  const Sequences again = it.after(kDelay);
  BOOST_TEST_REQUIRE(again.size() == TailRepair::kRememberedFrames);
  BOOST_TEST(again.front() == 100 - TailRepair::kRememberedFrames);
}

namespace {

// A pair in which datagrams of the client can be lost, whose round trip was measured as none.
struct Calls {
  explicit Calls(DirectPair::Config config = {}) : pair(std::move(config)), client(*pair.establish()) {
    pair.advance(1s);
  }
  void lose_one() {
    pair.lose = [this](Role sender, ByteView) { return sender == Role::client && std::exchange(loses, false); };
    loses = true;
  }
  std::uint64_t received() const { return pair.server_connection()->stats().messages_received; }
  DirectPair pair;
  Connection& client;
  bool loses = false;
};

}  // namespace

BOOST_AUTO_TEST_CASE(a_critical_message_that_is_lost_arrives_long_before_a_probe_timeout) {
  Calls calls;
  calls.lose_one();
  BOOST_TEST(calls.client.send_message({.type = MessageType::call, .id = 1}).has_value());
  calls.pair.exchange();
  BOOST_TEST(calls.received() == 0u);
  calls.pair.advance(500us);
  BOOST_TEST(calls.received() == 1u);
  BOOST_TEST(calls.client.stats().tail_repairs == 1u);
  BOOST_TEST(calls.client.stats().probes_sent == 0u);
  calls.pair.advance(1s);
  BOOST_TEST(calls.received() == 1u);
  BOOST_TEST(calls.client.stats().messages_acknowledged == 1u);
}

BOOST_AUTO_TEST_CASE(a_critical_stream_is_repaired_and_others_are_not) {
  for (const MessageClass traffic_class : {MessageClass::critical, MessageClass::control}) {
    Calls calls;
    const StreamId id = *calls.client.open_stream(StreamType::unidirectional);
    BOOST_TEST(calls.client.set_priority(id, {.traffic_class = traffic_class}).has_value());
    calls.lose_one();
    BOOST_TEST(calls.client.write(id, Bytes(100)).has_value());
    calls.pair.advance(500us);
    const bool critical = traffic_class == MessageClass::critical;
    BOOST_TEST(calls.pair.server.app.data[id].size() == (critical ? 100u : 0u));
    BOOST_TEST(calls.client.stats().tail_repairs == (critical ? 1u : 0u));
    calls.pair.advance(1s);
    BOOST_TEST(calls.pair.server.app.data[id].size() == 100u);
  }
}

BOOST_AUTO_TEST_CASE(nothing_is_repaired_where_it_is_switched_off_or_the_peer_answers_in_time) {
  DirectPair::Config off;
  off.client.transport.scheduler.tail_repair = false;
  Calls calls(std::move(off));
  calls.lose_one();
  BOOST_TEST(calls.client.send_message({.type = MessageType::call, .id = 1}).has_value());
  calls.pair.advance(1ms);
  BOOST_TEST(calls.received() == 0u);
  Calls answered;
  // The second packet is acknowledged at once.
  for (std::uint64_t id = 1; id <= 2; ++id) {
    BOOST_TEST(answered.client.send_message({.type = MessageType::call, .id = id}).has_value());
    answered.pair.exchange();
  }
  answered.pair.advance(1s);
  BOOST_TEST(answered.client.stats().tail_repairs == 0u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace tail_repair_test
