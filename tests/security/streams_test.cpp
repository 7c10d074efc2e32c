// Threats t07, t33 to t38 and t41: what a peer can do with streams, their limits and their frames.
#include <boost/test/unit_test.hpp>

#include "connection/access.h"
#include "support/allocation_counter.h"
#include "support/attacker.h"

using namespace mxp;
using namespace mxp::test;

BOOST_AUTO_TEST_SUITE(streams)

namespace {

StreamId uni(std::uint64_t index) { return StreamId::make(Role::client, StreamType::unidirectional, index); }
StreamId bidi(std::uint64_t index) { return StreamId::make(Role::client, StreamType::bidirectional, index); }

struct Scene {
  explicit Scene(DirectPair::Config config = {}, Attacker::Config attacker_config = {})
      : pair(std::move(config)), attacker(pair.server, pair.now, std::move(attacker_config)) {
    BOOST_REQUIRE(attacker.connect());
  }
  StreamUsage usage() const { return ConnectionAccess::parts(attacker.connection()).streams.usage(); }
  // Sends the frames and says how the victim took them: the code of its CLOSE, or nothing.
  std::optional<TransportErrorCode> verdict(const Bytes& plaintext) {
    attacker.ask(plaintext);
    const auto close = attacker.seen_close();
    if (!close) return std::nullopt;
    BOOST_TEST(!close->application);
    return close->transport_code();
  }

  DirectPair pair;
  Attacker attacker;
};

DirectPair::Config small_windows(std::uint64_t connection, std::uint64_t stream) {
  DirectPair::Config config;
  config.server.transport.flow_control.connection_window = connection;
  config.server.transport.flow_control.stream_window = stream;
  return config;
}

// A case of one line: these frames, one packet after the other, lead to this.
struct Case {
  std::vector<Bytes> packets;
  std::optional<TransportErrorCode> verdict;
};

void check_each(const std::vector<Case>& cases, const DirectPair::Config& config = {}) {
  for (std::size_t i = 0; i < cases.size(); ++i) {
    BOOST_TEST_CONTEXT("case " << i) {
      Scene scene(config);
      std::optional<TransportErrorCode> verdict;
      for (const Bytes& packet : cases[i].packets) {
        BOOST_TEST(!verdict.has_value());  // nothing before the last one is refused
        verdict = scene.verdict(packet);
      }
      BOOST_TEST((verdict == cases[i].verdict), "got " << (verdict ? to_string(*verdict) : "nothing"));
    }
  }
}

}  // namespace

BOOST_AUTO_TEST_CASE(t07_stream_gap_memory) {
  Scene scene;
  const std::int64_t before = live_bytes();
  std::uint64_t spans = 0;
  std::optional<TransportErrorCode> verdict;
  for (std::uint64_t offset = 1; !verdict && offset < 10'000; offset += 2) {
    verdict = scene.verdict(stream_frame(uni(0), offset, text("x")));
    if (!verdict) ++spans;
  }
  BOOST_TEST((verdict == TransportErrorCode::reassembly_limit_error));
  BOOST_TEST(spans == FlowControlConfig{}.max_reassembly_spans);
  BOOST_TEST(live_bytes() - before < 512 * 1024);
}

BOOST_AUTO_TEST_CASE(t07_sparse_bytes_hold_at_most_the_window) {
  // One byte at each end of the largest window: what is kept for them is bounded by what was announced.
  Scene scene;
  const std::uint64_t window = FlowControlConfig{}.stream_window;
  for (std::uint64_t i = 0; i < 4; ++i) {
    scene.attacker.ask(stream_frame(uni(i), 1, text("x")) + stream_frame(uni(i), window - 1, text("x")));
  }
  BOOST_TEST(!scene.attacker.seen_close().has_value());
  BOOST_TEST(scene.usage().memory <= 2 * FlowControlConfig{}.connection_window);
  // All streams together cannot hold more than the connection's window: the next one is one too many.
  BOOST_TEST((scene.verdict(stream_frame(uni(4), 1, text("x"))) == TransportErrorCode::flow_control_error));
}

