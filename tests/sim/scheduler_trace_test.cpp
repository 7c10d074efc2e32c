// What the scheduler decided, as the trace tells it.
#include <boost/test/unit_test.hpp>
#include <map>
#include <vector>

#include "support/sim_pair.h"

using namespace mxp;
using namespace mxp::test;

namespace scheduler_trace_test {
namespace {

using Source = TraceScheduled::Source;
using Because = TraceScheduled::Because;

struct Decisions {
  SimPair sim;
  std::vector<TraceScheduled> scheduled;
  std::vector<TraceHeldBack> held;
  std::vector<TraceTailRepair> repairs;
  std::map<PacketNumber, std::uint64_t> packets;  // sizes
  std::uint64_t expired = 0;

  explicit Decisions(const std::string& link)
      : sim([&] {
          SimConfig config;
          config.up = link;
          config.down = "=";
          return config;
        }()) {
    sim.on_event = [&](Role role, const TraceEvent& event) {
      if (role != Role::client) return;
      if (const auto* one = std::get_if<TraceScheduled>(&event)) scheduled.push_back(*one);
      if (const auto* one = std::get_if<TraceHeldBack>(&event)) held.push_back(*one);
      if (const auto* one = std::get_if<TraceTailRepair>(&event)) repairs.push_back(*one);
      if (const auto* one = std::get_if<TraceMessagesExpired>(&event)) expired += one->count;
      if (const auto* one = std::get_if<TracePacketSent>(&event)) packets[one->number] = one->size_bytes;
    };
    sim.connect();
    BOOST_TEST_REQUIRE(sim.run_until([&] { return sim.server.connected_count == 1; }, 30s));
    sim.run_for(1s);
    scheduled.clear();
  }
  template <typename Which>
  std::ptrdiff_t count(Which which) const {
    return std::ranges::count_if(scheduled, which);
  }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(scheduler_trace)

BOOST_AUTO_TEST_CASE(each_piece_says_who_sent_it_and_why) {
  Decisions it("delay 20ms rate 8mbit loss 2%");
  it.sim.client.open_and_send(*it.sim.connection, StreamType::unidirectional, 2'000'000);
  for (int i = 0; i < 20; ++i) {
    it.sim.run_for(50ms);
    it.sim.client.send_messages(*it.sim.connection, {.type = MessageType::call, .count = 5, .size = 1000},
                                it.sim.now());
    it.sim.client.send_messages(*it.sim.connection, {.type = MessageType::event, .count = 2, .size = 500},
                                it.sim.now());
  }
  BOOST_TEST(it.sim.run_until([&] { return it.sim.client.all_sent_acknowledged(); }, 60s));
  it.sim.run_for(1s);

  std::map<PacketNumber, std::uint64_t> bytes;
  std::uint64_t of_streams = 0;
  for (const TraceScheduled& one : it.scheduled) {
    bytes[one.packet] += one.bytes;
    if (one.source == Source::streams) of_streams += one.bytes;
    BOOST_TEST((one.source != Source::datagrams));
    if (one.because == Because::preempts) BOOST_TEST((one.traffic_class == MessageClass::critical));
    if (one.source == Source::streams) BOOST_TEST((one.traffic_class == MessageClass::streaming));
  }
  // No packet holds more than was sent, and all of the data is there, with what was lost.
  for (const auto& [number, size] : bytes) BOOST_TEST(size < it.packets.at(number));
  const ConnectionStats stats = it.sim.connection->stats();
  const std::uint64_t data = stats.stream_bytes_sent + stats.stream_bytes_retransmitted;
  BOOST_TEST(of_streams > data);
  BOOST_TEST(of_streams < data + data / 50);

  const auto is = [](MessageClass traffic_class, Because because) {
    return [=](const TraceScheduled& one) { return one.traffic_class == traffic_class && one.because == because; };
  };
  BOOST_TEST(it.count(is(MessageClass::critical, Because::preempts)) > 0);
  BOOST_TEST(it.count(is(MessageClass::streaming, Because::alone)) > 500);
  BOOST_TEST(it.count(is(message_class(MessageType::event), Because::share)) > 5);
  BOOST_TEST(it.count([](const TraceScheduled& one) { return one.lost_first && one.source == Source::streams; }) > 5);
  BOOST_TEST(it.count([](const TraceScheduled& one) { return one.lost_first && one.source == Source::messages; }) > 0);
  BOOST_TEST(!it.repairs.empty());
  BOOST_TEST(it.repairs.size() == stats.tail_repairs);
  for (const TraceTailRepair& one : it.repairs) BOOST_TEST((one.of == TraceTailRepair::Of::messages && one.count > 0));
}

BOOST_AUTO_TEST_CASE(what_waits_for_company_and_what_expires) {
  Decisions it("delay 20ms");
  it.sim.connection->cork();
  it.sim.client.send_messages(*it.sim.connection, {.type = MessageType::event, .count = 3, .size = 10}, it.sim.now());
  const Timestamp corked = it.sim.now();
  it.sim.run_for(150ms);
  BOOST_TEST_REQUIRE(it.held.size() == 1u);
  BOOST_TEST(it.held[0].corked);
  BOOST_CHECK(it.held[0].until == corked + 200ms);
  BOOST_TEST(it.scheduled.empty());
  it.sim.run_for(100ms);
  BOOST_TEST(it.scheduled.size() == 1u);
  BOOST_TEST(it.expired == 0u);

  it.sim.filter = [](Role, ByteView) { return true; };
  it.sim.client.send_messages(*it.sim.connection,
                              {.type = MessageType::event, .count = 7, .size = 10, .lifetime = 50ms}, it.sim.now());
  it.sim.run_for(2s);
  BOOST_TEST(it.expired == 7u);
  BOOST_TEST(it.expired == it.sim.connection->stats().messages_expired);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace scheduler_trace_test
