// A peer that sends any frames at all: each is taken or refused with an error of the protocol, and what is held stays
// within the limits that were announced.
#include <rapidcheck.h>

#include <boost/test/unit_test.hpp>
#include <vector>

#include "unit/scheduler/streams_fixture.h"

namespace mxp::test {
namespace {

// Near the limits most of the time, and sometimes anywhere.
rc::Gen<std::uint64_t> number() {
  return rc::gen::weightedOneOf<std::uint64_t>(
      {{6, rc::gen::inRange<std::uint64_t>(0, 1100)},
       {1, rc::gen::inRange<std::uint64_t>(3900, 4100)},
       {1, rc::gen::inRange<std::uint64_t>(kMaxVarint - 2000, kMaxVarint + 1)}});
}
rc::Gen<StreamId> stream_id() {
  return rc::gen::map(
      rc::gen::weightedOneOf<std::uint64_t>({{9, rc::gen::inRange<std::uint64_t>(0, 20)}, {1, number()}}),
      [](std::uint64_t value) { return StreamId(value); });
}

BOOST_AUTO_TEST_SUITE(streams_hostile_property)

BOOST_AUTO_TEST_CASE(any_frames_leave_memory_bounded_and_errors_named) {
  BOOST_TEST(rc::check("hostile peer", [] {
    const FlowControlConfig config = small_config();
    StreamPair pair(config, config);
    Side& us = pair.server;
    us.events.data_hook = [](StreamId id, ByteView data, bool) {
      return id.index() % 2 == 0 ? data.size() : data.size() / 2;
    };
    for (const StreamType type : {StreamType::bidirectional, StreamType::unidirectional}) {
      const StreamId id = *us.streams.open(type);
      std::ignore = us.streams.write(id, pattern_bytes(0, 2000));
    }
    const int steps = *rc::gen::inRange(0, 120);
    for (int i = 0; i < steps; ++i) {
      const StreamId id = *stream_id();
      const std::uint64_t n = *number();
      const auto type = *rc::gen::element(StreamType::bidirectional, StreamType::unidirectional);
      std::expected<void, TransportError> result;
      const auto data = pattern_bytes(0, *rc::gen::inRange<std::size_t>(0, 40));
      switch (*rc::gen::inRange(0, 14)) {
        default: result = us.streams.on_frame(StreamFrame{id, n, data, n % 16 == 0}); break;
        case 5: result = us.streams.on_frame(ResetStreamFrame{id, 1, n}); break;
        case 6: result = us.streams.on_frame(StopSendingFrame{id, 1}); break;
        case 7: result = us.streams.on_frame(MaxDataFrame{n}); break;
        case 8: result = us.streams.on_frame(MaxStreamDataFrame{id, n}); break;
        case 9: result = us.streams.on_frame(MaxStreamsFrame{type, n}); break;
        case 10: result = us.streams.on_frame(DataBlockedFrame{n}); break;
        case 11: result = us.streams.on_frame(StreamDataBlockedFrame{id, n}); break;
        case 12: result = us.streams.on_frame(StreamsBlockedFrame{type, n}); break;
        case 13: {
          if (us.streams.resume(id)) us.streams.deliver_resumed();
          const Packet packet = write_packet(us.streams, 300);
          if (n % 2 == 0) acknowledge(us.streams, packet);
          else lose(us.streams, packet);
          break;
        }
      }
      us.streams.collect();
      const StreamUsage usage = us.streams.usage();
      RC_ASSERT(usage.open_remote <= 8u);
      RC_ASSERT(usage.objects <= 10u);
      RC_ASSERT(usage.receive_buffered <= config.max_connection_window);
      // Rings: at least 2048 bytes each, at most twice a stream's window; send rings and what recycled objects keep.
      RC_ASSERT(usage.memory <= 10 * (2048u + 2048u) + 64 * (4096u + 4096u));
      if (!result) {
        const auto code = result.error().code;
        RC_ASSERT((code == TransportErrorCode::flow_control_error || code == TransportErrorCode::stream_limit_error ||
                   code == TransportErrorCode::stream_state_error || code == TransportErrorCode::final_size_error ||
                   code == TransportErrorCode::frame_encoding_error ||
                   code == TransportErrorCode::reassembly_limit_error));
        RC_ASSERT(!result.error().reason.empty());
        us.streams.drop_all();  // what the connection does
        RC_ASSERT(us.streams.usage().memory == 0u);
        return;
      }
    }
  }));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace mxp::test