BOOST_AUTO_TEST_CASE(t07_one_byte_pins_no_window) {
  // All of a window but its last byte but one is sent, out of order, so that all of it was stored; what is delivered
  // gives the credit back, for the next stream, and one byte stays behind the gap.
  constexpr std::uint64_t kWindow = 64 * 1024;
  Scene scene(small_windows(4 * kWindow, kWindow));
  const std::int64_t before = live_bytes();
  scene.pair.server.app.keep_data = false;
  for (std::uint64_t i = 0; i < 40; ++i) {
    scene.attacker.ask(stream_frame(uni(i), kWindow - 1, text("x")));
    for (std::uint64_t offset = 1; offset < kWindow - 2; offset += 1000)
      scene.attacker.ask(stream_frame(uni(i), offset, Bytes(std::min<std::uint64_t>(1000, kWindow - 2 - offset))));
    scene.attacker.ask(stream_frame(uni(i), 0, text("x")));
    scene.attacker.acknowledge();
    scene.attacker.answers.clear();
    scene.pair.server_trace.sent.clear();
  }
  BOOST_TEST(!scene.attacker.seen_close().has_value());
  BOOST_TEST(scene.usage().objects == 40u);
  BOOST_TEST(scene.usage().receive_buffered == 40u);
  BOOST_TEST(scene.usage().memory <= 40u * 8 * 1024);
  BOOST_TEST(live_bytes() - before < 1 << 20);
}

