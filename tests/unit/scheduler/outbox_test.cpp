// Who sends first: classes by weight, urgency and turns within a class, lost data before new data.
#include "scheduler/outbox.h"

#include <boost/test/unit_test.hpp>
#include <map>

#include "unit/scheduler/streams_fixture.h"

namespace mxp::test {
namespace {

using enum MessageClass;

FlowControlConfig wide() {
  FlowControlConfig config;
  config.stream_window = config.max_stream_window = config.connection_window = config.max_connection_window = 1u << 30;
  return config;
}

struct Sender : StreamPair {
  Sender() : StreamPair(wide(), wide()) {}

  StreamId stream(const StreamPriority& priority, std::size_t bytes = 4u << 20) {
    const StreamId id = *client.streams.open(StreamType::bidirectional);
    BOOST_TEST_REQUIRE(client.streams.set_priority(id, priority).has_value());
    BOOST_TEST_REQUIRE(client.streams.write(id, std::vector<std::uint8_t>(bytes)).value() == bytes);
    return id;
  }
  // Bytes of each stream in the next `packets`.
  std::map<StreamId, std::uint64_t> next(int packets, std::size_t size = 1200) {
    std::map<StreamId, std::uint64_t> bytes;
    for (int i = 0; i < packets; ++i)
      for (const SentFrame& frame : write_packet(client.streams, size).frames) bytes[frame.stream] += frame.length;
    return bytes;
  }
};

BOOST_AUTO_TEST_SUITE(outbox)

BOOST_FIXTURE_TEST_CASE(classes_share_by_weight, Sender) {
  std::map<MessageClass, StreamId> ids;
  for (const MessageClass traffic_class : {background, streaming, control, critical})
    ids[traffic_class] = stream({.traffic_class = traffic_class});
  auto bytes = next(5000);
  const double total = 5000 * 1190.0;
  BOOST_TEST(bytes[ids[critical]] / total == 8 / 15.0, boost::test_tools::tolerance(0.03));
  BOOST_TEST(bytes[ids[control]] / total == 4 / 15.0, boost::test_tools::tolerance(0.03));
  BOOST_TEST(bytes[ids[streaming]] / total == 2 / 15.0, boost::test_tools::tolerance(0.03));
  BOOST_TEST(bytes[ids[background]] / total == 1 / 15.0, boost::test_tools::tolerance(0.05));
}

BOOST_FIXTURE_TEST_CASE(a_critical_burst_passes_what_waits, Sender) {
  const StreamId bulk = stream({.traffic_class = background});
  std::ignore = next(100);
  const StreamId urgent = stream({.traffic_class = critical}, 50'000);
  auto bytes = next(42);
  BOOST_TEST(bytes[urgent] == 50'000u);
  BOOST_TEST(bytes[bulk] < 1200u);
}

BOOST_FIXTURE_TEST_CASE(a_lower_urgency_number_goes_first_within_its_class, Sender) {
  const StreamId late = stream({.urgency = 7}, 30'000), first = stream({.urgency = 0}, 30'000),
                 middle = stream({}, 30'000);
  auto bytes = next(20);
  BOOST_TEST(bytes[first] > 20'000u);
  BOOST_TEST(bytes[middle] == 0u);
  bytes = next(30);
  BOOST_TEST(bytes[late] == 0u);
  bytes = next(40);
  BOOST_TEST(bytes[late] == 30'000u);
}

BOOST_FIXTURE_TEST_CASE(streams_of_one_urgency_take_turns_by_weight, Sender) {
  const StreamId light = stream({.weight = 16}), heavy = stream({.weight = 48});
  auto bytes = next(3000);
  BOOST_TEST(static_cast<double>(bytes[heavy]) / static_cast<double>(bytes[light]) == 3.0,
             boost::test_tools::tolerance(0.05));
}

BOOST_FIXTURE_TEST_CASE(a_stream_that_is_not_incremental_ends_before_the_next_begins, Sender) {
  const StreamId one = stream({.incremental = false}, 100'000), other = stream({.incremental = false}, 100'000);
  auto bytes = next(80);
  BOOST_TEST(bytes[one] > 90'000u);
  BOOST_TEST(bytes[other] == 0u);
}

BOOST_FIXTURE_TEST_CASE(a_new_priority_counts_from_the_next_packet_on, Sender) {
  const StreamId one = stream({.urgency = 1}), other = stream({.urgency = 2});
  BOOST_TEST(next(10)[other] == 0u);
  BOOST_TEST(client.streams.set_priority(other, {.urgency = 0}).has_value());
  BOOST_TEST(next(10)[one] == 0u);
  BOOST_TEST(client.streams.set_priority(one, {.traffic_class = critical}).has_value());
  BOOST_TEST(next(10)[other] == 0u);
  BOOST_TEST((client.streams.set_priority(client_bidi(9), {}).error() == StreamError::unknown_stream));
}

BOOST_FIXTURE_TEST_CASE(what_was_lost_goes_before_what_is_new_in_its_class_only, Sender) {
  const StreamId bulk = stream({.traffic_class = background});
  const Packet lost = write_packet(client.streams);
  const StreamId urgent = stream({.traffic_class = critical}, 1000);
  lose(client.streams, lost);
  const Packet packet = write_packet(client.streams);
  BOOST_TEST_REQUIRE(packet.frames.size() == 2u);
  BOOST_TEST((packet.frames[0].stream == urgent));
  BOOST_TEST((packet.frames[1].stream == bulk));
  BOOST_TEST(packet.frames[1].value == 0u);
}

BOOST_FIXTURE_TEST_CASE(a_probe_may_ask_for_new_data_first, Sender) {
  const StreamId id = stream({});
  const Packet lost = write_packet(client.streams);
  lose(client.streams, lost);
  std::vector<std::uint8_t> space(1200);
  Writer out(space);
  std::vector<SentFrame> frames;
  BOOST_TEST(client.streams.outbox.write_frames(
      out, [&](const SentFrame& frame) { frames.push_back(frame); }, Outbox::Order::new_first));
  BOOST_TEST_REQUIRE(!frames.empty());
  BOOST_TEST((frames[0].stream == id));
  BOOST_TEST(frames[0].value == lost.frames[0].length);
}

// Pieces of another class that do not fit behind those of the critical one wait for the next packet, not for ever.
BOOST_FIXTURE_TEST_CASE(large_messages_get_their_share_beside_a_flood_of_small_critical_ones, Sender) {
  TransportParameters takes;
  Messages::announce(MessageConfig{}, takes);
  takes.initial_max_messages = kMaxMessageWindow;
  takes.initial_max_message_data = kMaxVarint;
  client.streams.messages.on_peer_parameters(takes);
  const std::vector<std::uint8_t> small(90), large(1000);
  const auto fill = [&](MessageType type, const std::vector<std::uint8_t>& payload) {
    while (client.streams.messages.send({.type = type, .payload = payload}, {})) {
    }
  };
  std::uint64_t bytes[2] = {0, 0};
  for (int i = 0; i < 2000; ++i) {
    fill(MessageType::call, small);
    fill(MessageType::event, large);
    const Packet packet = write_packet(client.streams, 1440);
    for (const Frame& frame : frames_of(packet)) {
      const std::size_t size = std::get<MessageFrame>(frame).body.size();
      bytes[size > 500 ? 1 : 0] += size;
    }
    acknowledge(client.streams, packet);
  }
  BOOST_TEST(static_cast<double>(bytes[1]) / static_cast<double>(bytes[0] + bytes[1]) == 1 / 9.0,
             boost::test_tools::tolerance(0.3));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace mxp::test
