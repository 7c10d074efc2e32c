// In steady state nothing is allocated: neither for bulk data, nor for short streams, nor for a path that loses
// packets.
#include <array>
#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <new>
#include <vector>

#include "core/frame_reader.h"
#include "scheduler/streams.h"
#include "support/lone_streams.h"

namespace {

std::size_t allocations = 0;

void* counted(std::size_t size) {
  ++allocations;
  if (void* memory = std::malloc(size == 0 ? 1 : size)) return memory;
  throw std::bad_alloc();
}

}  // namespace

// For the whole test binary; only the tests below look at the count. Never inlined: g++ would see a new answered by
// free and warn.
[[gnu::noinline]] void* operator new(std::size_t size) { return counted(size); }
[[gnu::noinline]] void* operator new[](std::size_t size) { return counted(size); }
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete[](void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete[](void* memory, std::size_t) noexcept { std::free(memory); }

namespace mxp::test {
namespace {

struct Sink : StreamEvents {
  std::uint64_t bytes = 0, finished = 0;
  std::size_t on_stream_data(StreamId, ByteView data, bool) override { return bytes += data.size(), data.size(); }
  void on_stream_opened(StreamId) override {}
  void on_stream_reset(StreamId, AppErrorCode) override {}
  void on_stop_sending(StreamId, AppErrorCode) override {}
  void on_stream_writable(StreamId) override {}
  void on_stream_finished(StreamId) override { ++finished; }
  void on_streams_available(StreamType) override {}
};

// A packet in fixed storage.
struct FixedPacket {
  std::array<std::uint8_t, 1200> payload;
  std::size_t size = 0;
  std::array<SentFrame, 400> frames;
  std::size_t count = 0;

  void fill(LoneStreams& streams) {
    Writer out(payload);
    count = 0;
    const auto add = [this](const SentFrame& frame) { frames[count++] = frame; };
    streams.write_frames(out, add);
    size = out.written();
  }
  void deliver(LoneStreams& streams) const {
    FrameReader reader(ByteView(payload).first(size));
    while (true) {
      const auto frame = reader.next();
      if (!frame || !*frame) break;
      std::visit(
          [&](const auto& f) {
            if constexpr (requires { streams.on_frame(f); }) {
              if (!streams.on_frame(f)) std::abort();
            }
          },
          **frame);
    }
    streams.collect();
  }
  void acknowledge(LoneStreams& streams) const {
    for (std::size_t i = 0; i < count; ++i) streams.on_frame_acknowledged(frames[i]);
    streams.collect();
  }
  void lose(LoneStreams& streams) const {
    for (std::size_t i = 0; i < count; ++i) streams.on_frame_lost(frames[i]);
  }
};

struct AllocationFixture {
  FlowControlConfig config;
  Sink sending_app, receiving_app;
  LoneStreams sender{Role::client, config, sending_app, 1}, receiver{Role::server, config, receiving_app, 1};
  std::vector<std::uint8_t> data = std::vector<std::uint8_t>(64 * 1024, 0x5a);
  FixedPacket packets[3];

  AllocationFixture() {
    TransportParameters parameters;
    Streams::announce(config, parameters);
    sender.on_peer_parameters(parameters);
    receiver.on_peer_parameters(parameters);
  }
  void answer() {
    FixedPacket& packet = packets[0];
    while (receiver.has_pending()) {
      packet.fill(receiver);
      packet.deliver(sender);
      packet.acknowledge(receiver);
    }
  }
  template <class Round>
  std::size_t allocations_in(int rounds, Round&& round) {
    const std::size_t before = allocations;
    for (int i = 0; i < rounds; ++i) round();
    return allocations - before;
  }
};

BOOST_FIXTURE_TEST_SUITE(streams_allocation, AllocationFixture)

BOOST_AUTO_TEST_CASE(bulk_data_allocate_nothing) {
  const StreamId id = *sender.open(StreamType::bidirectional);
  const auto round = [&] {
    std::ignore = sender.write(id, data);
    while (sender.has_pending()) {
      packets[0].fill(sender);
      packets[0].deliver(receiver);
      packets[0].acknowledge(sender);
      answer();
    }
  };
  BOOST_TEST(allocations_in(5, round) > 0u);  // the count works
  const std::uint64_t before = receiving_app.bytes;
  BOOST_TEST(allocations_in(200, round) == 0u);
  BOOST_TEST(receiving_app.bytes - before == 200 * data.size());
}

BOOST_AUTO_TEST_CASE(bulk_data_over_a_path_that_loses_and_reorders_allocate_nothing) {
  const StreamId id = *sender.open(StreamType::bidirectional);
  const auto round = [&] {
    std::ignore = sender.write(id, data);
    while (sender.has_pending()) {
      for (FixedPacket& packet : packets) packet.fill(sender);
      packets[2].deliver(receiver);
      packets[0].deliver(receiver);
      packets[2].acknowledge(sender);
      packets[1].lose(sender);
      packets[0].acknowledge(sender);
      answer();
    }
  };
  BOOST_TEST(allocations_in(5, round) > 0u);
  BOOST_TEST(allocations_in(100, round) == 0u);
  BOOST_TEST(receiver.usage().receive_buffered == 0u);
}

BOOST_AUTO_TEST_CASE(short_streams_allocate_nothing) {
  const auto round = [&] {
    for (int i = 0; i < 20; ++i) {
      const auto id = sender.open(StreamType::unidirectional);
      if (!id) std::abort();
      std::ignore = sender.write(*id, ByteView(data).first(100));
      std::ignore = sender.finish(*id);
    }
    while (sender.has_pending()) {
      packets[0].fill(sender);
      packets[0].deliver(receiver);
      packets[0].acknowledge(sender);
      answer();
    }
  };
  BOOST_TEST(allocations_in(5, round) > 0u);
  BOOST_TEST(allocations_in(200, round) == 0u);
  BOOST_TEST(sending_app.finished == 205u * 20);
  BOOST_TEST(receiver.usage().open_remote == 0u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace mxp::test
