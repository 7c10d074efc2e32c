// For how long each reason held back streams, classes and the connection, over links of virtual time on which the
// answer is known.
#include <boost/test/unit_test.hpp>
#include <map>
#include <numeric>

#include "support/sim_pair.h"

using namespace mxp;
using namespace mxp::test;

namespace blocked_time_test {
namespace {

Duration of(const TimeByReason& times, BlockedBy reason) { return times[static_cast<std::size_t>(reason)]; }
Duration sum(const TimeByReason& times) { return std::accumulate(times.begin(), times.end(), Duration{}); }

struct Waiting {
  SimPair sim;
  struct Ended {
    StreamStats stats;
    Timestamp at;
  };
  std::map<StreamId, Ended> ended;

  explicit Waiting(SimConfig config)
      : sim([&] {
          config.up = "delay 20ms rate 8mbit";
          config.down = "=";
          return config;
        }()) {
    sim.on_event = [&](Role role, const TraceEvent& event) {
      const auto* found = std::get_if<TraceStreamEnded>(&event);
      if (role == Role::client && found != nullptr) ended[found->stream] = {found->stats, sim.now()};
    };
    sim.connect();
    BOOST_TEST_REQUIRE(sim.run_until([&] { return sim.server.connected_count == 1; }, 30s));
    sim.run_for(1s);
  }
  StreamId send(std::uint64_t size, const StreamPriority& priority = {}) {
    const StreamId id = *sim.client.open_and_send(*sim.connection, StreamType::unidirectional, size);
    BOOST_TEST(sim.connection->set_priority(id, priority).has_value());
    return id;
  }
  void finish() {
    BOOST_TEST(sim.run_until([&] { return sim.client.all_sent_acknowledged(); }, 60s));
    sim.run_for(100ms);
    const ConnectionStats stats = sim.connection->stats();
    for (const TimeByReason& times : stats.blocked_time_of_class) {
      BOOST_CHECK(sum(times) == sum(stats.blocked_time));
      BOOST_CHECK(of(times, BlockedBy::handshake) == of(stats.blocked_time, BlockedBy::handshake));
    }
    BOOST_CHECK(of(stats.blocked_time, BlockedBy::traffic_class) == 0s);
    BOOST_TEST(sim.violations().empty());
  }
  const TimeByReason times_of(MessageClass traffic_class) const {
    return sim.connection->stats().blocked_time_of_class[static_cast<std::size_t>(traffic_class)];
  }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(blocked_time)

BOOST_AUTO_TEST_CASE(a_stream_behind_another_waits_for_it_and_then_for_the_link) {
  Waiting it{SimConfig{}};
  const Timestamp begin = it.sim.now();
  const StreamId first = it.send(4'000'000, {.urgency = 0});
  const StreamId second = it.send(500'000, {.urgency = 7});
  it.finish();
  const auto& [stats, at] = it.ended.at(first);
  BOOST_CHECK(stats.open_time == at - begin);
  BOOST_CHECK(sum(stats.blocked_time) == stats.open_time);
  BOOST_TEST(stats.bytes_sent == 4'000'000u);
  // Four megabytes take four seconds.
  BOOST_CHECK(of(stats.blocked_time, BlockedBy::congestion) + of(stats.blocked_time, BlockedBy::pacing) > 3500ms);
  BOOST_CHECK(of(stats.blocked_time, BlockedBy::traffic_class) == 0s);
  const StreamStats& other = it.ended.at(second).stats;
  BOOST_CHECK(other.open_time == it.ended.at(second).at - begin);
  BOOST_CHECK(sum(other.blocked_time) == other.open_time);
  const Duration behind = of(other.blocked_time, BlockedBy::traffic_class);
  BOOST_CHECK((behind > 3500ms && behind < 4500ms));
  BOOST_CHECK(of(other.blocked_time, BlockedBy::congestion) + of(other.blocked_time, BlockedBy::pacing) > 300ms);
}

BOOST_AUTO_TEST_CASE(a_reader_that_stops_holds_back_its_stream_and_not_the_other) {
  SimConfig config;
  config.server.transport.flow_control.stream_window = config.server.transport.flow_control.max_stream_window = 20'000;
  Waiting it{config};
  const StreamId slow = it.send(30'000);
  bool reads = false;
  it.sim.server.take_hook = [&](StreamId id, ByteView data) { return id == slow && !reads ? 0 : data.size(); };
  it.sim.run_for(1s);
  const StreamId other = it.send(10'000);
  it.sim.run_for(1s);
  reads = true;
  BOOST_TEST((*it.sim.server.connected.begin())->resume(slow).has_value());
  it.finish();
  const TimeByReason& times = it.ended.at(slow).stats.blocked_time;
  BOOST_CHECK((of(times, BlockedBy::stream_credit) > 1900ms && of(times, BlockedBy::stream_credit) < 2200ms));
  BOOST_CHECK(of(it.ended.at(other).stats.blocked_time, BlockedBy::stream_credit) == 0s);
  const TimeByReason of_class = it.times_of(MessageClass::streaming);
  BOOST_CHECK((of(of_class, BlockedBy::stream_credit) > 1800ms && of(of_class, BlockedBy::stream_credit) < 2200ms));
  BOOST_CHECK(of(it.times_of(MessageClass::background), BlockedBy::stream_credit) == 0s);
}

BOOST_AUTO_TEST_CASE(credit_of_the_connection_holds_back_streams_while_messages_go) {
  SimConfig config;
  config.server.transport.flow_control.connection_window = config.server.transport.flow_control.max_connection_window =
      20'000;
  Waiting it{config};
  const StreamId first = it.send(15'000), second = it.send(15'000);
  bool reads = false;
  it.sim.server.take_hook = [&](StreamId, ByteView data) { return reads ? data.size() : 0; };
  for (int i = 0; i < 20; ++i) {
    it.sim.run_for(100ms);
    it.sim.client.send_messages(*it.sim.connection, {.count = 1, .size = 100}, it.sim.now());
  }
  reads = true;
  for (const StreamId id : {first, second}) BOOST_TEST((*it.sim.server.connected.begin())->resume(id).has_value());
  it.finish();
  Duration longest{};
  for (const StreamId id : {first, second}) {
    const StreamStats& stats = it.ended.at(id).stats;
    BOOST_CHECK(sum(stats.blocked_time) == stats.open_time);
    longest = std::max(longest, of(stats.blocked_time, BlockedBy::connection_credit));
  }
  BOOST_CHECK((longest > 1900ms && longest < 2200ms));
  const Duration of_class = of(it.times_of(MessageClass::streaming), BlockedBy::connection_credit);
  BOOST_CHECK((of_class > 1900ms && of_class < 2200ms));
}

BOOST_AUTO_TEST_CASE(messages_without_credit_hold_back_their_class) {
  SimConfig config;
  config.server.transport.messages.receive_window = config.server.transport.messages.max_receive_window = 10'000;
  Waiting it{config};
  it.sim.server.message_hook = [](const Message&) { return false; };
  it.sim.client.send_messages(*it.sim.connection, {.type = MessageType::event, .count = 200, .size = 100},
                              it.sim.now());
  it.sim.run_for(2s);
  it.sim.server.message_hook = [](const Message&) { return true; };
  (*it.sim.server.connected.begin())->resume_messages();
  it.sim.run_for(1s);
  it.finish();
  const MessageClass used = message_class(MessageType::event);
  for (std::size_t i = 0; i != kMessageClasses; ++i) {
    const Duration held = of(it.times_of(static_cast<MessageClass>(i)), BlockedBy::message_credit);
    if (static_cast<MessageClass>(i) == used) BOOST_CHECK((held > 1900ms && held < 2200ms));
    else BOOST_CHECK(held == 0s);
  }
}

BOOST_AUTO_TEST_CASE(a_class_of_little_weight_waits_for_the_others) {
  Waiting it{SimConfig{}};
  std::map<MessageClass, int> changes;
  it.sim.on_event = [&](Role role, const TraceEvent& event) {
    if (const auto* found = std::get_if<TraceClassBlocked>(&event); role == Role::client && found != nullptr)
      changes[found->traffic_class] += found->reason == BlockedBy::traffic_class ? 1 : 0;
  };
  it.send(4'000'000, {.traffic_class = MessageClass::control});
  it.send(500'000, {.traffic_class = MessageClass::background});
  it.finish();
  BOOST_CHECK(of(it.times_of(MessageClass::background), BlockedBy::traffic_class) > 500ms);
  BOOST_CHECK(of(it.times_of(MessageClass::control), BlockedBy::traffic_class) <
              of(it.times_of(MessageClass::background), BlockedBy::traffic_class) / 2);
  BOOST_TEST(changes[MessageClass::background] > 10);
  BOOST_TEST(changes[MessageClass::streaming] == 0);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace blocked_time_test
