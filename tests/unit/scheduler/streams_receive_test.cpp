// What a peer may and may not send: ids, directions, limits, final sizes, gaps.
#include <boost/test/unit_test.hpp>
#include <string>
#include <vector>

#include "unit/scheduler/streams_fixture.h"

namespace mxp::test {
namespace {

// Windows of small_config: connection 4000, stream 1000, four streams of each kind.
struct ReceiveFixture : StreamPair {
  Side& us = server;
};

BOOST_FIXTURE_TEST_SUITE(streams_receive, ReceiveFixture)

BOOST_AUTO_TEST_CASE(in_order_data_are_a_view_into_the_packet) {
  const std::string packet = "hello";
  const std::uint8_t* seen = nullptr;
  us.events.data_hook = [&](StreamId, ByteView data, bool) { return seen = data.data(), data.size(); };
  BOOST_TEST(us.data(client_bidi(0), 0, packet).has_value());
  BOOST_TEST(static_cast<const void*>(seen) == static_cast<const void*>(packet.data()));
  BOOST_TEST(us.streams.usage().memory == 0u);
}

BOOST_AUTO_TEST_CASE(overlapping_pieces_in_any_order_are_delivered_once) {
  BOOST_TEST(us.data(client_bidi(0), 4, "efgh", true).has_value());
  BOOST_TEST(us.data(client_bidi(0), 2, "cdef").has_value());
  BOOST_TEST(us.data(client_bidi(0), 0, "abc").has_value());
  BOOST_TEST(us.data(client_bidi(0), 1, "bcd").has_value());
  BOOST_TEST(us.events.received[0] == "abcdefgh");
  BOOST_TEST(us.events.fins[0] == 1);
}

BOOST_AUTO_TEST_CASE(an_empty_stream_opens_and_ends) {
  BOOST_TEST(us.data(client_uni(0), 0, "", true).has_value());
  BOOST_TEST(us.events.log == std::vector<std::string>{"opened 2"}, boost::test_tools::per_element());
  BOOST_TEST(us.events.fins[2] == 1);
  BOOST_TEST(us.streams.usage().objects == 0u);
}

BOOST_AUTO_TEST_CASE(an_empty_frame_opens_and_tells_no_data) {
  BOOST_TEST(us.data(client_uni(0), 0, "").has_value());
  BOOST_TEST(us.events.log.size() == 1u);
  BOOST_TEST(us.events.received.empty());
}

BOOST_AUTO_TEST_CASE(an_end_known_early_is_told_with_the_last_byte) {
  BOOST_TEST(us.data(client_bidi(0), 5, "", true).has_value());
  BOOST_TEST(us.events.fins[0] == 0);
  BOOST_TEST(us.data(client_bidi(0), 0, "hello").has_value());
  BOOST_TEST(us.events.fins[0] == 1);
}

BOOST_AUTO_TEST_CASE(data_not_taken_wait_for_resume_and_keep_their_end) {
  std::size_t take = 2;
  us.events.data_hook = [&](StreamId, ByteView data, bool) { return std::min(take, data.size()); };
  BOOST_TEST(us.data(client_bidi(0), 0, "hello").has_value());
  BOOST_TEST(us.events.received[0] == "he");
  BOOST_TEST(us.data(client_bidi(0), 5, " world", true).has_value());
  BOOST_TEST(us.events.received[0] == "he");  // held back
  BOOST_TEST(us.streams.usage().receive_buffered == 9u);
  take = 3;
  BOOST_TEST(us.streams.resume(client_bidi(0)).has_value());
  BOOST_TEST(us.streams.resume(client_bidi(0)).has_value());
  BOOST_TEST(us.events.received[0] == "he");  // nothing calls back from inside the verb
  us.streams.deliver_resumed();
  BOOST_TEST(us.events.received[0] == "hello");
  BOOST_TEST(us.events.fins[0] == 0);
  take = 100;
  BOOST_TEST(us.resumes(client_bidi(0)));
  BOOST_TEST(us.events.received[0] == "hello world");
  BOOST_TEST(us.events.fins[0] == 1);
  BOOST_TEST(us.resumes(client_bidi(0)));
  BOOST_TEST(us.events.fins[0] == 1);
}

// -- threat t35: each limit, one below, at, and one beyond

BOOST_AUTO_TEST_CASE(t35_stream_limit_to_the_byte) {
  const struct {
    std::uint64_t offset, length;
    bool allowed;
  } cases[] = {
      {0, 1000, true}, {0, 1001, false}, {999, 1, true}, {1000, 0, true}, {1000, 1, false}, {1001, 0, false},
  };
  for (const auto& c : cases) {
    BOOST_TEST_CONTEXT("offset " << c.offset << " length " << c.length) {
      StreamPair pair;
      const auto result = pair.server.data(client_bidi(0), c.offset, std::string(c.length, 'x'));
      BOOST_TEST(result.has_value() == c.allowed);
      if (!c.allowed) BOOST_TEST((result.error().code == TransportErrorCode::flow_control_error));
    }
  }
}

BOOST_AUTO_TEST_CASE(t35_connection_limit_to_the_byte) {
  for (const bool beyond : {false, true}) {
    FlowControlConfig config = small_config();
    config.connection_window = config.max_connection_window = 2500;
    StreamPair pair({}, config);
    // A gap at the front: nothing is consumed, but the highest offsets count in full.
    BOOST_TEST(pair.server.data(client_bidi(0), 999, "x").has_value());
    BOOST_TEST(pair.server.data(client_bidi(1), 999, "x").has_value());
    const auto result = pair.server.data(client_bidi(2), beyond ? 500 : 499, "x");
    BOOST_TEST(result.has_value() == !beyond);
    if (beyond) BOOST_TEST((result.error().code == TransportErrorCode::flow_control_error));
  }
}

BOOST_AUTO_TEST_CASE(t35_wrapped_sums_are_refused) {
  MXP_TEST_ERROR(us.data(client_bidi(0), kMaxVarint, "x"), frame_encoding_error);
  MXP_TEST_ERROR(us.data(client_bidi(0), ~std::uint64_t{0}, "x"), frame_encoding_error);
  MXP_TEST_ERROR(us.data(client_bidi(0), kMaxVarint - 1, "x"), flow_control_error);
  MXP_TEST_ERROR(us.streams.on_frame(ResetStreamFrame{client_bidi(0), 0, kMaxVarint}), flow_control_error);
}

BOOST_AUTO_TEST_CASE(t35_final_size_may_not_change) {
  BOOST_TEST(us.data(client_bidi(0), 5, "fghij", true).has_value());  // final size 10
  MXP_TEST_ERROR(us.data(client_bidi(0), 10, "x"), final_size_error);
  MXP_TEST_ERROR(us.data(client_bidi(0), 5, "fghijk", true), final_size_error);
  MXP_TEST_ERROR(us.data(client_bidi(0), 5, "fghi", true), final_size_error);
  MXP_TEST_ERROR(us.streams.on_frame(ResetStreamFrame{client_bidi(0), 0, 9}), final_size_error);
  MXP_TEST_ERROR(us.streams.on_frame(ResetStreamFrame{client_bidi(0), 0, 11}), final_size_error);
  BOOST_TEST(us.data(client_bidi(0), 5, "fghij", true).has_value());
  BOOST_TEST(us.data(client_bidi(0), 0, "abcde").has_value());
}

BOOST_AUTO_TEST_CASE(t35_final_size_may_not_lie_below_what_arrived) {
  BOOST_TEST(us.data(client_bidi(0), 0, "abcde").has_value());
  MXP_TEST_ERROR(us.data(client_bidi(0), 0, "abcd", true), final_size_error);
  MXP_TEST_ERROR(us.streams.on_frame(ResetStreamFrame{client_bidi(0), 0, 4}), final_size_error);
}

BOOST_AUTO_TEST_CASE(t35_a_reset_counts_its_final_size_against_both_limits) {
  FlowControlConfig config = small_config();
  config.connection_window = config.max_connection_window = 1500;
  StreamPair pair({}, config);
  MXP_TEST_ERROR(pair.server.streams.on_frame(ResetStreamFrame{client_bidi(0), 0, 1001}), flow_control_error);
  BOOST_TEST(pair.server.data(client_bidi(1), 999, "x").has_value());
  MXP_TEST_ERROR(pair.server.streams.on_frame(ResetStreamFrame{client_bidi(2), 0, 501}), flow_control_error);
}

BOOST_AUTO_TEST_CASE(a_reset_gives_its_credit_back_to_the_connection) {
  for (std::uint64_t round = 0; round < 100; ++round) {
    const StreamId id = *client.streams.open(StreamType::unidirectional);
    BOOST_TEST(client.streams.write(id, pattern_bytes(0, 1000)).value() == 1000u);
    std::ignore = write_packet(client.streams);  // the data are lost, the reset arrives
    BOOST_TEST(client.streams.reset(id, round).has_value());
    exchange();
    BOOST_TEST(us.events.log.back() == fmt::format("reset {} {}", id.value(), round));
  }
  BOOST_TEST(us.streams.usage().receive_buffered == 0u);
  BOOST_TEST(us.streams.usage().objects == 0u);
}

BOOST_AUTO_TEST_CASE(a_reset_after_all_data_arrived_is_ignored) {
  us.events.data_hook = [&](StreamId, ByteView, bool) { return 0; };
  BOOST_TEST(us.data(client_uni(0), 0, "hello", true).has_value());
  BOOST_TEST(us.streams.on_frame(ResetStreamFrame{client_uni(0), 3, 5}).has_value());
  BOOST_TEST(us.events.log.size() == 1u);
  us.events.data_hook = nullptr;
  BOOST_TEST(us.resumes(client_uni(0)));
  BOOST_TEST(us.events.received[2] == "hello");
  BOOST_TEST(us.events.fins[2] == 1);
}

BOOST_AUTO_TEST_CASE(data_after_stop_sending_are_discarded_and_still_bounded) {
  BOOST_TEST(us.data(client_uni(0), 0, "hello").has_value());
  BOOST_TEST(us.data(client_uni(0), 100, "x").has_value());
  BOOST_TEST(us.streams.stop_sending(client_uni(0), 9).has_value());
  BOOST_TEST(us.streams.usage().memory == 0u);
  BOOST_TEST(us.data(client_uni(0), 5, "world").has_value());
  BOOST_TEST(us.data(client_uni(0), 999, "x").has_value());
  BOOST_TEST(us.events.received[2] == "hello");
  BOOST_TEST(us.streams.usage().memory == 0u);
  MXP_TEST_ERROR(us.data(client_uni(0), 1000, "x"), flow_control_error);
  BOOST_TEST(us.streams.on_frame(ResetStreamFrame{client_uni(0), 9, 1000}).has_value());
  us.streams.collect();
  BOOST_TEST(us.events.log.size() == 1u);  // the reset is not told to who asked for it
  BOOST_TEST(us.streams.usage().objects == 0u);
}

BOOST_AUTO_TEST_CASE(stop_sending_is_answered_with_a_reset_with_its_code) {
  const StreamId id = *client.streams.open(StreamType::bidirectional);
  std::ignore = client.streams.write(id, bytes_of("hello"));
  exchange();
  BOOST_TEST(us.streams.stop_sending(id, 77).has_value());
  BOOST_TEST(us.streams.stop_sending(id, 78).has_value());
  exchange();
  BOOST_TEST(client.events.log == std::vector<std::string>{"stop 0 77"}, boost::test_tools::per_element());
  BOOST_TEST((client.streams.write(id, bytes_of("x")).error() == StreamError::reset));
}

// -- ids and directions

BOOST_AUTO_TEST_CASE(frames_for_the_wrong_direction_are_refused) {
  const StreamId ours = *us.streams.open(StreamType::unidirectional);
  MXP_TEST_ERROR(us.data(ours, 0, "x"), stream_state_error);
  MXP_TEST_ERROR(us.streams.on_frame(ResetStreamFrame{ours, 0, 0}), stream_state_error);
  MXP_TEST_ERROR(us.streams.on_frame(StreamDataBlockedFrame{ours, 0}), stream_state_error);
  MXP_TEST_ERROR(us.streams.on_frame(StopSendingFrame{client_uni(0), 0}), stream_state_error);
  MXP_TEST_ERROR(us.streams.on_frame(MaxStreamDataFrame{client_uni(0), 0}), stream_state_error);
  BOOST_TEST(us.data(client_uni(0), 0, "x").has_value());  // and of a stream that exists
  MXP_TEST_ERROR(us.streams.on_frame(StopSendingFrame{client_uni(0), 0}), stream_state_error);
  MXP_TEST_ERROR(us.streams.on_frame(MaxStreamDataFrame{client_uni(0), 0}), stream_state_error);
}

BOOST_AUTO_TEST_CASE(frames_for_our_streams_that_we_never_opened_are_refused) {
  MXP_TEST_ERROR(us.data(server_bidi(0), 0, "x"), stream_state_error);
  MXP_TEST_ERROR(us.streams.on_frame(ResetStreamFrame{server_bidi(0), 0, 0}), stream_state_error);
  MXP_TEST_ERROR(us.streams.on_frame(StopSendingFrame{server_uni(0), 0}), stream_state_error);
  MXP_TEST_ERROR(us.streams.on_frame(MaxStreamDataFrame{server_uni(0), 0}), stream_state_error);
  MXP_TEST_ERROR(us.streams.on_frame(StreamDataBlockedFrame{server_bidi(0), 0}), stream_state_error);
}

BOOST_AUTO_TEST_CASE(every_frame_of_a_peers_stream_opens_it) {
  BOOST_TEST(us.streams.on_frame(MaxStreamDataFrame{client_bidi(0), 5000}).has_value());
  BOOST_TEST(us.streams.on_frame(StopSendingFrame{client_bidi(1), 1}).has_value());
  BOOST_TEST(us.streams.on_frame(StreamDataBlockedFrame{client_bidi(2), 0}).has_value());
  BOOST_TEST(us.streams.on_frame(ResetStreamFrame{client_bidi(3), 2, 0}).has_value());
  const std::vector<std::string> expected = {"opened 0", "opened 4", "stop 4 1", "opened 8", "opened 12", "reset 12 2"};
  BOOST_TEST(us.events.log == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(t37_an_id_at_the_limit_opens_all_and_allocates_one) {
  MXP_TEST_ERROR(us.data(client_bidi(4), 0, "x"), stream_limit_error);
  MXP_TEST_ERROR(us.streams.on_frame(StopSendingFrame{StreamId(kMaxVarint - 3), 0}), stream_limit_error);
  BOOST_TEST(us.data(client_bidi(3), 0, "x").has_value());
  BOOST_TEST(us.streams.usage().open_remote == 4u);
  BOOST_TEST(us.streams.usage().objects == 1u);
  BOOST_TEST(us.events.log == std::vector<std::string>{"opened 12"}, boost::test_tools::per_element());
  BOOST_TEST(us.data(client_bidi(1), 0, "y").has_value());
  BOOST_TEST(us.events.received[4] == "y");
}

BOOST_AUTO_TEST_CASE(frames_of_finished_streams_are_ignored) {
  BOOST_TEST(us.data(client_uni(1), 0, "x", true).has_value());
  BOOST_TEST(us.streams.usage().objects == 0u);
  BOOST_TEST(us.data(client_uni(1), 0, "x", true).has_value());
  BOOST_TEST(us.streams.on_frame(ResetStreamFrame{client_uni(1), 0, 1}).has_value());
  BOOST_TEST(us.streams.on_frame(StreamDataBlockedFrame{client_uni(1), 0}).has_value());
  BOOST_TEST(us.events.fins[6] == 1);
  BOOST_TEST(us.events.log.size() == 1u);
  BOOST_TEST(us.data(client_uni(0), 0, "y", true).has_value());  // its untouched neighbour is not one of them
  BOOST_TEST(us.events.received[2] == "y");
}

BOOST_AUTO_TEST_CASE(closed_streams_make_room_for_new_ones) {
  for (std::uint64_t i = 0; i < 50; ++i) {
    const auto id = client.streams.open(StreamType::unidirectional);
    BOOST_TEST_REQUIRE(id.has_value());
    BOOST_TEST(client.streams.finish(*id).has_value());
    exchange();
  }
  BOOST_TEST(us.streams.usage().open_remote == 0u);
}

BOOST_AUTO_TEST_CASE(a_stream_that_ends_in_a_resume_makes_room_at_once) {
  us.events.data_hook = [](StreamId, ByteView, bool) { return 0; };
  for (std::uint64_t i = 0; i < 4; ++i) BOOST_TEST(us.data(client_uni(i), 0, "x", true).has_value());
  BOOST_TEST(us.streams.on_frame(StreamsBlockedFrame{StreamType::unidirectional, 4}).has_value());
  BOOST_TEST(!us.streams.has_pending());
  us.events.data_hook = nullptr;
  BOOST_TEST(us.resumes(client_uni(2)));
  BOOST_TEST(us.streams.has_pending());  // without a collect() in between
  BOOST_TEST(write_packet(us.streams).count(SentFrame::Kind::max_streams_uni) == 1u);
}

BOOST_AUTO_TEST_CASE(t07_too_many_gaps_close_the_connection) {
  for (std::uint64_t i = 0; i < 8; ++i) BOOST_TEST(us.data(client_bidi(0), 2 * i + 1, "x").has_value());
  MXP_TEST_ERROR(us.data(client_bidi(0), 17, "x"), reassembly_limit_error);
}

BOOST_AUTO_TEST_CASE(t07_contiguous_single_bytes_do_not_trip) {
  us.events.data_hook = [](StreamId, ByteView, bool) { return 0; };
  for (std::uint64_t i = 0; i < 1000; ++i) BOOST_TEST_REQUIRE(us.data(client_bidi(0), i, "x").has_value());
  BOOST_TEST(us.streams.usage().receive_buffered == 1000u);
}

BOOST_AUTO_TEST_CASE(t07_memory_is_bounded_by_the_connection_window) {
  // One byte at the far end of each of many streams: rings are virtual, and together no larger than what the windows
  // allow.
  FlowControlConfig config;
  config.max_streams_bidirectional = 1024;
  StreamPair pair({}, config);
  std::uint64_t accepted = 0;
  for (std::uint64_t i = 0; i < 1024; ++i) {
    if (!pair.server.data(client_bidi(i), config.stream_window - 1, "x").has_value()) break;
    ++accepted;
  }
  BOOST_TEST(accepted == config.connection_window / config.stream_window);
  BOOST_TEST(pair.server.streams.usage().memory <= 2 * config.connection_window);
}

BOOST_AUTO_TEST_CASE(t07_what_was_delivered_pins_no_memory) {
  // On each stream all but the last byte of a window is delivered, and the last waits behind a gap of one: the peer has
  // its credit back, so that it can do the same on the next one.
  FlowControlConfig config;
  config.stream_window = config.max_stream_window = 64 * 1024;
  config.connection_window = config.max_connection_window = 256 * 1024;
  for (const std::size_t gap : {std::size_t{1}, std::size_t{0}}) {
    StreamPair pair({}, config);
    Side& receiver = pair.server;
    const std::string all(config.stream_window, 'x');
    const std::string_view most = std::string_view(all).substr(1, all.size() - 1 - 2 * gap);
    for (std::uint64_t i = 0; i < 1024; ++i) {
      const StreamId id = client_bidi(i);
      if (gap != 0) BOOST_TEST_REQUIRE(receiver.data(id, all.size() - 1, "x").has_value());
      BOOST_TEST_REQUIRE(receiver.data(id, 1, most).has_value());
      BOOST_TEST_REQUIRE(receiver.data(id, 0, "x").has_value());
      while (receiver.streams.has_pending()) acknowledge(receiver.streams, write_packet(receiver.streams));
      receiver.events.received.clear();
    }
    const StreamUsage usage = receiver.streams.usage();
    BOOST_TEST(usage.objects == 1024u);
    BOOST_TEST(usage.receive_buffered == 1024u * gap);
    BOOST_TEST(usage.memory <= 1024u * kKeptBytes);
  }
}

BOOST_AUTO_TEST_CASE(more_than_2_60_streams_cannot_be_granted) {
  MXP_TEST_ERROR(us.streams.on_frame(MaxStreamsFrame{StreamType::bidirectional, kMaxStreamCount + 1}),
                 frame_encoding_error);
  BOOST_TEST(us.streams.on_frame(MaxStreamsFrame{StreamType::bidirectional, kMaxStreamCount}).has_value());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace mxp::test