BOOST_AUTO_TEST_CASE(t07_contiguous_bytes_are_no_gaps) {
  Scene scene;
  scene.pair.server.app.take = [](Connection&, StreamId, ByteView) { return std::size_t{0}; };
  for (std::uint64_t offset = 0; offset < 5000; ++offset) scene.attacker.ask(stream_frame(uni(0), offset, text("x")));
  for (std::uint64_t offset = 5000; offset > 0; --offset) scene.attacker.ask(stream_frame(uni(1), offset, text("y")));
  BOOST_TEST(!scene.attacker.seen_close().has_value());
  BOOST_TEST(scene.usage().receive_buffered == 10'000u);
  scene.pair.server.app.take = nullptr;
  (void)scene.attacker.connection().resume(uni(0));
  scene.attacker.ask(stream_frame(uni(1), 0, text("y")));
  (void)scene.attacker.connection().resume(uni(1));
  scene.attacker.collect();
  BOOST_TEST(scene.pair.server.app.data[uni(0)] == Bytes(5000, 'x'));
  BOOST_TEST(scene.pair.server.app.data[uni(1)] == Bytes(5001, 'y'));
}

BOOST_AUTO_TEST_CASE(t33_slow_streams) {
  // Every stream that may be open, a byte now and then on each and never the first one.
  Scene scene;
  Attacker other(scene.pair.server, scene.pair.now, {.seed = 7, .address = kStrangerAddress});
  BOOST_REQUIRE(other.connect());
  const std::int64_t before = live_bytes();
  const std::uint64_t limit = FlowControlConfig{}.max_streams_unidirectional;
  std::int64_t after_first_round = 0;
  for (std::uint64_t round = 0; round < 10; ++round) {
    for (std::uint64_t i = 0; i < limit; ++i) {
      scene.attacker.ask(stream_frame(uni(i), 1 + round, text("x")));
      scene.attacker.answers.clear();
      scene.pair.server_trace.sent.clear();
    }
    scene.pair.now += 10s;
    if (round == 0) after_first_round = live_bytes();
  }
  BOOST_TEST(scene.usage().objects == limit);
  BOOST_TEST(after_first_round - before < 8 << 20);          // at most 8 KiB for a stream
  BOOST_TEST(live_bytes() - after_first_round < 64 * 1024);  // and no more for each drop
  BOOST_TEST((scene.verdict(stream_frame(uni(limit), 0, text("x"))) == TransportErrorCode::stream_limit_error));
  // Others are served as ever.
  other.ask(stream_frame(uni(0), 0, text("hello"), true));
  BOOST_TEST(std::ranges::equal(scene.pair.server.app.data[uni(0)], text("hello")));
}

BOOST_AUTO_TEST_CASE(t34_peer_that_never_reads) {
  DirectPair::Config config;
  config.server.transport.idle_timeout = 0s;
  config.server.transport.flow_control.stream_send_buffer = 100'000;
  Attacker::Config greedy;
  greedy.transport.idle_timeout = 0s;
  greedy.transport.flow_control.connection_window = 10'000;
  greedy.transport.flow_control.stream_window = 5'000;
  Scene scene(config, greedy);
  Connection& victim = scene.attacker.connection();
  const StreamId id = *victim.open_stream(StreamType::unidirectional);
  BOOST_TEST(victim.write(id, Bytes(500'000)).value() == 100'000u);
  BOOST_TEST(victim.write(id, Bytes(1)).value() == 0u);
  const Timestamp end = scene.pair.now + 1h;
  while (scene.pair.now < end) {
    const std::uint64_t heard = scene.attacker.datagrams_received;
    BOOST_REQUIRE(scene.attacker.run_due());
    if (scene.attacker.datagrams_received != heard) scene.attacker.acknowledge();
    scene.attacker.collect();
    scene.pair.now = std::min(end, std::max(scene.pair.now + 1us, scene.pair.server.endpoint.next_timeout()));
  }
  BOOST_TEST((victim.state() == ConnectionState::established));
  BOOST_TEST(victim.stats().stream_bytes_sent == 5'000u);
  BOOST_TEST(scene.attacker.datagrams_received < 30u);
  BOOST_TEST(scene.attacker.count<StreamDataBlockedFrame>() == 1u);  // once for each value
}

BOOST_AUTO_TEST_CASE(t35_flow_control) {
  const DirectPair::Config config = small_windows(3000, 1000);
  using enum TransportErrorCode;
  // The victim's application takes nothing, so that no credit comes back.
  struct Sent {
    std::vector<Bytes> packets;
    std::optional<TransportErrorCode> verdict;
  };
  const Bytes thousand(1000);
  const auto ends_at = [&](StreamId id, std::uint64_t end) { return stream_frame(id, end - 1, text("x")); };
  const std::vector<Case> cases = {
      {{ends_at(uni(0), 1000)}, std::nullopt},
      {{ends_at(uni(0), 1001)}, flow_control_error},
      {{stream_frame(uni(0), 1000, {})}, std::nullopt},  // no byte beyond it
      {{stream_frame(uni(0), 1000, {}, true)}, std::nullopt},
      {{stream_frame(uni(0), 1001, {})}, flow_control_error},
      {{stream_frame(uni(0), 1001, {}, true)}, flow_control_error},
      {{frames(ResetStreamFrame{uni(0), 1, 1000})}, std::nullopt},
      {{frames(ResetStreamFrame{uni(0), 1, 1001})}, flow_control_error},
      {{ends_at(uni(0), 1000), ends_at(uni(1), 1000), ends_at(uni(2), 1000)}, std::nullopt},
      {{ends_at(uni(0), 1000), ends_at(uni(1), 1000), ends_at(uni(2), 1000), ends_at(uni(3), 1)}, flow_control_error},
      {{ends_at(uni(0), 1000), ends_at(uni(1), 1000), ends_at(uni(2), 999), ends_at(uni(3), 1)}, std::nullopt},
      // What is sent twice counts once.
      {{ends_at(uni(0), 1000), ends_at(uni(0), 1000), ends_at(uni(1), 1000), ends_at(uni(2), 1000),
        ends_at(uni(0), 1000)},
       std::nullopt},
      {{stream_frame(uni(0), kMaxVarint - 1, text("x"))}, flow_control_error},
      {{frames(ResetStreamFrame{uni(0), 1, kMaxVarint})}, flow_control_error},
  };
  for (std::size_t i = 0; i < cases.size(); ++i) {
    BOOST_TEST_CONTEXT("case " << i) {
      Scene scene(config);
      scene.pair.server.app.take = [](Connection&, StreamId, ByteView) { return std::size_t{0}; };
      std::optional<TransportErrorCode> verdict;
      for (const Bytes& packet : cases[i].packets) verdict = scene.verdict(packet);
      BOOST_TEST((verdict == cases[i].verdict), "got " << (verdict ? to_string(*verdict) : "nothing"));
    }
  }
}

BOOST_AUTO_TEST_CASE(t35_a_reset_stream_does_not_leak_the_connections_window) {
  // Each stream takes a third of the window and is reset: what nobody will read must come back as credit.
  Scene scene(small_windows(3000, 1000));
  std::uint64_t limit = 3000;
  for (std::uint64_t i = 0; i < 50; ++i) {
    BOOST_REQUIRE(limit >= (i + 1) * 1000);
    scene.attacker.ask(stream_frame(uni(i), 999, text("x")) + frames(ResetStreamFrame{uni(i), 1, 1000}));
    BOOST_REQUIRE(!scene.attacker.seen_close().has_value());
    for (const Answer& answer : scene.attacker.answers)
      for (const Frame& frame : answer.frames)
        if (const auto* raised = std::get_if<MaxDataFrame>(&frame)) limit = std::max(limit, raised->limit);
    scene.attacker.acknowledge();
  }
}

BOOST_AUTO_TEST_CASE(t35_final_size) {
  using enum TransportErrorCode;
  check_each({
      {{stream_frame(uni(0), 1, text("ab")), stream_frame(uni(0), 0, text("abc"), true)}, std::nullopt},
      {{stream_frame(uni(0), 2, text("cde"), true), stream_frame(uni(0), 0, text("abcde"))}, std::nullopt},
      {{stream_frame(uni(0), 2, text("cde"), true), stream_frame(uni(0), 5, text("f"))},
       final_size_error},  // beyond the end
      {{stream_frame(uni(0), 2, text("cde"), true), stream_frame(uni(0), 2, text("cdef"), true)},
       final_size_error},  // another end
      {{stream_frame(uni(0), 2, text("cde"), true), stream_frame(uni(0), 2, text("cd"), true)}, final_size_error},
      {{stream_frame(uni(0), 2, text("cde"), true), stream_frame(uni(0), 5, {}, true)}, std::nullopt},  // the same end
      {{stream_frame(uni(0), 4, text("e")), stream_frame(uni(0), 0, text("abc"), true)},
       final_size_error},  // an end before what came
      {{stream_frame(uni(0), 4, text("e")), frames(ResetStreamFrame{uni(0), 1, 4})}, final_size_error},
      {{stream_frame(uni(0), 4, text("e")), frames(ResetStreamFrame{uni(0), 1, 5})}, std::nullopt},
      {{stream_frame(uni(0), 2, text("cde"), true), frames(ResetStreamFrame{uni(0), 1, 6})}, final_size_error},
      {{stream_frame(uni(1), 0, text("x")), frames(ResetStreamFrame{bidi(0), 1, 5}),
        frames(ResetStreamFrame{bidi(0), 1, 6})},
       final_size_error},
      {{frames(ResetStreamFrame{bidi(0), 1, 5}), stream_frame(bidi(0), 5, text("x"))}, final_size_error},
      {{frames(ResetStreamFrame{bidi(0), 1, 5}), stream_frame(bidi(0), 0, text("abcde"))}, std::nullopt},
      // A stream that is over and forgotten: nothing is left to compare with, and nothing is said.
      {{stream_frame(uni(0), 0, text("abc"), true), stream_frame(uni(0), 10, text("x"))}, std::nullopt},
  });
}

BOOST_AUTO_TEST_CASE(t36_blocked_and_max_do_not_answer_each_other_forever) {
  DirectPair pair(small_windows(2000, 1000));
  Connection* client = pair.establish();
  pair.server.app.take = [](Connection&, StreamId, ByteView) { return std::size_t{0}; };
  for (int i = 0; i < 3; ++i) {
    const StreamId id = *client->open_stream(StreamType::unidirectional);
    (void)client->write(id, Bytes(5000));
  }
  pair.advance(2s);
  const std::uint64_t before = pair.datagrams[0] + pair.datagrams[1];
  pair.advance(20s);
  BOOST_TEST(pair.datagrams[0] + pair.datagrams[1] - before <= 4u);
  BOOST_TEST(client->stats().stream_bytes_sent == 2000u);
}

BOOST_AUTO_TEST_CASE(t36_a_blocked_flood_gets_each_limit_once) {
  Scene scene(small_windows(2000, 1000));
  scene.attacker.ask(stream_frame(uni(0), 0, Bytes(100)));
  for (int i = 0; i < 1000; ++i) {
    scene.attacker.ask(frames(DataBlockedFrame{2000}, StreamDataBlockedFrame{uni(0), 1000},
                              StreamsBlockedFrame{StreamType::unidirectional, 1024},
                              StreamsBlockedFrame{StreamType::bidirectional, 1024}));
    scene.attacker.acknowledge();
  }
  scene.attacker.collect();
  BOOST_TEST(!scene.attacker.seen_close().has_value());
  std::map<std::uint64_t, int> told;
  for (const Answer& answer : scene.attacker.answers)
    for (const Frame& frame : answer.frames)
      if (const auto* raised = std::get_if<MaxDataFrame>(&frame)) ++told[raised->limit];
  BOOST_TEST(told.size() <= 1u);
  for (const auto& [limit, times] : told) BOOST_TEST(times == 1);
  BOOST_TEST(scene.attacker.count<MaxStreamDataFrame>() <= 1u);
  BOOST_TEST(scene.attacker.count<MaxStreamsFrame>() == 0u);
}

BOOST_AUTO_TEST_CASE(t37_silly_stream_id) {
  using enum TransportErrorCode;
  const std::uint64_t limit = FlowControlConfig{}.max_streams_bidirectional;
  {
    // The last one that is allowed: the 1023 below are open by that, and cost nothing.
    Scene scene;
    const std::int64_t before = live_bytes();
    BOOST_TEST(!scene.verdict(stream_frame(bidi(limit - 1), 0, text("x"))).has_value());
    BOOST_TEST(scene.usage().open_remote == limit);
    BOOST_TEST(scene.usage().objects == 1u);
    BOOST_TEST(scene.pair.server.app.opened.size() == 1u);
    BOOST_TEST(live_bytes() - before < 64 * 1024);
  }
  for (const StreamId id : {bidi(limit), StreamId(kMaxVarint - 3), bidi(std::uint64_t{1} << 59)}) {
    check_each({
        {{stream_frame(id, 0, text("x"))}, stream_limit_error},
        {{stream_frame(id, 0, {})}, stream_limit_error},
        {{frames(ResetStreamFrame{id, 0, 0})}, stream_limit_error},
        {{frames(StopSendingFrame{id, 0})}, stream_limit_error},
        {{frames(MaxStreamDataFrame{id, 1})}, stream_limit_error},
        {{frames(StreamDataBlockedFrame{id, 1})}, stream_limit_error},
    });
  }
}

BOOST_AUTO_TEST_CASE(t38_ping_flood) {
  Scene scene;
  const Bytes pings(1150, 0x01);
  std::int64_t live = 0;
  std::size_t answers = 0;
  for (int i = 0; i < 2000; ++i) {
    answers += scene.attacker.ask(pings);
    scene.attacker.answers.clear();
    scene.pair.server_trace.sent.clear();
    if (i == 1000) live = live_bytes();
  }
  // Every second packet of the first hundred, then every tenth.
  BOOST_TEST(answers <= 50 + 1900 / 10 + 2u);
  BOOST_TEST(live_bytes() - live < 4096);
  BOOST_TEST(scene.pair.server.app.events == 1u);  // on_connected
}

BOOST_AUTO_TEST_CASE(t38_empty_stream_frames) {
  Scene scene;
  Bytes plaintext;
  for (int i = 0; i < 300; ++i) plaintext = std::move(plaintext) + stream_frame(uni(0), 0, {});
  for (int i = 0; i < 500; ++i) {
    scene.attacker.ask(plaintext);
    scene.attacker.answers.clear();
  }
  BOOST_TEST(scene.pair.server.app.opened.size() == 1u);
  BOOST_TEST(scene.pair.server.app.events == 2u);  // connected, opened; never "data" without any
  BOOST_TEST(scene.usage().objects == 1u);
}

BOOST_AUTO_TEST_CASE(t38_what_elicits_nothing_is_answered_with_nothing) {
  Scene scene;
  (void)scene.attacker.connection().open_stream(StreamType::unidirectional);
  scene.attacker.collect();
  scene.pair.now += 1s;
  scene.attacker.wake();
  scene.attacker.collect();
  const std::uint64_t before = scene.attacker.datagrams_received;
  const Bytes ack = raw_ack(scene.attacker.session->largest_opened, 0);
  for (int i = 0; i < 1000; ++i) {
    scene.attacker.ask(Bytes(1000, 0x00));
    scene.attacker.ask(ack);
  }
  scene.pair.now += 1s;
  BOOST_TEST(scene.attacker.run_due());
  BOOST_TEST(scene.attacker.datagrams_received == before);
}

BOOST_AUTO_TEST_CASE(t41_numbers_at_their_limits) {
  using enum TransportErrorCode;
  const Bytes stream_with_all = {0x0e};  // STREAM with offset and length
  const Bytes max = varint(kMaxVarint);
  check_each({
      // offset + length beyond 2^62 - 1
      {{stream_with_all + varint(uni(0).value()) + max + varint(1) + Bytes{'x'}}, frame_encoding_error},
      {{stream_with_all + varint(uni(0).value()) + varint(kMaxVarint - 1) + varint(2) + Bytes{'x', 'y'}},
       frame_encoding_error},
      // a length beyond the packet, up to the largest
      {{stream_with_all + varint(uni(0).value()) + varint(0) + varint(2) + Bytes{'x'}}, frame_encoding_error},
      {{stream_with_all + varint(uni(0).value()) + varint(0) + max}, frame_encoding_error},
      {{Bytes{0x1d} + varint(0) + varint(257) + Bytes(257, 'x')}, frame_encoding_error},
      {{Bytes{0x1d} + varint(0) + max}, frame_encoding_error},
      {{Bytes{0x1c} + varint(0) + varint(0) + varint(3) + Bytes{'x'}}, frame_encoding_error},
      // ACK ranges below zero
      {{raw_ack(0, 1)}, frame_encoding_error},
      {{raw_ack(5, 0, {4, 0})}, frame_encoding_error},
      {{raw_ack(5, 0, {3, 1})}, frame_encoding_error},
      {{raw_ack(5, 0, {kMaxVarint, 0})}, frame_encoding_error},
      {{raw_ack(5, 0, {0, kMaxVarint})}, frame_encoding_error},
      // counts of streams
      {{Bytes{0x12} + varint(kMaxStreamCount)}, std::nullopt},
      {{Bytes{0x12} + varint(kMaxStreamCount + 1)}, frame_encoding_error},
      {{Bytes{0x13} + max}, frame_encoding_error},
      {{Bytes{0x16} + varint(kMaxStreamCount + 1)}, frame_encoding_error},
      {{Bytes{0x17} + max}, frame_encoding_error},
      // limits may be anything
      {{Bytes{0x10} + max, Bytes{0x10} + varint(0), Bytes{0x14} + max}, std::nullopt},
      // codes too
      {{frames(ResetStreamFrame{uni(0), kMaxVarint, 0}), frames(StopSendingFrame{bidi(0), kMaxVarint})}, std::nullopt},
      // numbers in eight bytes where one would do are fine, types are not
      {{Bytes{0x10} + varint(7, 8)}, std::nullopt},
      {{varint(0x01, 2)}, frame_encoding_error},
      {{varint(0x10, 8) + varint(7)}, frame_encoding_error},
      // delays
      {{raw_ack(0, 0, {}, kMaxVarint)},
       protocol_violation},  // nothing was sent yet: the delay is no reason to crash first
  });
}

BOOST_AUTO_TEST_CASE(t41_an_enormous_ack_delay_is_bounded) {
  Scene scene;
  const StreamId id = *scene.attacker.connection().open_stream(StreamType::unidirectional);
  (void)scene.attacker.connection().write(id, text("x"));
  scene.attacker.collect();
  scene.pair.now += 50ms;
  scene.attacker.ask(raw_ack(scene.attacker.session->largest_opened, 0, {}, kMaxVarint));
  BOOST_TEST(!scene.attacker.seen_close().has_value());
  BOOST_TEST((scene.attacker.connection().stats().smoothed_rtt <= 50ms));
  BOOST_TEST((scene.attacker.connection().stats().smoothed_rtt > 0ms));
}

BOOST_AUTO_TEST_CASE(t41_every_frame_cut_at_every_byte) {
  // None of it may be more than an encoding error, and nothing may be read beyond the packet (sanitizers watch).
  const std::vector<Bytes> whole = {
      raw_ack(300, 2, {1, 2, 3, 4}, 70'000),
      frames(ResetStreamFrame{uni(0), 300, 70'000}),
      frames(StopSendingFrame{bidi(0), 70'000}),
      stream_frame(uni(200), 70'000, text("hello"), true),
      frames(MaxDataFrame{1 << 20}),
      frames(MaxStreamDataFrame{bidi(0), 1 << 20}),
      frames(MaxStreamsFrame{StreamType::bidirectional, 5000}),
      frames(DataBlockedFrame{1 << 20}),
      frames(StreamDataBlockedFrame{uni(0), 1 << 20}),
      frames(StreamsBlockedFrame{StreamType::unidirectional, 5000}),
      frames(CloseFrame{false, 300, 8, text("reason")}),
      frames(CloseFrame{true, 300, 0, text("reason")}),
  };
  for (const Bytes& frame : whole) {
    for (std::size_t size = 1; size < frame.size(); ++size) {
      Scene scene;
      const auto verdict = scene.verdict(Bytes(frame.begin(), frame.begin() + static_cast<std::ptrdiff_t>(size)));
      BOOST_TEST((verdict == TransportErrorCode::frame_encoding_error));
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()
