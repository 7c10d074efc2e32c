// What goes out, in which order, how often, and what is repeated after a loss.
#include <boost/test/unit_test.hpp>
#include <set>
#include <string>
#include <vector>

#include "unit/scheduler/streams_fixture.h"

namespace mxp::test {
namespace {

using Kind = SentFrame::Kind;
using namespace std::chrono_literals;

struct SendFixture : StreamPair {
  Side& us = client;
  StreamId open_with(std::size_t bytes, StreamType type = StreamType::bidirectional) {
    const StreamId id = *us.streams.open(type);
    BOOST_REQUIRE(us.streams.write(id, pattern_bytes(0, bytes)).value() == bytes);
    return id;
  }
};

// A sender with default settings, whose peer lets everything go.
struct Unhindered {
  const FlowControlConfig defaults;
  RecordingEvents events;
  LoneStreams streams{Role::client, defaults, events, kHashKey};
  const std::vector<std::uint8_t> plenty = std::vector<std::uint8_t>(8 << 20);

  Unhindered() {
    streams.on_peer_parameters({.initial_max_data = kMaxVarint,
                                .initial_max_stream_data_bidi_remote = kMaxVarint,
                                .initial_max_streams_bidi = 1000});
  }
};

BOOST_FIXTURE_TEST_SUITE(streams_send, SendFixture)

BOOST_AUTO_TEST_CASE(an_idle_side_has_nothing_to_send) {
  BOOST_TEST(!us.streams.has_pending());
  BOOST_TEST(write_packet(us.streams).empty());
  std::ignore = us.streams.open(StreamType::bidirectional);
  BOOST_TEST(!us.streams.has_pending());
}

BOOST_AUTO_TEST_CASE(many_streams_share_the_memory_for_sending) {
  const FlowControlConfig defaults;
  RecordingEvents events;
  LoneStreams streams(Role::client, defaults, events, kHashKey);
  streams.on_peer_parameters({.initial_max_streams_bidi = 100});
  const std::vector<std::uint8_t> plenty(16 << 20);
  std::vector<std::size_t> taken;
  std::vector<StreamId> ids;
  for (int i = 0; i < 7; ++i) ids.push_back(*streams.open(StreamType::bidirectional));
  for (const StreamId id : ids) taken.push_back(streams.write(id, plenty).value());
  for (const std::size_t one : taken) BOOST_TEST(one == defaults.connection_send_buffer / 7);
  BOOST_TEST(streams.usage().send_buffered <= defaults.connection_send_buffer);
}

BOOST_FIXTURE_TEST_CASE(the_memory_for_sending_bounds_all_streams_together, Unhindered) {
  // Each is opened when those before it are full: nothing is left for the fifth but the least that every stream has.
  std::vector<std::size_t> taken;
  for (int i = 0; i < 200; ++i)
    taken.push_back(streams.write(*streams.open(StreamType::bidirectional), plenty).value());
  BOOST_TEST(taken[3] == 8u << 20);
  BOOST_TEST(taken[4] == 16u << 10);
  BOOST_TEST(streams.usage().send_buffered == defaults.connection_send_buffer + 196 * (16u << 10));
  BOOST_TEST(streams.usage().memory == streams.usage().send_buffered);
  // What is acknowledged frees its part for all.
  for (int i = 0; i < 100; ++i) acknowledge(streams, write_packet(streams, 60'000));
  BOOST_TEST(streams.usage().send_buffered < defaults.connection_send_buffer);
  const StreamId id = *streams.open(StreamType::bidirectional);
  BOOST_TEST(streams.writable_bytes(id) == defaults.connection_send_buffer / 201);
}

BOOST_FIXTURE_TEST_CASE(one_congestion_window_is_taken_beyond_what_was_sent, Unhindered) {
  const StreamId id = *streams.open(StreamType::bidirectional);
  streams.on_congestion_window(12'000);
  BOOST_TEST(streams.write(id, plenty).value() == 256u << 10);
  streams.on_congestion_window(1'000'000);
  BOOST_TEST(streams.write(id, plenty).value() == 1'000'000 - (256u << 10));
  // What was sent leaves its room to more, until the configured buffer is full.
  const Packet first = write_packet(streams, 60'000);
  BOOST_TEST(streams.writable_bytes(id) == streams.counters().bytes_sent);
  std::vector<Packet> packets;
  while (streams.write(id, plenty).value() != 0) packets.push_back(write_packet(streams, 60'000));
  BOOST_TEST(streams.usage().send_buffered == defaults.stream_send_buffer);
  // A window that shrinks takes nothing back: nothing is taken until less than that waits.
  streams.on_congestion_window(500'000);
  acknowledge(streams, first);
  BOOST_TEST(streams.usage().send_buffered + streams.counters().bytes_acknowledged == defaults.stream_send_buffer);
  BOOST_TEST(streams.writable_bytes(id) == 0u);
  while (streams.writable_bytes(id) == 0) write_packet(streams, 60'000);
  BOOST_TEST(defaults.stream_send_buffer - streams.counters().bytes_sent < 500'000u);
}

BOOST_FIXTURE_TEST_CASE(streams_that_have_something_to_send_share_the_window, Unhindered) {
  std::vector<StreamId> ids;
  for (int i = 0; i < 5; ++i) ids.push_back(*streams.open(StreamType::bidirectional));
  streams.on_congestion_window(600'000);
  BOOST_TEST(streams.write(ids[0], plenty).value() == 600'000u);  // four others are open, and silent
  BOOST_TEST(streams.write(ids[1], plenty).value() == 300'000u);
  BOOST_TEST(streams.write(ids[2], plenty).value() == 200'000u);
  BOOST_TEST(streams.write(ids[1], plenty).value() == 0u);
  // One that has nothing left to send leaves its share to the others.
  BOOST_TEST_REQUIRE(streams.reset(ids[0], 0).has_value());
  while (streams.has_pending()) acknowledge(streams, write_packet(streams, 60'000));
  BOOST_TEST(streams.write(ids[3], plenty).value() == 600'000u);
  // Each may have a little, however many there are.
  streams.on_congestion_window(0);
  for (int i = 0; i < 100; ++i)
    BOOST_TEST(streams.write(*streams.open(StreamType::bidirectional), plenty).value() >= 16u << 10);
}

BOOST_FIXTURE_TEST_CASE(a_path_that_became_thin_gives_the_memory_of_its_streams_back, Unhindered) {
  const StreamId id = *streams.open(StreamType::bidirectional);
  streams.on_congestion_window(6 << 20);
  BOOST_TEST(streams.write(id, plenty).value() == 6u << 20);
  while (streams.has_pending()) acknowledge(streams, write_packet(streams, 60'000));
  BOOST_TEST(streams.usage().memory == 8u << 20);  // a ring, for the next time
  streams.on_congestion_window(12'000);
  BOOST_TEST(streams.write(id, plenty).value() == 256u << 10);
  acknowledge(streams, write_packet(streams, 60'000));
  BOOST_TEST(streams.usage().memory == 256u << 10);
}

BOOST_AUTO_TEST_CASE(acknowledged_data_hold_no_memory) {
  // The peer asks for much on one stream after the other, acknowledges it, and never ends its own side.
  for (const bool ended : {true, false}) {
    Unhindered sender;
    LoneStreams& streams = sender.streams;
    const FlowControlConfig& defaults = sender.defaults;
    for (int i = 0; i < 100; ++i) {
      const StreamId id = *streams.open(StreamType::bidirectional);
      BOOST_TEST_REQUIRE(streams.write(id, sender.plenty).value() >= defaults.connection_send_buffer / 100);
      if (ended) BOOST_TEST_REQUIRE(streams.finish(id).has_value());
      while (streams.has_pending()) acknowledge(streams, write_packet(streams, 60'000));
    }
    BOOST_TEST(streams.usage().objects == 100u);
    BOOST_TEST(streams.usage().send_buffered == 0u);
    BOOST_TEST(streams.usage().memory <= 100 * kKeptBytes + (ended ? 0 : defaults.connection_send_buffer / 4));
  }
}

BOOST_AUTO_TEST_CASE(an_empty_write_lets_the_peer_speak_first) {
  const StreamId id = open_with(0);
  const Packet packet = write_packet(us.streams);
  BOOST_TEST(packet.frames.size() == 1u);
  BOOST_TEST(packet.frames[0].length == 0u);
  BOOST_TEST(!packet.frames[0].fin);
  BOOST_TEST(!us.streams.has_pending());
  lose(us.streams, packet);
  exchange();
  BOOST_TEST(server.streams.write(id, pattern_bytes(0, 10)).value() == 10u);
}

BOOST_AUTO_TEST_CASE(one_frame_opens_carries_data_and_ends) {
  const StreamId id = open_with(10);
  BOOST_TEST(us.streams.finish(id).has_value());
  BOOST_TEST(us.streams.finish(id).has_value());
  const Packet packet = write_packet(us.streams);
  BOOST_TEST(packet.frames.size() == 1u);
  BOOST_TEST(packet.frames[0].fin);
  BOOST_TEST(packet.frames[0].length == 10u);
  BOOST_TEST(!us.streams.has_pending());
  acknowledge(us.streams, packet);
  BOOST_TEST(us.events.log == std::vector<std::string>{"finished 0"}, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(verbs_say_why_they_fail) {
  BOOST_TEST((us.streams.write(client_bidi(0), {}).error() == StreamError::unknown_stream));
  const StreamId id = open_with(10);
  BOOST_TEST(us.streams.writable_bytes(id) == 1990u);
  BOOST_TEST(us.streams.finish(id).has_value());
  BOOST_TEST((us.streams.write(id, {}).error() == StreamError::finished));
  BOOST_TEST(us.streams.writable_bytes(id) == 0u);
  BOOST_TEST(us.streams.reset(id, 1).has_value());
  BOOST_TEST((us.streams.reset(id, 1).error() == StreamError::reset));
  BOOST_TEST((us.streams.finish(id).error() == StreamError::reset));
  const StreamId one_way = open_with(1, StreamType::unidirectional);
  BOOST_TEST((us.streams.stop_sending(one_way, 0).error() == StreamError::wrong_direction));
  BOOST_TEST((us.streams.resume(one_way).error() == StreamError::wrong_direction));
  exchange();
  BOOST_TEST((server.streams.write(one_way, {}).error() == StreamError::wrong_direction));
  BOOST_TEST((server.streams.finish(one_way).error() == StreamError::wrong_direction));
  us.streams.drop_all();
  BOOST_TEST((us.streams.open(StreamType::bidirectional).error() == StreamError::connection_closed));
  BOOST_TEST((us.streams.write(id, {}).error() == StreamError::connection_closed));
}

BOOST_AUTO_TEST_CASE(a_finished_stream_cannot_be_reset_and_is_then_forgotten) {
  const StreamId id = open_with(10);
  BOOST_TEST(us.streams.finish(id).has_value());
  exchange();
  BOOST_TEST((us.streams.reset(id, 1).error() == StreamError::finished));  // the peer's half keeps it alive
  BOOST_TEST(server.streams.finish(id).has_value());
  exchange();
  BOOST_TEST((us.streams.reset(id, 1).error() == StreamError::unknown_stream));
  BOOST_TEST(us.streams.usage().objects == 0u);
  BOOST_TEST(server.streams.usage().objects == 0u);
}

BOOST_AUTO_TEST_CASE(lost_data_go_before_new_data) {
  const StreamId first = open_with(900), second = open_with(900);
  const Packet lost = write_packet(us.streams, 500);
  lose(us.streams, lost);
  const Packet packet = write_packet(us.streams, 1200);
  BOOST_TEST((packet.frames[0].stream == first));
  BOOST_TEST(packet.frames[0].value == 0u);
  BOOST_TEST(packet.frames[0].length == lost.frames[0].length);
  BOOST_TEST(us.streams.counters().bytes_retransmitted == lost.frames[0].length);
  std::ignore = second;
}

BOOST_AUTO_TEST_CASE(lost_data_are_repeated_without_connection_credit) {
  FlowControlConfig config = small_config();
  config.connection_window = config.max_connection_window = 600;
  StreamPair pair({}, config);
  const StreamId id = *pair.client.streams.open(StreamType::bidirectional);
  std::ignore = pair.client.streams.write(id, pattern_bytes(0, 900));
  const Packet packet = write_packet(pair.client.streams, 1200);
  BOOST_TEST(pair.client.streams.blocked_by_connection_credit());
  lose(pair.client.streams, packet);
  BOOST_TEST(pair.client.streams.has_pending());
  const Packet again = write_packet(pair.client.streams, 1200);
  BOOST_TEST(again.count(Kind::stream) == 1u);
  BOOST_TEST(again.count(Kind::data_blocked) == 1u);
}

BOOST_AUTO_TEST_CASE(streams_take_turns) {
  FlowControlConfig config;
  StreamPair pair(config, config);
  std::map<std::uint64_t, std::size_t> sent;
  for (int i = 0; i < 4; ++i) {
    const StreamId id = *pair.client.streams.open(StreamType::bidirectional);
    std::ignore = pair.client.streams.write(id, pattern_bytes(0, 100'000));
  }
  for (int i = 0; i < 80; ++i) {
    for (const SentFrame& frame : write_packet(pair.client.streams, 1200).frames)
      sent[frame.stream.value()] += frame.length;
  }
  BOOST_TEST(sent.size() == 4u);
  const auto [least, most] =
      std::minmax_element(sent.begin(), sent.end(), [](auto& a, auto& b) { return a.second < b.second; });
  BOOST_TEST(most->second - least->second <= 2 * 4800u);
}

BOOST_AUTO_TEST_CASE(a_lone_stream_fills_a_large_packet_with_one_frame) {
  FlowControlConfig config;
  StreamPair pair(config, config);
  const StreamId id = *pair.client.streams.open(StreamType::bidirectional);
  std::ignore = pair.client.streams.write(id, pattern_bytes(0, 100'000));
  const Packet packet = write_packet(pair.client.streams, 60'000);
  BOOST_TEST(packet.frames.size() == 1u);
  BOOST_TEST(packet.payload.size() == 60'000u);
}

BOOST_AUTO_TEST_CASE(many_short_streams_share_a_packet) {
  FlowControlConfig config;
  StreamPair pair(config, config);
  for (int i = 0; i < 50; ++i) {
    const StreamId id = *pair.client.streams.open(StreamType::unidirectional);
    std::ignore = pair.client.streams.write(id, pattern_bytes(0, 10));
    std::ignore = pair.client.streams.finish(id);
  }
  const Packet packet = write_packet(pair.client.streams, 1200);
  BOOST_TEST(packet.count(Kind::stream) == 50u);
}

// -- threat t36: BLOCKED and MAX frames

BOOST_AUTO_TEST_CASE(t36_blocked_is_said_once_for_each_limit) {
  const StreamId id = open_with(1500);
  const Packet data = write_packet(us.streams, 1200);
  const Packet blocked = write_packet(us.streams, 1200);
  BOOST_TEST(data.count(Kind::stream_data_blocked) + blocked.count(Kind::stream_data_blocked) == 1u);
  BOOST_TEST(us.streams.blocked_by_stream_credit());
  for (int i = 0; i < 10; ++i) {
    std::ignore = us.streams.write(id, pattern_bytes(0, 10));
    BOOST_TEST(!us.streams.has_pending());
  }
  lose(us.streams, blocked);
  BOOST_TEST(write_packet(us.streams).count(Kind::stream_data_blocked) == 1u);  // still true
  BOOST_TEST(us.streams.on_frame(MaxStreamDataFrame{id, 1200}).has_value());
  lose(us.streams, blocked);
  BOOST_TEST(write_packet(us.streams).count(Kind::stream) == 1u);  // stale: only the new limit is told
  const Packet next = write_packet(us.streams);
  BOOST_TEST(next.frames.size() == 1u);
  BOOST_TEST(next.frames[0].value == 1200u);
}

BOOST_AUTO_TEST_CASE(t36_two_sides_that_do_not_read_fall_silent) {
  for (Side* side : {&client, &server}) side->events.data_hook = [](StreamId, ByteView, bool) { return 0; };
  for (Side* side : {&client, &server}) {
    for (int i = 0; i < 4; ++i)
      std::ignore = side->streams.write(*side->streams.open(StreamType::bidirectional), pattern_bytes(0, 2000));
    std::ignore = side->streams.open(StreamType::bidirectional);
  }
  BOOST_TEST(exchange() <= 20u);
  BOOST_TEST(!client.streams.has_pending());
  BOOST_TEST(!server.streams.has_pending());
}

BOOST_AUTO_TEST_CASE(t36_a_window_of_zero_is_announced_once) {
  FlowControlConfig closed;
  closed.connection_window = closed.max_connection_window = closed.stream_window = closed.max_stream_window = 0;
  StreamPair pair(small_config(), closed);
  for (int i = 0; i < 10; ++i) {
    BOOST_TEST(pair.server.streams.on_frame(DataBlockedFrame{0}).has_value());
    BOOST_TEST(pair.server.streams.on_frame(StreamDataBlockedFrame{client_bidi(0), 0}).has_value());
    BOOST_TEST(!pair.server.streams.has_pending());
  }
}

BOOST_AUTO_TEST_CASE(t36_a_flood_of_blocked_frames_is_answered_only_when_something_changed) {
  BOOST_TEST(server.data(client_bidi(0), 0, "x").has_value());
  std::size_t answers = 0;
  for (int i = 0; i < 1000; ++i) {
    BOOST_TEST(server.streams.on_frame(DataBlockedFrame{4000}).has_value());
    BOOST_TEST(server.streams.on_frame(StreamDataBlockedFrame{client_bidi(0), 1000}).has_value());
    BOOST_TEST(server.streams.on_frame(StreamsBlockedFrame{StreamType::bidirectional, 4}).has_value());
    answers += write_packet(server.streams).frames.size();
  }
  BOOST_TEST(answers == 2u);  // MAX_DATA and MAX_STREAM_DATA, for the one byte that was consumed
}

BOOST_AUTO_TEST_CASE(unread_data_of_one_stream_do_not_stall_another) {
  // Three streams hold 3000 of the connection's 4000 bytes unread; a fourth still moves any amount, in small steps.
  server.events.data_hook = [](StreamId id, ByteView data, bool) { return id.index() == 3 ? data.size() : 0; };
  for (int i = 0; i < 3; ++i) open_with(1000);
  const StreamId id = *us.streams.open(StreamType::bidirectional);
  std::size_t written = 0;
  for (int round = 0; round < 50; ++round) {
    written += *us.streams.write(id, pattern_bytes(written, 1000));
    exchange();
  }
  BOOST_TEST(written == 50'000u);
  BOOST_TEST(server.events.received[id.value()].size() == 50'000u);
}

BOOST_AUTO_TEST_CASE(limits_are_raised_with_reading_and_the_newest_is_repeated) {
  BOOST_TEST(server.data(client_bidi(0), 0, std::string(500, 'x')).has_value());
  const Packet first = write_packet(server.streams);
  BOOST_TEST(first.count(Kind::max_stream_data) == 1u);
  BOOST_TEST(first.frames[0].value == 1500u);
  BOOST_TEST(server.data(client_bidi(0), 500, std::string(500, 'x')).has_value());
  const Packet second = write_packet(server.streams);
  lose(server.streams, first);  // stale
  BOOST_TEST(!server.streams.has_pending());
  lose(server.streams, second);
  const Packet third = write_packet(server.streams);
  BOOST_TEST(third.count(Kind::max_stream_data) == 1u);
  BOOST_TEST(third.frames.back().value == 2000u);
}

BOOST_AUTO_TEST_CASE(the_connections_limit_is_repeated_while_it_is_the_newest) {
  // Two streams of their own each time, so that the connection's limit alone is due.
  const auto read_half_of_the_window = [&](std::uint64_t first) {
    for (std::uint64_t i = first; i < first + 2; ++i)
      BOOST_TEST(server.data(client_bidi(i), 0, std::string(1000, 'x'), true).has_value());
  };
  read_half_of_the_window(0);
  const Packet first = write_packet(server.streams);
  BOOST_TEST(first.count(Kind::max_data) == 1u);
  BOOST_TEST(first.frames[0].value == 6000u);
  read_half_of_the_window(2);
  const Packet second = write_packet(server.streams);
  BOOST_TEST(second.frames[0].value == 8000u);
  lose(server.streams, first);  // stale
  BOOST_TEST(!server.streams.has_pending());
  lose(server.streams, second);
  const Packet third = write_packet(server.streams);
  BOOST_TEST(third.count(Kind::max_data) == 1u);
  BOOST_TEST(third.frames[0].value == 8000u);
}

BOOST_AUTO_TEST_CASE(a_lost_limit_is_told_again_with_its_present_value) {
  BOOST_TEST(server.data(client_uni(0), 0, std::string(500, 'x')).has_value());
  const Packet raise = write_packet(server.streams);
  BOOST_TEST(raise.frames[0].value == 1500u);
  BOOST_TEST(server.data(client_uni(0), 500, std::string(100, 'x')).has_value());  // not enough to raise it by itself
  BOOST_TEST(!server.streams.has_pending());
  lose(server.streams, raise);
  BOOST_TEST(write_packet(server.streams).frames[0].value == 1600u);
}

BOOST_AUTO_TEST_CASE(numbers_of_streams_are_repeated_while_they_are_the_newest) {
  for (const bool two_way : {true, false}) {
    StreamPair pair;
    const Kind kind = two_way ? Kind::max_streams_bidi : Kind::max_streams_uni;
    const auto finish_two = [&](std::uint64_t first) {
      for (std::uint64_t i = first; i < first + 2; ++i) {
        const StreamId id = two_way ? client_bidi(i) : client_uni(i);
        BOOST_TEST(pair.server.data(id, 0, "x", true).has_value());
        if (two_way) BOOST_TEST(pair.server.streams.finish(id).has_value());
      }
      if (two_way) acknowledge(pair.server.streams, write_packet(pair.server.streams));
    };
    finish_two(0);
    const Packet first = write_packet(pair.server.streams);
    BOOST_TEST(first.count(kind) == 1u);
    BOOST_TEST(first.frames[0].value == 6u);
    finish_two(2);
    const Packet second = write_packet(pair.server.streams);
    BOOST_TEST(second.frames[0].value == 8u);
    lose(pair.server.streams, first);  // stale
    BOOST_TEST(!pair.server.streams.has_pending());
    lose(pair.server.streams, second);
    const Packet third = write_packet(pair.server.streams);
    BOOST_TEST(third.count(kind) == 1u);
    BOOST_TEST(third.frames[0].value == 8u);
  }
}

BOOST_AUTO_TEST_CASE(blocked_frames_are_not_repeated_once_there_is_credit) {
  for (int i = 0; i < 5; ++i) std::ignore = us.streams.open(StreamType::bidirectional);
  for (std::uint64_t i = 0; i < 4; ++i) std::ignore = us.streams.write(client_bidi(i), pattern_bytes(0, 2000));
  Packet blocked;
  for (Packet packet = write_packet(us.streams); !packet.empty(); packet = write_packet(us.streams)) {
    for (const SentFrame& frame : packet.frames)
      if (frame.kind == Kind::streams_blocked_bidi || frame.kind == Kind::data_blocked) blocked.frames.push_back(frame);
  }
  BOOST_TEST(blocked.count(Kind::streams_blocked_bidi) == 1u);
  lose(us.streams, blocked);
  BOOST_TEST(us.streams.has_pending());  // still true
  acknowledge(us.streams, write_packet(us.streams));
  BOOST_TEST(us.streams.on_frame(MaxStreamsFrame{StreamType::bidirectional, 9}).has_value());
  lose(us.streams, blocked);
  BOOST_TEST(write_packet(us.streams).count(Kind::streams_blocked_bidi) == 0u);
}

BOOST_AUTO_TEST_CASE(windows_do_not_grow_before_a_round_trip_was_measured) {
  FlowControlConfig config = small_config();
  config.max_stream_window = 4000;
  config.max_connection_window = 8000;
  Side reader(Role::server, config);
  // Read as fast as it comes, and yet nobody knows whether that is fast for the path.
  reader.streams.on_clock(Timestamp{1s}, Duration::zero());
  for (std::uint64_t i = 0; i < 4; ++i)
    BOOST_TEST(reader.data(client_uni(0), 250 * i, std::string(250, 'x')).has_value());
  BOOST_TEST(write_packet(reader.streams).frames[0].value == 2000u);
  reader.streams.on_clock(Timestamp{1s} + 10ms, 10ms);
  BOOST_TEST(reader.data(client_uni(0), 1000, std::string(500, 'x')).has_value());
  BOOST_TEST(write_packet(reader.streams).frames.back().value == 1500u + 4000u);
}

BOOST_AUTO_TEST_CASE(windows_grow_with_a_fast_reader) {
  FlowControlConfig config = small_config();
  config.max_stream_window = 4000;
  config.max_connection_window = 8000;
  StreamPair pair({}, config);
  const StreamId id = *pair.client.streams.open(StreamType::bidirectional);
  Timestamp now{};
  for (int i = 0; i < 20; ++i) {
    pair.server.streams.on_clock(now += 1ms, 10ms);
    std::ignore = pair.client.streams.write(id, pattern_bytes(0, 2000));
    pair.exchange();
  }
  pair.server.events.data_hook = [](StreamId, ByteView, bool) { return 0; };
  for (int i = 0; i < 10; ++i) {
    std::ignore = pair.client.streams.write(id, pattern_bytes(0, 2000));
    pair.exchange();
  }
  BOOST_TEST(pair.server.streams.usage().receive_buffered > 2000u);
  BOOST_TEST(pair.server.streams.usage().receive_buffered <= 4000u);
}

BOOST_AUTO_TEST_CASE(an_end_and_a_reset_are_repeated_after_a_loss) {
  const StreamId ended = open_with(0), reset = open_with(10);
  BOOST_TEST(us.streams.finish(ended).has_value());
  BOOST_TEST(us.streams.reset(reset, 5).has_value());
  lose(us.streams, write_packet(us.streams));
  const Packet again = write_packet(us.streams);
  BOOST_TEST(again.count(Kind::reset_stream) == 1u);
  BOOST_TEST(again.count(Kind::stream) == 1u);
  BOOST_TEST(receive_packet(server.streams, again).has_value());
  BOOST_TEST(server.events.fins[ended.value()] == 1);
  const std::vector<std::string> expected = {"opened 4", "reset 4 5", "opened 0"};
  BOOST_TEST(server.events.log == expected, boost::test_tools::per_element());
  acknowledge(us.streams, again);
  lose(us.streams, again);  // acknowledged things are not repeated
  BOOST_TEST(!us.streams.has_pending());
}

BOOST_AUTO_TEST_CASE(stop_sending_is_repeated_until_the_stream_ends) {
  open_with(10);
  exchange();
  BOOST_TEST(server.streams.stop_sending(client_bidi(0), 3).has_value());
  const Packet stop = write_packet(server.streams);
  BOOST_TEST(stop.count(Kind::stop_sending) == 1u);
  lose(server.streams, stop);
  exchange();
  BOOST_TEST(us.events.log.back() == "stop 0 3");
  lose(server.streams, stop);
  BOOST_TEST(!server.streams.has_pending());
}

BOOST_AUTO_TEST_CASE(a_stream_that_has_ended_gets_no_more_credit) {
  BOOST_TEST(server.data(client_bidi(0), 0, std::string(600, 'x')).has_value());
  BOOST_TEST(server.data(client_bidi(0), 600, "x", true).has_value());
  BOOST_TEST(server.data(client_bidi(1), 0, std::string(600, 'x')).has_value());
  BOOST_TEST(server.data(client_bidi(1), 700, "x", true).has_value());  // ended beyond a gap: its size is known
  BOOST_TEST(write_packet(server.streams).count(Kind::max_stream_data) == 0u);
}

BOOST_AUTO_TEST_CASE(a_stream_that_was_reset_is_not_stopped) {
  BOOST_TEST(server.data(client_bidi(0), 0, "x").has_value());
  BOOST_TEST(server.streams.stop_sending(client_bidi(0), 1).has_value());
  BOOST_TEST(server.streams.on_frame(ResetStreamFrame{client_bidi(0), 2, 1}).has_value());
  BOOST_TEST(!server.streams.has_pending());
}

BOOST_AUTO_TEST_CASE(opening_beyond_the_limit_tells_when_to_go_on) {
  for (int i = 0; i < 4; ++i) open_with(1, StreamType::unidirectional);
  BOOST_TEST((us.streams.open(StreamType::unidirectional).error() == StreamError::limit_reached));
  const Packet packet = write_packet(us.streams);
  BOOST_TEST(packet.count(Kind::streams_blocked_uni) == 1u);
  BOOST_TEST(us.streams.on_frame(MaxStreamsFrame{StreamType::unidirectional, 5}).has_value());
  BOOST_TEST(us.events.log == std::vector<std::string>{"available uni"}, boost::test_tools::per_element());
  BOOST_TEST(us.streams.open(StreamType::unidirectional).has_value());
}

BOOST_AUTO_TEST_CASE(streams_opened_before_the_handshake_wait_for_the_parameters) {
  Side fresh(Role::client, small_config());
  BOOST_TEST((fresh.streams.open(StreamType::bidirectional).error() == StreamError::limit_reached));
  TransportParameters parameters;
  parameters.initial_max_streams_bidi = 1;
  fresh.streams.on_peer_parameters(parameters);
  BOOST_TEST(fresh.events.log == std::vector<std::string>{"available bidi"}, boost::test_tools::per_element());
  BOOST_TEST(!fresh.streams.has_pending());
}

BOOST_AUTO_TEST_CASE(each_kind_of_stream_has_its_own_first_limit) {
  Side fresh(Role::client, small_config());
  TransportParameters parameters;
  parameters.initial_max_data = 1000;
  parameters.initial_max_streams_bidi = parameters.initial_max_streams_uni = 1;
  parameters.initial_max_stream_data_bidi_local = 10;   // streams of the peer
  parameters.initial_max_stream_data_bidi_remote = 20;  // ours
  parameters.initial_max_stream_data_uni = 30;
  fresh.streams.on_peer_parameters(parameters);
  BOOST_TEST(fresh.data(server_bidi(0), 0, "").has_value());
  const StreamId bidi = *fresh.streams.open(StreamType::bidirectional),
                 uni = *fresh.streams.open(StreamType::unidirectional);
  for (const StreamId id : {server_bidi(0), bidi, uni}) std::ignore = fresh.streams.write(id, pattern_bytes(0, 100));
  std::map<std::uint64_t, std::size_t> sent;
  while (fresh.streams.has_pending()) {
    for (const SentFrame& frame : write_packet(fresh.streams).frames)
      if (frame.kind == Kind::stream) sent[frame.stream.value()] += frame.length;
  }
  BOOST_TEST(sent[server_bidi(0).value()] == 10u);
  BOOST_TEST(sent[bidi.value()] == 20u);
  BOOST_TEST(sent[uni.value()] == 30u);
}

BOOST_AUTO_TEST_CASE(frames_fit_packets_of_any_size) {
  // Sizes around those where a length field grows, and packets too small for some or all frames.
  for (std::size_t size = 1; size < 200; ++size) {
    FlowControlConfig config;
    StreamPair pair(config, config);
    const StreamId id = *pair.client.streams.open(StreamType::bidirectional);
    std::ignore = pair.client.streams.write(id, pattern_bytes(0, 500));
    std::ignore = pair.client.streams.finish(id);
    for (int i = 0; i < 20; ++i) {
      const Packet packet = write_packet(pair.client.streams, size);
      BOOST_TEST_REQUIRE(packet.payload.size() <= size);
      BOOST_TEST_REQUIRE(receive_packet(pair.server.streams, packet).has_value());
    }
    if (size >= 64) BOOST_TEST(pair.server.events.fins[id.value()] == 1);
  }
}

BOOST_AUTO_TEST_CASE(counters_count_each_byte_once) {
  const StreamId id = open_with(900);
  const Packet packet = write_packet(us.streams);
  lose(us.streams, packet);
  const Packet again = write_packet(us.streams);
  BOOST_TEST(receive_packet(server.streams, packet).has_value());
  BOOST_TEST(receive_packet(server.streams, again).has_value());
  acknowledge(us.streams, packet);
  acknowledge(us.streams, again);
  BOOST_TEST(us.streams.counters().bytes_sent == 900u);
  BOOST_TEST(us.streams.counters().bytes_retransmitted == 900u);
  BOOST_TEST(us.streams.counters().bytes_acknowledged == 900u);
  BOOST_TEST(server.streams.counters().bytes_delivered == 900u);
  BOOST_TEST(us.streams.usage().send_buffered == 0u);
  std::ignore = id;
}

BOOST_AUTO_TEST_CASE(a_dropped_side_is_silent_and_empty) {
  const StreamId id = open_with(900);
  const Packet packet = write_packet(us.streams, 500);
  us.streams.drop_all();
  BOOST_TEST(!us.streams.has_pending());
  BOOST_TEST(write_packet(us.streams).empty());
  acknowledge(us.streams, packet);
  lose(us.streams, packet);
  BOOST_TEST(us.data(server_bidi(0), 0, "x").has_value());
  BOOST_TEST(us.events.log.empty());
  BOOST_TEST(us.streams.usage().memory == 0u);
  BOOST_TEST(us.streams.usage().objects == 0u);
  std::ignore = id;
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace mxp::test
